"""How often the cache is wrong, of one worker and of several as one.

The comparisons of all workers are added up first; the interval is of their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from router_extproc.cache.false_hits.evidence import Evidence, Sample
from router_extproc.cache.false_hits.threshold import CLOSED
from router_extproc.llm.answer import JsonValue

_SOURCES: Final = ("client", "operator")


def own_evidence(evidence: Evidence) -> dict[str, JsonValue]:
    """What this worker knows, by decision."""
    return {
        decision: {
            "comparisons": found.latest.compared,
            "wrong": found.latest.wrong,
            "score_min": found.score_min,
            "feedback": {source: found.feedback.get(source, 0) for source in _SOURCES},
        }
        for decision, found in evidence.findings().items()
    }


def joined_evidence(reports: Mapping[int, JsonValue]) -> dict[str, JsonValue]:
    """What all workers know together; None: no answer."""
    told = [report["decisions"] for report in reports.values() if isinstance(report, dict)]
    found: dict[str, list[Mapping[str, JsonValue]]] = {}
    for decisions in told:
        for name, known in decisions.items() if isinstance(decisions, dict) else ():
            if isinstance(known, dict):
                found.setdefault(name, []).append(known)
    silent: list[JsonValue] = [worker for worker, report in reports.items() if not isinstance(report, dict)]
    return {
        "decisions": {name: _joined(known) for name, known in found.items()},
        "silent_workers": silent,
    }


def _joined(known: Iterable[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    rows = list(known)
    feedback: dict[str, JsonValue] = {
        source: _sum([_feedback(row) for row in rows], source) for source in _SOURCES
    }
    sample = Sample(_sum(rows, "comparisons"), _sum(rows, "wrong"))
    lower, upper = sample.interval
    needed = [each for row in rows if isinstance(each := row["score_min"], int | float)]
    return {
        "comparisons": sample.compared,
        # As it was called in the release before; it goes with the next.
        "trials": sample.compared,
        "wrong": sample.wrong,
        "false_hit_rate": sample.wrong / sample.compared if sample.compared else None,
        "interval": [lower, upper],
        # Each worker learns by itself: the strictest one is told.
        "score_min": max(needed, default=None),
        "closed": max(needed, default=0.0) >= CLOSED,
        "feedback": feedback,
        "complaints": feedback,
    }


def _feedback(row: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    feedback = row["feedback"]
    return feedback if isinstance(feedback, dict) else {}


def _sum(rows: Iterable[Mapping[str, JsonValue]], name: str) -> int:
    return sum(each for row in rows if isinstance(each := row[name], int))
