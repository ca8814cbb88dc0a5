"""A draft as the value of a router.yaml, with the comments above its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.router_yaml import escape
from router_extproc.migration.vllm_sr.draft import Decision, Draft, Entry

#: Where Envoy listens unless the old file says it (config/envoy.py).
LISTEN: Final = "127.0.0.1:8801"
COMMENTS: Final[Mapping[str, str]] = {
    "envoy.compatible_headers": "Answers have the headers of the old router, too: x-vsr-selected-model ...",
    "virtual_models": "Requests for one of these names are routed by `decisions`.",
    "default_model": "Takes what no decision wants, and everything while the sidecar is away.",
}


@dataclass(frozen=True, slots=True)
class Composed:
    """The value of the new file."""

    value: dict[str, JsonValue]
    #: By YAML path, without those of decisions.
    comments: Mapping[str, str]
    #: Of the decisions, in their order.
    decision_comments: Sequence[str]
    #: YAML path here to the one in the old file.
    origins: Mapping[str, str]

    def comments_of(self, decisions: Sequence[int]) -> Mapping[str, str]:
        """All comments by YAML path, of a file with these of the decisions."""
        kept = {f"decisions[{new}]": self.decision_comments[old] for new, old in enumerate(decisions)}
        return {path: text for path, text in {**self.comments, **kept}.items() if text}


def compose(draft: Draft, *, keep_headers: bool) -> Composed:
    """The new file's value, comments and origins."""
    asked = _asked(draft)
    envoy: dict[str, JsonValue] = {"listen": draft.listen or LISTEN}
    if keep_headers:
        envoy["compatible_headers"] = "vllm-sr"
    envoy["clusters"] = _values(draft.models.clusters)
    value: dict[str, JsonValue] = {
        "version": 1,
        "envoy": envoy,
        "virtual_models": list(draft.virtual_models),
        "default_model": draft.default_model,
        "models": _values(draft.models.models),
    }
    if asked:
        value["signals"] = _values(asked)
    if draft.decisions:
        value["decisions"] = [_decision(decision) for decision in draft.decisions]
    value["semantic_cache"] = _escape_cache(draft.cache.value)
    comments = {**COMMENTS, **_comments("envoy.clusters", draft.models.clusters)}
    comments |= _comments("models", draft.models.models) | _comments("signals", asked)
    comments["semantic_cache"] = draft.cache.comment
    origins = {f"decisions[{number}]": each.origin for number, each in enumerate(draft.decisions)}
    return Composed(value, comments, [decision.comment for decision in draft.decisions], origins)


def _asked(draft: Draft) -> Mapping[str, Entry]:
    """The signals that some decision asks: rules of the old file that none asked are left out."""
    text = str([decision.when for decision in draft.decisions])
    return {name: entry for name, entry in draft.signals.items() if repr(name) in text}


def _decision(decision: Decision) -> dict[str, JsonValue]:
    made: dict[str, JsonValue] = {"name": decision.name, "priority": decision.priority}
    if isinstance(decision.when, dict):
        made["when"] = escape(decision.when)
    return {**made, **{key: escape(value) for key, value in decision.keys.items()}}


def _escape_cache(cache: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Settings of Milvus keep their `${NAME}`: passwords are written so."""
    return {key: value if key == "milvus" else escape(value) for key, value in cache.items()}


def _values(entries: Mapping[str, Entry]) -> dict[str, JsonValue]:
    return {name: escape(dict(entry.value)) for name, entry in entries.items()}


def _comments(section: str, entries: Mapping[str, Entry]) -> dict[str, str]:
    return {f"{section}.{name}": entry.comment for name, entry in entries.items() if entry.comment}
