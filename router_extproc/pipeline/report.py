"""What the pipeline tells the world: frozen reports, handed to one listener.

It is not telemetry; `telemetry` implements the listener. The rule it keeps: a report names models,
decisions and sizes, never what a client or a pool wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.decision import Decision


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """One request was decided."""

    dialect: str
    decision: Decision
    duration_s: float
    #: It has waited for the answer to an equal request, in vain unless the decision is a replay.
    waited: bool = False


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


class Listener(Protocol):
    """Hears every report; must not raise and must not block."""

    def decided(self, report: DecisionReport) -> None:
        """A request was decided."""
        ...

    def answered(self, report: AnswerReport) -> None:
        """An answer ended."""
        ...
