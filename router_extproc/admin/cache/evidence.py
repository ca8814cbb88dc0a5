"""How often the cache is wrong: what all workers know together, as each of them tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.cache.false_hits.evidence import Evidence, Finding
from router_extproc.cache.false_hits.threshold import CLOSED
from router_extproc.llm.answer import JsonValue

_SOURCES: Final = ("client", "operator")


def own_evidence(evidence: Evidence) -> dict[str, JsonValue]:
    """What this worker knows, by decision."""
    return {decision: _shown(found) for decision, found in evidence.findings().items()}


def joined_evidence(reports: Mapping[int, JsonValue]) -> dict[str, JsonValue]:
    """What all workers know, of each decision as the one that has heard of the most; None: no answer.

    Every worker applies the events of all, so their reports differ only by what is under way.
    """
    known: dict[str, Mapping[str, JsonValue]] = {}
    for report in reports.values():
        decisions = report["decisions"] if isinstance(report, dict) else None
        for name, told in decisions.items() if isinstance(decisions, dict) else ():
            if isinstance(told, dict) and (name not in known or _heard(told) > _heard(known[name])):
                known[name] = told
    silent: list[JsonValue] = [worker for worker, report in reports.items() if not isinstance(report, dict)]
    return {"decisions": {name: {**told} for name, told in known.items()}, "silent_workers": silent}


def _heard(told: Mapping[str, JsonValue]) -> int:
    feedback, compared = told.get("feedback"), told.get("comparisons")
    given = (
        sum(each for each in feedback.values() if isinstance(each, int)) if isinstance(feedback, dict) else 0
    )
    return given + (compared if isinstance(compared, int) else 0)


def _shown(found: Finding) -> dict[str, JsonValue]:
    sample, (lower, upper) = found.latest, found.latest.interval
    feedback: dict[str, JsonValue] = {source: found.feedback_ever.get(source, 0) for source in _SOURCES}
    return {
        "comparisons": sample.compared,
        # As it was called in the release before; it goes with the next.
        "trials": sample.compared,
        "wrong": sample.wrong,
        "false_hit_rate": sample.wrong / sample.compared if sample.compared else None,
        "interval": [lower, upper],
        "score_min": found.score_min,
        "closed": found.score_min is not None and found.score_min >= CLOSED,
        "feedback": feedback,
        "complaints": feedback,
    }
