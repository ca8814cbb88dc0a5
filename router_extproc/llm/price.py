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

    def of(self, usage: Usage) -> float:
        """What this answer cost."""
        return self.of_tokens(usage.prompt_tokens, usage.completion_tokens)

    def of_tokens(self, prompt_tokens: float, completion_tokens: float) -> float:
        """The same from counts, which may be expected ones."""
        spent = self.input_per_mtok * prompt_tokens + self.output_per_mtok * completion_tokens
        return max(0.0, spent / _MTOK)


FREE: Final = Price(0.0, 0.0)
