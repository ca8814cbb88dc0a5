"""What the tokens of a model cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import Usage

_MTOK: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Of one million tokens, in the currency of the configuration."""

    input_per_mtok: float
    output_per_mtok: float
    #: Of prompt tokens that the pool had read before; None: the configuration does not say, and they cost as
    #: much as others.
    cached_input_per_mtok: float | None = None

    def of(self, usage: Usage) -> float:
        """What this answer cost."""
        return self.of_tokens(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)

    def of_tokens(self, prompt_tokens: float, completion_tokens: float, cached_tokens: float = 0) -> float:
        """The same from counts, which may be expected ones; `cached_tokens`: of the prompt's."""
        spent = self.input_per_mtok * prompt_tokens + self.output_per_mtok * completion_tokens
        if self.cached_input_per_mtok is not None:
            # A pool may say anything.
            cached = min(max(0, cached_tokens), prompt_tokens)
            spent -= (self.input_per_mtok - self.cached_input_per_mtok) * cached
        return max(0.0, spent / _MTOK)


FREE: Final = Price(0.0, 0.0)
