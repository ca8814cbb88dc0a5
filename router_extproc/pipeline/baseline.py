"""What an answer would have cost if one model, the baseline, gave all of them.

The baseline would have read the same prompt. How long its answer would have been nobody knows: it is taken to
be as long, and the bounds are an answer of half that length and one of twice that length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price

#: How much longer or shorter the answer that was not made may have been.
LENGTH_FACTOR: Final = 2.0


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


@dataclass(frozen=True, slots=True)
class Baseline:
    """The model that every answer is compared with."""

    model: str
    prices: Mapping[str, Price]

    def compare(self, model: str, usage: Usage | None) -> Compared | None:
        """The answer's cost beside the baseline's; None: nothing is known of its tokens or of its price."""
        own, other = self.prices.get(model), self.prices.get(self.model)
        if usage is None or own is None or other is None:
            return None
        prompt, completion = max(0, usage.prompt_tokens), max(0, usage.completion_tokens)
        cost = own.of_tokens(prompt, completion)
        if model == self.model:
            return Compared(self.model, cost, cost, cost, cost)
        shorter, longer = completion / LENGTH_FACTOR, completion * LENGTH_FACTOR
        return Compared(
            self.model,
            cost,
            other.of_tokens(prompt, completion),
            other.of_tokens(prompt, shorter),
            other.of_tokens(prompt, longer),
        )
