"""What the pipeline tells the world: frozen reports, handed to one listener (`telemetry.hub` fans out).

A report names models, decisions, sizes and ids of a checked form, never other text of a client or a pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.decision import Decision
from router_extproc.pipeline.request_ids import NO_IDS, RequestIds


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """One request was decided."""

    dialect: str
    decision: Decision
    duration_s: float
    #: It has waited for the answer to an equal request, in vain unless the decision is a replay.
    waited: bool = False
    ids: RequestIds = NO_IDS
    #: When the whole body was there, wall clock.
    started_s: float = 0.0
    #: Of the request, as the client sent it; None: it was refused before it was read.
    body_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """One answer of a pool was read to its end, or broke off."""

    dialect: str
    model: str
    decision: str
    status: int
    streamed: bool
    #: Request forwarded until the first piece of content; None when there was none.
    ttft_s: float | None
    #: Request forwarded until the end.
    duration_s: float
    usage: Usage | None
    #: "stored", or a short word that says why not.
    stored: str
    #: Why it is no whole answer, a short word; "": it is one.
    incomplete: str = ""
    ids: RequestIds = NO_IDS
    #: When the request was forwarded, wall clock.
    started_s: float = 0.0


class Listener(Protocol):
    """Hears every report; must not raise and must not block."""

    def decided(self, report: DecisionReport) -> None:
        """A request was decided."""
        ...

    def answered(self, report: AnswerReport) -> None:
        """An answer ended."""
        ...
