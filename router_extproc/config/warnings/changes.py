"""Warnings of changes in requests that change nothing, and of credentials written into a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from router_extproc.cache.ignore import IgnoreRule
from router_extproc.cache.scope import CREDENTIALS
from router_extproc.config.decisions import Decision
from router_extproc.config.model import Config
from router_extproc.config.request_changes import Parameters, ReasoningSwitch, SystemPrompt
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.llm.reasoning import FAMILIES, TemplateSwitch
from router_extproc.routing.selection.fixed import FixedSettings

_HEADER: Final = re.compile(r"decisions\[\d+\]\.headers\.(?P<name>.+)").fullmatch


def warn_of_changes(subject: Subject) -> Iterator[ConfigWarning]:
    """Changes without an effect."""
    for index, decision in enumerate(subject.config.decisions):
        path = f"decisions[{index}]"
        yield from _warn_of_nothing(path, decision)
        if decision.parameters is not None:
            yield from _warn_of_parameters(f"{path}.parameters", decision.parameters)
        yield from _warn_of_effort(f"{path}.reasoning.effort", decision, subject.config)
        yield from _warn_of_weights(f"{path}.models", decision)
        yield from _warn_of_ignored(f"{path}.system_prompt", decision, subject.config)


def _warn_of_nothing(path: str, decision: Decision) -> Iterator[ConfigWarning]:
    if decision.system_prompt == SystemPrompt():
        yield ConfigWarning(f"{path}.system_prompt", "changes nothing: write prepend, append or replace")
    if decision.parameters == Parameters():
        yield ConfigWarning(f"{path}.parameters", "changes nothing: write set, default, max or remove")


def _warn_of_parameters(path: str, parameters: Parameters) -> Iterator[ConfigWarning]:
    for name in parameters.set:
        for other in ("default", "max", "remove"):
            if name in getattr(parameters, other):
                problem = f"'{name}' has no effect here: set writes it into every request"
                yield ConfigWarning(_place(path, other, name), problem)
    yield from _warn_of_defaults(f"{path}.default", parameters)
    for name in sorted(set(parameters.max).intersection(parameters.remove)):
        if name not in parameters.set and name not in parameters.default:
            yield ConfigWarning(f"{path}.max.{name}", "has no effect: remove takes the client's own out")


def _warn_of_defaults(path: str, parameters: Parameters) -> Iterator[ConfigWarning]:
    for name, value in parameters.default.items():
        most = parameters.max.get(name)
        if most is not None and isinstance(value, int | float) and value > most:
            problem = f"{value:g} is above max ({most:g}), so {most:g} is what requests get"
            yield ConfigWarning(f"{path}.{name}", problem)
        if name in parameters.remove and name not in parameters.set:
            problem = "is what every request gets, as remove takes the client's own out: write set"
            yield ConfigWarning(f"{path}.{name}", problem)


def _place(path: str, kind: str, name: str) -> str:
    """Where the name is written; a list has no keys."""
    return f"{path}.remove" if kind == "remove" else f"{path}.{kind}.{name}"


def _warn_of_effort(path: str, decision: Decision, config: Config) -> Iterator[ConfigWarning]:
    wanted = decision.reasoning
    if not isinstance(wanted, ReasoningSwitch) or wanted.effort is None:
        return
    models = (config.models.get(candidate.model) for candidate in decision.candidates)
    families = {
        model.reasoning.family for model in models if model is not None and model.reasoning is not None
    }
    deaf = sorted(family for family in families if isinstance(FAMILIES[family], TemplateSwitch))
    if deaf:
        yield ConfigWarning(path, f"has no effect on {', '.join(deaf)}, which is only switched on or off")


def _warn_of_weights(path: str, decision: Decision) -> Iterator[ConfigWarning]:
    if not isinstance(decision.selection, FixedSettings):
        return
    for index, candidate in enumerate(decision.models):
        if not isinstance(candidate, str) and candidate.weight != 1:
            problem = "has no effect: selection fixed takes the first model in the list"
            yield ConfigWarning(f"{path}[{index}].weight", problem)


def _warn_of_ignored(path: str, decision: Decision, config: Config) -> Iterator[ConfigWarning]:
    """Patterns that seem to be meant for the operator's own text."""
    own = decision.cache.ignore
    rule = IgnoreRule(config.semantic_cache.ignore if own is None else own)
    prompt = decision.system_prompt
    texts = (
        {} if prompt is None or not config.semantic_cache.enabled else prompt.model_dump(exclude_none=True)
    )
    for key, text in texts.items():
        if rule.patterns and rule.count([text]):
            problem = (
                "holds what a pattern of ignore fits; patterns leave out only clients' texts, and this one"
                " counts in the cache's keys as a whole"
            )
            yield ConfigWarning(f"{path}.{key}", problem)


def warn_of_credentials_in_headers(subject: Subject) -> Iterator[ConfigWarning]:
    """Credentials for a pool that do not come from the environment."""
    for source in subject.sources.files:
        for path, _, _ in source.values():
            found = _HEADER(path)
            is_environments = source.inner(path) in source.expanded.secret_paths
            if found and found["name"].lower() in CREDENTIALS and not is_environments:
                yield ConfigWarning(path, "is a credential in clear text; write it as ${NAME}")
