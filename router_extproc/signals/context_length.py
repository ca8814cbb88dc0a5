"""The context length signal: about how many tokens the whole request has.

An estimate without any tokenizer: every model has its own, and a long request must not wait for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: English and code have about 4 bytes a token in today's vocabularies; scripts with 2 or 3 bytes a
#: character have about as many bytes a token or fewer, so for them the estimate is low, at worst
#: by half.
BYTES_PER_TOKEN = 4
#: What a chat template adds around each message.
TOKENS_PER_TURN = 4
#: Context fields that hold tool definitions, which the model reads like text.
TOOLS_FIELDS = frozenset({"tools", "functions"})
#: The label of a request inside the bounds.
IN_RANGE = "in_range"


class ContextLengthSettings(SignalSettings):
    """Matches when the whole request is about this many tokens long."""

    type: Literal["context_length"]
    #: Estimated tokens of the whole request, inclusive.
    min_tokens: int = Field(default=0, ge=0)
    #: Likewise; none: no upper bound.
    max_tokens: int | None = Field(default=None, ge=1)

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if self.max_tokens is not None and self.max_tokens < self.min_tokens:
            problem = f"must be >= min_tokens ({self.min_tokens}), got {self.max_tokens}"
            yield ConfigError(f"{path}.max_tokens", problem)

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (IN_RANGE,)

    def open(self, name: str, classifiers: Classifiers) -> ContextLengthSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return ContextLengthSignal(name, min_tokens=self.min_tokens, max_tokens=self.max_tokens)


class ContextLengthSignal:
    """Tells whether the estimate is inside inclusive bounds. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, *, min_tokens: int = 0, max_tokens: int | None = None) -> None:
        self.name = name
        self._min_tokens = min_tokens
        self._max_tokens = max_tokens

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        tokens = estimate_tokens(subject.request)
        too_long = self._max_tokens is not None and tokens > self._max_tokens
        if tokens < self._min_tokens or too_long:
            return Reading(self.name, None, 0.0)
        return Reading(self.name, IN_RANGE, 1.0)


def estimate_tokens(request: InferenceRequest) -> int:
    """About how many tokens the whole request has: every turn, tool calls and results, tools.

    Images count nothing.
    """
    turns = (*request.history, *request.later)
    texts = [text for text in (request.system, request.prompt, *(turn.text for turn in turns)) if text]
    calls = [text for turn in turns for call in turn.tool_calls for text in (call.name, call.arguments)]
    tools = sum(len(field.value) for field in request.context if field.name in TOOLS_FIELDS)
    text_bytes = sum(map(count_bytes, texts)) + sum(map(count_bytes, calls))
    return -(-(text_bytes + tools) // BYTES_PER_TOKEN) + TOKENS_PER_TURN * len(texts)


def count_bytes(text: str) -> int:
    """Length in UTF-8; a lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
