"""A request with all that is known of it when it is decided, and the explanation that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router_extproc.pipeline.caching.question import CacheQuestion
from router_extproc.pipeline.caching.result import CacheResult
from router_extproc.pipeline.decision import Explanation
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.pipeline.signal_stage import SignalReadings
from router_extproc.pipeline.upstream import not_made
from router_extproc.routing.route import LocalReply, Route

#: No signal was read.
UNKNOWN: Final = SignalReadings({}, None, None)


@dataclass(frozen=True, slots=True)
class Considered:
    """A request, and what is known of it before the decision."""

    parsed: ParsedRequest
    #: None: an exact hit made the rest needless.
    route: Route | LocalReply | None
    #: None: the cache is off, or was not asked under a route.
    question: CacheQuestion | None
    result: CacheResult
    readings: SignalReadings = UNKNOWN


def explain(considered: Considered) -> Explanation:
    """Why its decision comes out as it does; holds no text of the client's."""
    readings, result = considered.readings, considered.result
    notes = (readings.note, result.note)
    return Explanation(
        considered.parsed.request.dialect,
        considered.route,
        tuple(readings.readings.values()),
        result.outcome.status,
        result.reason,
        result.candidates,
        tuple(filter(None, notes)),
        took_s=readings.took_s,
        language=result.language,
        ignored=_ignored(considered),
        not_made=_not_made(considered),
    )


def _not_made(considered: Considered) -> tuple[str, ...]:
    changes = considered.route.changes if isinstance(considered.route, Route) else None
    return not_made(considered.parsed.raw.dialect, changes)


def _ignored(considered: Considered) -> int:
    """Parts of the system prompt that the keys leave out."""
    if considered.question is not None:
        return considered.question.key.ignored
    return max((key.ignored for key in considered.parsed.keys.values()), default=0)
