"""The neutral form of an answer: complete, lossless, independent of streamed or not.

It is not a parser; dialects read answers into it and render it back. The rule it keeps: a replay
shows the client the same content, tool calls, reasoning and usage, to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model asks the client to make; `arguments` is the model's text, verbatim."""

    id: str
    name: str
    arguments: str
    #: "function", "custom", or "function_call" for the one call of OpenAI's older form (its id is "").
    kind: str = "function"
    #: Members of the call that have no field of their own here, as they came.
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the n alternatives of an answer."""

    index: int
    content: str | None
    finish_reason: str | None
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str | None = None
    #: The name of the field that carried the reasoning ("reasoning_content" or "reasoning").
    reasoning_field: str = "reasoning_content"
    refusal: str | None = None
    #: Members of the message that have no field of their own here, as they came.
    message_extra: Mapping[str, JsonValue] = field(default_factory=dict)
    #: Members of the choice that have no field of their own here (logprobs, stop_reason), as they came.
    choice_extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the pool reported them."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    #: The pool's own object, replayed as it came.
    original: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer of a model."""

    id: str
    model: str
    created_s: int
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    #: Top-level members without a field of their own (system_fingerprint, service_tier), as they came.
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def has_tool_calls(self) -> bool:
        """True when any choice asks for a tool call."""
        return any(choice.tool_calls for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why an answer must not be stored; `reason` is a metric label (a short word, bounded set)."""

    reason: str
    #: What the pool reported all the same, for metrics.
    usage: Usage | None = None
