"""The context length signal: about how many tokens the whole request has.

An estimate without any tokenizer: every model has its own, and a long request must not wait for one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Classifiers, TokenCounter
from router_extproc.signals.base import EncodeText, Reading, SignalSettings, Subject

#: English and code have about 4 bytes a token in today's vocabularies; scripts with 2 or 3 bytes a
#: character have about as many bytes a token or fewer, so for them the estimate is low, at worst
#: by half.
BYTES_PER_TOKEN = 4
#: What a chat template adds around each message.
TOKENS_PER_TURN = 4
#: Context fields that hold tool definitions, which the model reads like text.
TOOLS_FIELDS = frozenset({"tools", "functions"})
#: Characters that a tokenizer reads, half from each end; it takes some 10 ms for them.
CHARS_COUNTED_MAX: Final = 32_768
#: The label of a request inside the bounds.
IN_RANGE = "in_range"


class ContextLengthSettings(SignalSettings):
    """Matches when the whole request is about this many tokens long."""

    type: Literal["context_length"]
    #: Tokens of the whole request, inclusive.
    min_tokens: int = Field(default=0, ge=0)
    #: Likewise; none: no upper bound.
    max_tokens: int | None = Field(default=None, ge=1)
    #: The `tokenizer.json` by which it counts. None: that of the default model (`models.NAME.tokenizer`), and
    #: an estimate where it has none.
    tokenizer: str | None = None

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if self.max_tokens is not None and self.max_tokens < self.min_tokens:
            problem = f"must be >= min_tokens ({self.min_tokens}), got {self.max_tokens}"
            yield ConfigError(f"{path}.max_tokens", problem)

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (IN_RANGE,)

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> ContextLengthSignal:
        """See SignalSettings."""
        if self.tokenizer is None:
            return ContextLengthSignal(name, min_tokens=self.min_tokens, max_tokens=self.max_tokens)
        counter = classifiers.token_counter(self.tokenizer, where=f"signals.{name}.tokenizer")
        return CountedLengthSignal(name, counter, min_tokens=self.min_tokens, max_tokens=self.max_tokens)


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
        return self._reading(estimate_tokens(subject.request))

    def _reading(self, tokens: int) -> Reading:
        too_long = self._max_tokens is not None and tokens > self._max_tokens
        if tokens < self._min_tokens or too_long:
            return Reading(self.name, None, 0.0)
        return Reading(self.name, IN_RANGE, 1.0)


class CountedLengthSignal(ContextLengthSignal):
    """The same by a model's own tokenizer, off the event loop. Fits signals.base.PartsSignal."""

    def __init__(
        self, name: str, counter: TokenCounter, *, min_tokens: int = 0, max_tokens: int | None = None
    ) -> None:
        super().__init__(name, min_tokens=min_tokens, max_tokens=max_tokens)
        self._counter = counter

    def read_parts(self, subject: Subject, encode: EncodeText) -> Reading:
        """See signals.base.PartsSignal; without it, `read` gives the estimate."""
        del encode
        return self._reading(count_tokens(subject.request, self._counter))


def estimate_tokens(request: InferenceRequest) -> int:
    """About how many tokens the whole request has: every turn, tool calls and results, tools.

    Images count nothing.
    """
    texts, others = _texts(request), _others(request)
    text_bytes = sum(map(count_bytes, texts)) + sum(map(count_bytes, others))
    return -(-text_bytes // BYTES_PER_TOKEN) + TOKENS_PER_TURN * len(texts)


def count_tokens(request: InferenceRequest, counter: TokenCounter) -> int:
    """How many tokens the whole request has; beyond CHARS_COUNTED_MAX characters in proportion to these."""
    texts, others = _texts(request), _others(request)
    whole = "\n".join((*texts, *others))
    half = CHARS_COUNTED_MAX // 2
    read = whole if len(whole) <= CHARS_COUNTED_MAX else whole[:half] + whole[-half:]
    counted = counter.count(read)
    share = len(whole) / len(read) if read else 1.0
    return math.ceil(counted * share) + TOKENS_PER_TURN * len(texts)


def count_bytes(text: str) -> int:
    """Length in UTF-8; a lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _texts(request: InferenceRequest) -> list[str]:
    """What stands in messages; a chat template writes something around each."""
    turns = (*request.history, *request.later)
    return [text for text in (request.system, request.prompt, *(turn.text for turn in turns)) if text]


def _others(request: InferenceRequest) -> list[str]:
    """Tool calls and tool definitions, which the model reads like text."""
    turns = (*request.history, *request.later)
    calls = [text for turn in turns for call in turn.tool_calls for text in (call.name, call.arguments)]
    tools = [field.value.decode() for field in request.context if field.name in TOOLS_FIELDS]
    return [*calls, *tools]
