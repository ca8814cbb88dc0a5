"""Configurations of vLLM Semantic Router, in each of the forms they have had, as a router.yaml.

One module for each form reads a file into the same draft; the rest is alike for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from router_extproc.config.document import Document, load, read_text
from router_extproc.config.locate import find_beside
from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.migration.old_file import Ledger, OldSection
from router_extproc.migration.result import Choice, Migration, NotCarried
from router_extproc.migration.router_yaml import write
from router_extproc.migration.vllm_sr.cache import Beside
from router_extproc.migration.vllm_sr.canonical import read_canonical
from router_extproc.migration.vllm_sr.categories import read_categories
from router_extproc.migration.vllm_sr.compose import compose
from router_extproc.migration.vllm_sr.draft import Draft
from router_extproc.migration.vllm_sr.fit import fitted
from router_extproc.migration.vllm_sr.flat import read_flat
from router_extproc.migration.vllm_sr.losses import LOSSES

Form: TypeAlias = Callable[[OldSection, Beside], Draft]

_KNOWN: Final = (
    "write the file that vLLM Semantic Router itself reads, with vllm_endpoints, model_config and categories"
    " (or decisions), or with providers and routing"
)


def migrate(path: Path, *, out: str = "router.yaml", keep_headers: bool = False) -> Migration:
    """The file moved in; opens it, and the Milvus file that it names.

    out: the new file's name, for its comments. keep_headers: answers have the old router's headers, too.

    Raises:
        ConfigProblems: the file cannot be read, or is in none of the known forms.
    """
    document = load(read_text(path), str(path))
    ledger = Ledger(document, str(path), LOSSES, list(document.problems))
    form = _form_of(document.value)
    ledger.check()
    root = OldSection(document.value if isinstance(document.value, Mapping) else {}, "", ledger)
    draft = form(root, lambda name: _beside(name, path, ledger))
    root.report_unread()
    ledger.check()
    composed = compose(draft, keep_headers=keep_headers)
    fit = fitted(composed.value, composed.origins, ledger)
    comments = composed.comments_of(fit.decisions)
    lost = _sorted(ledger.not_carried)
    text = write(fit.value, comments, _head(path.name, out, draft.form), lost)
    choices = tuple(Choice(place, comment) for place, comment in comments.items())
    return Migration(draft.form, text, fit.value, choices, lost)


def _form_of(value: object) -> Form:
    """Which module reads the file.

    Raises:
        ConfigProblems: none does.
    """
    if not isinstance(value, Mapping):
        raise _alone(f"no configuration of vLLM Semantic Router: {_KNOWN}")
    if "apiVersion" in value or "kind" in value:
        raise _alone(f"this is an object of Kubernetes: {_KNOWN}")
    if not value.keys().isdisjoint(("providers", "routing", "signals")) and "models" not in value:
        return read_canonical
    if "decisions" in value and "models" not in value:
        return read_flat
    if "categories" in value or "vllm_endpoints" in value or "model_config" in value:
        return read_categories
    if value.get("version") == 1 and "models" in value:
        raise _alone("this is a configuration of router-extproc already")
    raise _alone(f"no configuration of vLLM Semantic Router that is known here: {_KNOWN}")


def _alone(problem: str) -> ConfigProblems:
    return ConfigProblems((ConfigError("", problem),))


def _beside(name: str, path: Path, ledger: Ledger) -> OldSection | None:
    """The Milvus file: beside the old file, one folder up (the old router's own layout), or here."""
    file = find_beside(name, path.parent) or find_beside(name, path.parent.parent)
    if file is None:
        return None
    document: Document = load(read_text(file), str(file))
    inner = Ledger(document, str(file), ledger.losses, ledger.problems, ledger.not_carried)
    return OldSection(document.value if isinstance(document.value, Mapping) else {}, name, inner)


def _sorted(lost: list[NotCarried]) -> tuple[NotCarried, ...]:
    return tuple(sorted(lost, key=lambda item: (item.severity != "behaviour", item.line or 0)))


def _head(old: str, new: str, form: str) -> str:
    return (
        f"Written by `router-extproc import vllm-sr {old}`, from the form {form}.\n"
        "What could not be carried over is listed at the end. Next:\n"
        f"  router-extproc check {new}\n"
        f'  router-extproc explain -c {new} "Solve x² = 2"\n'
        f"  router-extproc envoy --config {new} --out envoy"
    )
