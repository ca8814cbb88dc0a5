"""What decisions change in requests, as the neutral values that dialects work with."""

from __future__ import annotations

import orjson

from router_extproc.config.decisions import Decision
from router_extproc.config.request_changes import Parameters, Reasoning, SystemPrompt
from router_extproc.llm.changes import (
    NO_CHANGES,
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
    SystemPromptChange,
)


def changes_of(decision: Decision) -> RequestChanges | None:
    """What the decision changes; None: nothing."""
    changes = RequestChanges(
        _system_prompt(decision.system_prompt),
        ParameterChanges() if decision.parameters is None else _parameters(decision.parameters),
        None if decision.reasoning is None else _reasoning(decision.reasoning),
        tuple((name.lower(), value) for name, value in decision.headers.items()),
    )
    return None if changes == NO_CHANGES else changes


def _system_prompt(prompt: SystemPrompt | None) -> SystemPromptChange | None:
    if prompt is None:
        return None
    if prompt.replace is not None:
        return ReplaceSystemPrompt(prompt.replace)
    return SurroundSystemPrompt(prompt.prepend or "", prompt.append or "")


def _parameters(parameters: Parameters) -> ParameterChanges:
    """Sorted, so that their order in the file does not divide the cache."""
    return ParameterChanges(
        tuple((name, orjson.dumps(value)) for name, value in sorted(parameters.set.items())),
        tuple((name, orjson.dumps(value)) for name, value in sorted(parameters.default.items())),
        tuple(sorted(parameters.max.items())),
        tuple(sorted(set(parameters.remove))),
    )


def _reasoning(wanted: Reasoning) -> ReasoningChange:
    if isinstance(wanted, bool):
        return ReasoningChange(wanted)
    return ReasoningChange(wanted.on, wanted.effort, wanted.force)
