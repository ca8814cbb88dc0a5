"""How often the cache is wrong, of one worker and of several as one.

It compares nothing (`cache.evidence`). The rule it keeps: trials of workers are added up first, then the
interval is made of all of them.
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
            "trials": found.latest.trials,
            "wrong": found.latest.wrong,
            "score_min": found.score_min,
            "complaints": {source: found.complaints.get(source, 0) for source in _SOURCES},
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
    sample = Sample(_sum(rows, "trials"), _sum(rows, "wrong"))
    lower, upper = sample.interval
    needed = [each for row in rows if isinstance(each := row["score_min"], int | float)]
    return {
        "trials": sample.trials,
        "wrong": sample.wrong,
        "false_hit_rate": sample.wrong / sample.trials if sample.trials else None,
        "interval": [lower, upper],
        # Each worker learns by itself: the strictest one is told.
        "score_min": max(needed, default=None),
        "closed": max(needed, default=0.0) >= CLOSED,
        "complaints": {source: _sum([_complaints(row) for row in rows], source) for source in _SOURCES},
    }


def _complaints(row: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    complaints = row["complaints"]
    return complaints if isinstance(complaints, dict) else {}


def _sum(rows: Iterable[Mapping[str, JsonValue]], name: str) -> int:
    return sum(each for row in rows if isinstance(each := row[name], int))
