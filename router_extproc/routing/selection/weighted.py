"""`weighted`: each candidate gets its share of the conversations, which stay with their candidate.

By rendezvous hashing: every candidate has a number that follows from the conversation, its name and its
weight, and the highest is taken. So a candidate that is taken away gives its own conversations to the others
and moves no other one, and every worker and replica chooses alike without telling another.
Source: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005 (the logarithmic method).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, SelectionSettings

REASON: Final = "its share by weight, the same for the whole conversation"
_PURPOSE: Final = b"rx-weighted-1"
_DIGEST_BYTES: Final = 8
_STEPS: Final = 2 ** (8 * _DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class WeightedSelection:
    """Looks at the conversation alone. Fits Selection."""

    signals: frozenset[str] = frozenset()
    counts_tokens: bool = False
    by_need: bool = False

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        """See Selection."""
        if len(candidates) == 1:
            return Choice(candidates[0], REASON)
        total = sum(each.weight for each in candidates)
        chosen = max(candidates, key=lambda each: _draw(each, known.conversation))
        numbers = {each.target.model: {"share": each.weight / total} for each in candidates}
        return Choice(chosen, REASON, numbers)


def _draw(candidate: Candidate, conversation: bytes) -> float:
    """A number above zero, exponential with the candidate's weight, upside down."""
    name = candidate.target.model.encode("utf-8", "surrogatepass")
    drawn = blake2b(name + b"\0" + conversation, digest_size=_DIGEST_BYTES, person=_PURPOSE).digest()
    return candidate.weight / -math.log((int.from_bytes(drawn) + 0.5) / _STEPS)


class WeightedSettings(SelectionSettings):
    """The settings of `weighted`."""

    by: Literal["weighted"]

    def open(self) -> WeightedSelection:
        """See SelectionSettings."""
        return WeightedSelection()
