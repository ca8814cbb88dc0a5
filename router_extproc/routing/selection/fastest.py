"""`fastest`: the candidate whose answer to a request of this length is there first, by live traffic.

The speeds that are compared change at most every half minute (`routing.traffic.live`), so the preferred
candidate does, too. A request passes it by where it has so much more in flight than when it was measured that
another one is expected to be there in half the time; and a candidate that was not measured for a while gets
one request. As long as nothing was measured, the order of the configuration decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, SelectionSettings
from router_extproc.routing.traffic.snapshot import ModelTraffic

#: Of an answer of which nothing is known.
ANSWER_TOKENS: Final = 256.0
#: The preferred candidate is passed by where another one takes less than that share of its time.
PASSED_BY: Final = 0.5
#: What a pool has in flight beside: so few more requests say little, also where it had none.
FEW_IN_FLIGHT: Final = 8.0
#: Answers that measure the preferred candidate for one request that measures another one.
ANSWERS_MIN: Final = 10.0

COLD: Final = "nothing was measured yet: the first in the configuration"
MEASURE: Final = "it was not measured for a while"
FASTEST: Final = "the fastest for a request of this length"
LESS_LOADED: Final = "the fastest has much more in flight than when it was measured"


@dataclass(frozen=True, slots=True)
class FastestSelection:
    """Looks at live traffic and the length of the request. Fits Selection."""

    signals: frozenset[str] = frozenset()
    counts_tokens: bool = True
    by_need: bool = False

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        """See Selection."""
        seen = [(each, known.traffic.of(each.target.model)) for each in candidates]
        answer = [traffic.tokens for _, traffic in seen if traffic.tokens is not None]
        tokens = fmean(answer) if answer else ANSWER_TOKENS
        times = [_Time.of(each, traffic, known.tokens, tokens) for each, traffic in seen]
        measured = [time for time in times if time is not None]
        if not measured:
            return Choice(candidates[0], COLD)
        preferred = min(measured, key=lambda time: time.seconds)
        numbers = {time.candidate.target.model: time.numbers for time in measured}
        if preferred.traffic.answers >= ANSWERS_MIN:
            unmeasured = next((each for each, traffic in seen if traffic.unmeasured), None)
            if unmeasured is not None:
                return Choice(unmeasured, MEASURE, numbers)
        sooner = min(measured, key=lambda time: time.loaded_s)
        if sooner.loaded_s < PASSED_BY * preferred.loaded_s:
            return Choice(sooner.candidate, LESS_LOADED, numbers)
        return Choice(preferred.candidate, FASTEST, numbers)


@dataclass(frozen=True, slots=True)
class _Time:
    """How long one candidate is expected to take."""

    candidate: Candidate
    traffic: ModelTraffic
    #: With as much in flight as when it was measured.
    seconds: float
    #: With what it has in flight now.
    loaded_s: float

    @classmethod
    def of(
        cls, candidate: Candidate, traffic: ModelTraffic, prompt_tokens: int, answer_tokens: float
    ) -> _Time | None:
        """None: it was not measured."""
        if traffic.speed is None:
            return None
        seconds = traffic.speed.whole_s(prompt_tokens, answer_tokens)
        more = max(1.0, (FEW_IN_FLIGHT + traffic.load) / (FEW_IN_FLIGHT + traffic.usual_load))
        return cls(candidate, traffic, seconds, seconds * more)

    @property
    def numbers(self) -> dict[str, float]:
        return {"seconds": round(self.seconds, 4), "load": float(self.traffic.load)}


class FastestSettings(SelectionSettings):
    """The settings of `fastest`."""

    by: Literal["fastest"]

    def open(self) -> FastestSelection:
        """See SelectionSettings."""
        return FastestSelection()
