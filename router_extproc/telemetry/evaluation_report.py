"""How often another model would have been good enough, as the admin port and a command tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from router_extproc.cache.false_hits.interval import interval
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.evaluation.outcomes import Outcomes, Pair


@dataclass(slots=True)
class EvaluatedPair:
    """What is known of one decision, one model and the one that was asked, too."""

    all: Outcomes = field(default_factory=Outcomes)
    #: By judge.
    judges: dict[str, int] = field(default_factory=dict)

    def add(self, judge: str, outcomes: Outcomes) -> None:
        """Take a sum, too."""
        self.all += outcomes
        if judge:
            self.judges[judge] = self.judges.get(judge, 0) + _judged(outcomes)

    @property
    def saving(self) -> float | None:
        """Share of the cost that the other model would have saved; None: nothing has a price."""
        return 1.0 - self.all.shadow_cost / self.all.given_cost if self.all.given_cost else None

    def row(self, pair: Pair) -> dict[str, JsonValue]:
        """As JSON."""
        found, judged = self.all, _judged(self.all)
        compared, good = found.same + found.different, found.better + found.equal
        judges: dict[str, JsonValue] = {name: count for name, count in self.judges.items() if count}
        return {
            "decision": pair.decision,
            "model": pair.model,
            "shadow_model": pair.shadow_model,
            "evaluated": compared + judged,
            **_share(found.same + good, compared + judged, "good_enough"),
            "compared": compared,
            **_share(found.same, compared, "compared_good_enough"),
            "judged": judged,
            **_share(good, judged, "judged_good_enough"),
            "judges": judges,
            **{name: getattr(found, name) for name in ("better", "equal", "worse", "unreadable")},
            "not_compared": found.left,
            "priced": found.priced,
            "cost": found.given_cost,
            "shadow_cost": found.shadow_cost,
            "judge_cost": found.judge_cost,
            "saving": self.saving,
        }


def evaluation_report(sums: Mapping[Pair, Outcomes]) -> dict[str, JsonValue]:
    """All that is told of shadow evaluations, by decision and models."""
    pairs: dict[tuple[str, str, str], EvaluatedPair] = {}
    for pair, outcomes in sums.items():
        names = (pair.decision, pair.model, pair.shadow_model)
        pairs.setdefault(names, EvaluatedPair()).add(pair.judge, outcomes)
    return {"evaluations": [pair.row(Pair(*names)) for names, pair in sorted(pairs.items())]}


def _judged(outcomes: Outcomes) -> int:
    """Pairs that a judge has replied to; an unreadable verdict is one of them, and none in favour."""
    return outcomes.better + outcomes.equal + outcomes.worse + outcomes.unreadable


def _share(good: int, pairs: int, name: str) -> dict[str, JsonValue]:
    """Of pairs, with the exact interval of 95 % confidence."""
    low, high = interval(good, pairs)
    return {name: good, f"{name}_low": low, f"{name}_high": high}
