"""`bandit`: as `cheapest`, with what live outcomes have shown, and a bounded share of trials.

What a candidate is expected to be worth is corrected by how much better or worse than expected its answers
were (`routing.outcomes`): the mean of a Beta distribution whose weight is `prior_weight` and the outcomes
that count. A candidate whose mean is below `quality_min` of the best one's is never chosen. Among the others,
a share of the conversations draws from the distributions in place of their means (Thompson sampling), so that
one of which little is known is tried. A conversation draws the same as long as little new is known, in every
worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Final, Literal

from pydantic import Field

from router_extproc.routing.outcomes.seen import DecisionOutcomes, Learning
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.selection.enough import EnoughSettings
from router_extproc.routing.selection.expected import (
    ByExpectation,
    Expected,
    expected_of,
    first_of,
    is_enough,
)

#: Outcomes of a decision after which a conversation would draw anew.
REDRAW_OUTCOMES: Final = 64
#: A distribution's mean is at least so far from 0 and 1: nothing is ever certain.
EDGE: Final = 0.005
#: The number of a choice by which an outcome will be measured.
EXPECTED: Final = "expected"
_PURPOSE: Final = b"rx-bandit-1"
_DIGEST_BYTES: Final = 8
_STEPS: Final = 2 ** (8 * _DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one candidate for this request."""

    expected: Expected
    #: Corrected by outcomes, from 0 to 1.
    quality: float
    #: How many outcomes, real or of the expectation, that is worth.
    weight: float
    good: float
    bad: float

    @property
    def model(self) -> str:
        """Its name."""
        return self.expected.model

    def draw(self, seed: bytes) -> float:
        """A quality that it may have, the same for the same seed."""
        mean = min(1 - EDGE, max(EDGE, self.quality))
        chance = Random(_number(seed, self.model.encode("utf-8", "surrogatepass")))  # noqa: S311 - no secret
        return chance.betavariate(mean * self.weight, (1 - mean) * self.weight)


@dataclass(frozen=True, slots=True)
class BanditSelection(ByExpectation):
    """Fits Selection."""

    quality_min: float
    explore_share: float
    prior_weight: float

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        """See Selection; among equally cheap ones the better, then the first written."""
        expected = expected_of(candidates, known, self.signal)
        if not expected:
            return first_of(candidates)
        beliefs = beliefs_of(expected, known.outcomes, self.prior_weight)
        needed = self.quality_min * max(each.quality for each in beliefs)
        allowed = [each for each in beliefs if is_enough(each.quality, needed)]
        barred = frozenset(each.model for each in beliefs) - {each.model for each in allowed}
        drawn = self._draw(allowed, known) if len(allowed) > 1 else {}
        judged = {each.model: drawn.get(each.model, each.quality) for each in allowed}
        enough = self.quality_min * max(judged.values())
        best = min(
            (each for each in allowed if is_enough(judged[each.model], enough)),
            key=lambda each: (each.expected.cost, -judged[each.model]),
        )
        return Choice(
            best.expected.candidate,
            self._reason(explores=bool(drawn)),
            {each.model: _numbers(each, needed, drawn) for each in beliefs},
            barred=barred,
        )

    def _reason(self, *, explores: bool) -> str:
        kept = f"the cheapest at quality_min {self.quality_min:g}"
        return (
            f"{kept} by a draw (explore_share {self.explore_share:g})" if explores else f"{kept}, by outcomes"
        )

    def _draw(self, allowed: Sequence[Belief], known: Circumstances) -> dict[str, float]:
        """A draw for each candidate, in the conversations that try; nothing in the others."""
        conversation = known.conversation
        if not conversation or _number(conversation, b"") >= self.explore_share * _STEPS:
            return {}
        seed = conversation + (known.outcomes.version // REDRAW_OUTCOMES).to_bytes(8)
        return {each.model: each.draw(seed) for each in allowed}


def beliefs_of(expected: Sequence[Expected], outcomes: DecisionOutcomes, prior_weight: float) -> list[Belief]:
    """What is believed of each candidate.

    People complain of few bad answers: what is heard makes all models look better, and those most that were
    tried. So by how many times all models together were heard to be better than expected, so many times more
    is expected of each.
    """
    heard = [each.heard for each in outcomes.models.values()]
    good, all_expected = sum(each.good for each in heard), sum(each.expected for each in heard)
    level = (good + prior_weight) / (all_expected + prior_weight)
    return [_believed(each, outcomes, prior_weight, level) for each in expected]


def _believed(expected: Expected, outcomes: DecisionOutcomes, prior_weight: float, level: float) -> Belief:
    own = outcomes.of(expected.model)
    count, good = own.heard.count + own.judged.count, own.heard.good + own.judged.good
    surplus = good - level * (own.heard.expected + own.judged.expected)
    quality = level * expected.quality + surplus / (count + prior_weight)
    return Belief(expected, min(1.0, max(0.0, quality)), count + prior_weight, good, count - good)


def _numbers(belief: Belief, needed: float, drawn: dict[str, float]) -> dict[str, float]:
    told = {
        "quality": belief.quality,
        "cost": belief.expected.cost,
        "needed": needed,
        EXPECTED: belief.expected.quality,
        "good": belief.good,
        "bad": belief.bad,
    }
    return told | ({"drawn": drawn[belief.model]} if belief.model in drawn else {})


def _number(seed: bytes, name: bytes) -> int:
    """A number below _STEPS, each as likely as another."""
    text = len(name).to_bytes(4) + name + seed
    return int.from_bytes(blake2b(text, digest_size=_DIGEST_BYTES, person=_PURPOSE).digest())


class BanditSettings(EnoughSettings):
    """The settings of `bandit`."""

    by: Literal["bandit"]
    #: Share of the conversations that draw.
    explore_share: float = Field(default=0.05, ge=0, le=0.5)
    #: How many outcomes the expected quality is worth.
    prior_weight: float = Field(default=100.0, ge=1, le=1000)
    #: An outcome counts half after so long; 30 days at most.
    half_life_s: float = Field(default=86_400.0, ge=60, le=2_592_000)
    #: Outcomes heard of one client that count within one half-life.
    outcomes_per_client: int = Field(default=5, ge=1, le=1000)

    def learning(self, models: Iterable[str]) -> Learning:
        """See SelectionSettings."""
        return Learning(frozenset(models), self.half_life_s, self.outcomes_per_client)

    def open(self) -> BanditSelection:
        """See SelectionSettings."""
        return BanditSelection(self.signal, self.quality_min, self.explore_share, self.prior_weight)
