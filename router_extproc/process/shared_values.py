"""What workers share and keep over a restart: evidence and savings here, the rest beside it."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from router_extproc.app.application import Application
from router_extproc.cache.false_hits.evidence import Compared, Event, Evidence, FeedbackGiven
from router_extproc.cache.false_hits.kept import KeptEvidence
from router_extproc.clock import Clock
from router_extproc.config.model import Config
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.caching.savings import Savings, SavingsBatch
from router_extproc.pipeline.costs import CostLedger
from router_extproc.pipeline.evaluation.outcomes import OutcomeLedger
from router_extproc.process.shared_costs import SharedCosts
from router_extproc.process.shared_evaluations import SharedEvaluations
from router_extproc.process.shared_homes import SharedHomes
from router_extproc.process.shared_outcomes import SharedOutcomes
from router_extproc.process.shared_sessions import SharedSessions
from router_extproc.process.shared_traffic import SharedTraffic
from router_extproc.process.sharing import EVENTS_MAX, SharedValue

_COMPARED: Final = TypeAdapter(Compared)
_FEEDBACK: Final = TypeAdapter(FeedbackGiven)
_KEPT_EVIDENCE: Final = TypeAdapter(KeptEvidence)
_BATCH: Final = TypeAdapter(SavingsBatch)


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
    return (
        SharedEvidence(application.evidence, basis=basis, alone=alone),
        SharedSavings(application.savings, keeper=worker == 0),
        SharedCosts(costs, keeper=worker == 0),
        SharedEvaluations(evaluations, keeper=worker == 0),
        SharedTraffic(live, clock, worker=worker, alone=alone),
        SharedOutcomes(application.learned.outcomes, alone=alone),
        SharedHomes(application.learned.homes),
        SharedSessions(application.learned.sessions),
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

    def kept(self) -> JsonValue:
        """See SharedValue."""
        kept: JsonValue = _KEPT_EVIDENCE.dump_python(self._evidence.kept(), mode="json")
        return {"basis": self._basis, "evidence": kept}

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


class SharedSavings:
    """Savings of all workers, added up by the keeper; fits process.sharing.SharedValue."""

    name = "savings"
    everywhere = False

    def __init__(self, savings: Savings, *, keeper: bool) -> None:
        self._savings: Final = savings
        self._keeper: Final = keeper

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what the keeper itself has saved is where it belongs."""
        if self._keeper or not self._savings.total.hits:
            return []
        return [_BATCH.dump_python(self._savings.move_out(), mode="json")]

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        self._savings.add_batch(_BATCH.validate_python(event))

    def kept(self) -> JsonValue:
        """See SharedValue."""
        kept: JsonValue = _BATCH.dump_python(self._savings.batch(), mode="json")
        return kept

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue."""
        self._savings.move_out()
        self.apply(kept)
