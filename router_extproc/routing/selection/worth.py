"""What a selection weighs: the cost of a request with each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from router_extproc.llm.price import FREE
from router_extproc.routing.selection.base import Candidate

#: Of an answer whose length nobody has told.
ANSWER_TOKENS: Final = 500

KeyT = TypeVar("KeyT")


def costs_of(
    candidates: Sequence[Candidate], prompt_tokens: int, answer_tokens: Mapping[str, float]
) -> dict[str, float]:
    """What the request costs with each candidate, by model; `answer_tokens`: expected, by model."""
    return {
        each.target.model: (each.price or FREE).of_tokens(
            prompt_tokens, answer_tokens.get(each.target.model, ANSWER_TOKENS)
        )
        for each in candidates
    }


def relative_costs(costs: Mapping[KeyT, float]) -> dict[KeyT, float]:
    """The costs as shares of the dearest one; all 0 when nothing costs anything."""
    most = max(costs.values(), default=0.0)
    return {key: cost / most if most else 0.0 for key, cost in costs.items()}
