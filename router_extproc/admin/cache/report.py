"""The report of what the cache has saved, of one worker and of several as one.

It names entries and never says what is in them; a worker that does not answer is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.caching.savings import EntryWorth, Savings, Worth

#: Entries that a worker tells; what is less valuable in every worker is not added up.
ENTRIES_TOLD_MAX: Final = 1000


def own_report(savings: Savings) -> dict[str, JsonValue]:
    """What this worker's hits saved."""
    entries = islice(savings.most_valuable(), ENTRIES_TOLD_MAX)
    return {"total": asdict(savings.total), "entries": [_shown(each) for each in entries]}


def joined_report(reports: Mapping[int, JsonValue], *, limit: int) -> dict[str, JsonValue]:
    """The reports of several workers as one, with at most `limit` entries; None: no answer."""
    told = {worker: report for worker, report in reports.items() if isinstance(report, dict)}
    entries: dict[str, EntryWorth] = {}
    for each in (_read(row) for report in told.values() for row in _rows(report)):
        before = entries.get(each.fingerprint)
        worth = each.worth if before is None else before.worth + each.worth
        entries[each.fingerprint] = EntryWorth(each.fingerprint, each.model, each.decision, worth)
    ranked = sorted(entries.values(), key=lambda each: each.worth.rank(), reverse=True)
    total = sum((_worth(report["total"]) for report in told.values()), Worth())
    return {
        "total": asdict(total),
        "entries": [_shown(each) for each in ranked[:limit]],
        "silent_workers": [worker for worker in reports if worker not in told],
    }


def _shown(each: EntryWorth) -> JsonValue:
    names = {"fingerprint": each.fingerprint, "model": each.model, "decision": each.decision}
    return {**names, **asdict(each.worth)}


def _rows(report: Mapping[str, JsonValue]) -> Iterable[JsonValue]:
    rows = report["entries"]
    return rows if isinstance(rows, list) else ()


def _read(row: JsonValue) -> EntryWorth:
    members = row if isinstance(row, dict) else {}
    fingerprint, model, decision = (str(members.pop(name)) for name in ("fingerprint", "model", "decision"))
    return EntryWorth(fingerprint, model, decision, _worth(members))


def _worth(members: JsonValue) -> Worth:
    return Worth(**members) if isinstance(members, dict) else Worth()  # type: ignore[arg-type] # our own
