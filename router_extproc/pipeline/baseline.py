"""What an answer would have cost if one model, the baseline, gave all of them.

The baseline would have read the same prompt, and had as much of it in its prefix cache. How long its answer
would have been nobody knows: it is taken to be as long, and the bounds are an answer of half that length and
one of twice that length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price

#: How much longer or shorter the answer that was not made may have been.
LENGTH_FACTOR: Final = 2.0
#: Of one answer in the mean of how long a model thinks.
_NEWS_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer, in the currency of the configuration."""

    #: The model that it is compared with.
    baseline: str
    #: What the model that gave it costs, or cost when it was stored.
    own: float
    #: What the baseline would have cost, and the bounds of it; all are `own` where it is the same model.
    expected: float
    low: float
    high: float
    #: What the model would have thought for, had its decision not switched that off, as it does otherwise.
    unthought: float = 0.0
    #: The tokens of that.
    unthought_tokens: float = 0.0


class ThinkingLengths:
    """How long each model thinks where it may, as pools report it; a mean that follows what is new."""

    def __init__(self) -> None:
        self._tokens: dict[str, float] = {}

    def note(self, model: str, tokens: int) -> None:
        """An answer for which the model has thought; 0 is no news, for not every pool tells."""
        if tokens > 0:
            before = self._tokens.get(model, float(tokens))
            self._tokens[model] = before + (tokens - before) * _NEWS_SHARE

    def of(self, model: str) -> float:
        """Tokens, expected; 0 as long as none was seen to think."""
        return self._tokens.get(model, 0.0)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The model that every answer is compared with."""

    model: str
    prices: Mapping[str, Price]
    #: Decisions that switch reasoning off.
    thoughtless: frozenset[str] = frozenset()

    def saved_per_mtok(self, model: str) -> tuple[float, float] | None:
        """What a million tokens of input, and of output, of this model save; None: a price is not known."""
        own, other = self.prices.get(model), self.prices.get(self.model)
        if own is None or other is None:
            return None
        return other.input_per_mtok - own.input_per_mtok, other.output_per_mtok - own.output_per_mtok

    def of_answer(
        self, model: str, decision: str, usage: Usage | None, lengths: ThinkingLengths
    ) -> Compared | None:
        """The comparison of a pool's answer; learns from it how long the model thinks."""
        compared = self.compare(model, usage)
        if compared is None or usage is None:
            return None
        if decision not in self.thoughtless:
            lengths.note(model, usage.reasoning_tokens)
            return compared
        tokens = lengths.of(model)
        cost = self.prices[model].of_tokens(0, tokens)
        return replace(compared, unthought=cost, unthought_tokens=tokens)

    def compare(self, model: str, usage: Usage | None) -> Compared | None:
        """The answer's cost beside the baseline's; None: nothing is known of its tokens or of its price."""
        own, other = self.prices.get(model), self.prices.get(self.model)
        if usage is None or own is None or other is None:
            return None
        prompt, completion = max(0, usage.prompt_tokens), max(0, usage.completion_tokens)
        cached = usage.cached_tokens
        cost = own.of_tokens(prompt, completion, cached)
        if model == self.model:
            return Compared(self.model, cost, cost, cost, cost)
        shorter, longer = completion / LENGTH_FACTOR, completion * LENGTH_FACTOR
        return Compared(
            self.model,
            cost,
            other.of_tokens(prompt, completion, cached),
            other.of_tokens(prompt, shorter, cached),
            other.of_tokens(prompt, longer, cached),
        )
