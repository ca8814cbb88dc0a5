"""What workers share and keep over a restart: evidence here, the rest beside it."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from router_extproc.app.application import Application
from router_extproc.cache.false_hits.evidence import Compared, Event, Evidence, FeedbackGiven
from router_extproc.cache.false_hits.kept import KeptEvidence
from router_extproc.clock import Clock
from router_extproc.config.model import Config
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.answer_homes import Home
from router_extproc.pipeline.caching.savings import SavingsBatch
from router_extproc.pipeline.costs import CostLedger, CostsBatch
from router_extproc.pipeline.evaluation.outcomes import OutcomeLedger, OutcomesBatch
from router_extproc.pipeline.remembered_sessions import SessionSeen
from router_extproc.process.shared_ledger import SharedLedger
from router_extproc.process.shared_outcomes import SharedOutcomes
from router_extproc.process.shared_seen import SharedSeen
from router_extproc.process.shared_traffic import SharedTraffic
from router_extproc.process.sharing import EVENTS_MAX, SharedValue

_COMPARED: Final = TypeAdapter(Compared)
_FEEDBACK: Final = TypeAdapter(FeedbackGiven)
_KEPT_EVIDENCE: Final = TypeAdapter(KeptEvidence)
_SAVINGS: Final = TypeAdapter(SavingsBatch)
_COSTS: Final = TypeAdapter(CostsBatch)
_EVALUATIONS: Final = TypeAdapter(OutcomesBatch)
_HOMES: Final = TypeAdapter(list[Home])
_SESSIONS: Final = TypeAdapter(list[SessionSeen])


def shared_values(
    application: Application,
    config: Config,
    clock: Clock,
    costs: CostLedger,
    evaluations: OutcomeLedger,
    *,
    worker: int,
) -> tuple[SharedValue, ...]:
    """Everything that workers share; worker 0 keeps it."""
    alone, live = config.workers == 1, application.traffic.live
    encoder = "none" if application.encoder is None else application.encoder.identity
    basis = f"{encoder} {config.semantic_cache.verifier}"
    keeper = worker == 0
    return (
        SharedEvidence(application.evidence, basis=basis, alone=alone),
        SharedLedger("savings", application.savings, _SAVINGS, keeper=keeper),
        SharedLedger("costs", costs, _COSTS, keeper=keeper),
        SharedLedger("evaluations", evaluations, _EVALUATIONS, keeper=keeper),
        SharedTraffic(live, clock, worker=worker, alone=alone),
        SharedOutcomes(application.learned.outcomes, alone=alone),
        SharedSeen("answer_homes", application.learned.homes, _HOMES),
        SharedSeen("sessions", application.learned.sessions, _SESSIONS),
    )


class SharedEvidence:
    """Evidence of all workers; fits process.sharing.SharedValue."""

    name = "evidence"
    everywhere = True

    def __init__(self, evidence: Evidence, *, basis: str, alone: bool) -> None:
        """`basis`: the models that scores come from; what others scored says nothing here.

        alone: there is no other worker, so every event is applied as it is recorded.
        """
        self._evidence: Final = evidence
        self._basis: Final = basis
        self._recorded: list[Event] = []
        if not alone:
            evidence.share(self._record)

    def _record(self, event: Event) -> None:
        self._recorded.append(event)
        del self._recorded[:-EVENTS_MAX]

    def collect(self) -> list[JsonValue]:
        """See SharedValue."""
        recorded, self._recorded = self._recorded, []
        return [_written(event) for event in recorded]

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        match event:
            case {"compared": value}:
                self._evidence.apply(_COMPARED.validate_python(value))
            case {"feedback": value}:
                self._evidence.apply(_FEEDBACK.validate_python(value))
            case _:
                raise ValueError("no event of evidence")

    def kept(self) -> dict[str, object]:
        """See SharedValue; read again as KeptEvidence."""
        decisions, scopes = self._evidence.kept_decisions(), self._evidence.kept_scopes()
        return {"basis": self._basis, "evidence": {"decisions": decisions, "scopes": scopes}}

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue."""
        match kept:
            case {"basis": self._basis, "evidence": evidence}:
                self._evidence.take_back(_KEPT_EVIDENCE.validate_python(evidence))
            case {"basis": str()}:
                pass
            case _:
                raise ValueError("no evidence")


def _written(event: Event) -> JsonValue:
    match event:
        case Compared():
            return {"compared": _COMPARED.dump_python(event, mode="json")}
        case FeedbackGiven():
            return {"feedback": _FEEDBACK.dump_python(event, mode="json")}
