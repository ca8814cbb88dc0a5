"""A model's answer: neutral facts for the router, and the dialect's own document for replays.

The cache, shadow comparisons and metrics look at the facts. Only the dialect that read an answer reads
its document, so nothing of it is lost on the way into the cache and back to a client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


FinishReason: TypeAlias = Literal["stop", "tool_calls", "length", "content_filter", "other"]
#: What dialects call the reasons, of whole answers and of others.
_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
}
#: Why an answer is not whole: its model stopped for a reason that nobody knows here.
_UNKNOWN_FINISH: Final = "finish_reason"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model asks the client to make; `arguments` is the model's text, verbatim."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the n alternatives of an answer."""

    #: What the client shows: without reasoning and refusals, "" when there is none.
    text: str
    #: In the words of chat completions: "stop", "tool_calls", or another.
    finish_reason: str
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the pool reported them."""

    prompt_tokens: int
    completion_tokens: int
    #: Of the prompt, those that the pool had computed before.
    cached_tokens: int = 0
    #: Of the completion, those that the model thought with; 0 also where the pool does not tell.
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What is the same in every dialect."""

    id: str
    #: As the pool calls it.
    model: str
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    #: False: the pool was not asked for usage, so the answer cannot take a form that has it.
    usage_is_known: bool = True
    #: The pool may keep it, for requests that go on from it by its id.
    is_kept: bool = False

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped; of several choices the first that did not just end."""
        reasons = (_FINISH_REASONS.get(choice.finish_reason, "other") for choice in self.choices)
        return next((reason for reason in reasons if reason != "stop"), "stop")

    @property
    def has_tool_calls(self) -> bool:
        """True when any choice asks for a tool call."""
        return any(choice.tool_calls for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer of a model, streamed or not."""

    facts: AnswerFacts
    #: The dialect's own JSON: what the answer would have been unstreamed. Shared, never changed.
    document: JsonObject


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why an answer must not be stored; `reason` is a metric label (a short word, bounded set)."""

    reason: str
    #: What the pool reported all the same, for metrics.
    usage: Usage | None = None
    #: Of one that the pool may keep all the same, for requests that go on from it; "": it keeps none.
    kept_id: str = ""

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the model stopped; None: it has not, or nobody was told."""
        return "other" if self.reason == _UNKNOWN_FINISH else _FINISH_REASONS.get(self.reason)
