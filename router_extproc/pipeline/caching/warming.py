"""Warming: an operator fills the cache with questions whose answers are known.

An entry is made by the very pipeline and observer that serve clients, so a client who then asks the same
finds it. Nothing is sent to a pool.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from router_extproc.cache.base import Entry, Fingerprint
from router_extproc.cache.results import Kept
from router_extproc.clock import Clock
from router_extproc.dialects.base import Dialect
from router_extproc.pipeline.caching.result import NO_CREDENTIAL_REASON
from router_extproc.pipeline.caching.reuse import BYPASS_REASONS
from router_extproc.pipeline.decision import Forward, LocalAnswer, Reject, Replay
from router_extproc.pipeline.observer import AnswerObserver
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.protocol.headers import Headers

_OK = 200
#: What is stored already must not take the place of the new answer.
_ASK_ANEW = ("cache-control", "no-cache")


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A request as a client would send it, and the answer as a pool would."""

    #: Names in lower case; they give the scope.
    headers: tuple[tuple[str, str], ...]
    request: bytes
    #: A JSON body in the dialect.
    answer: bytes
    #: The decision that is expected; None: any.
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a known answer makes no entry."""

    problem: str


@dataclass(slots=True)
class _Catch:
    """Takes what would be stored and reported. Fits EntrySink and Listener."""

    entry: Entry | None = None
    reports: list[AnswerReport] = field(default_factory=list)

    def store(
        self,
        entry: Entry,
        *,
        started_s: float,  # noqa: ARG002 - the port
        alias: Fingerprint | None = None,  # noqa: ARG002 - the port
    ) -> Kept:
        self.entry = entry
        return "stored"

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""

    def answered(self, report: AnswerReport) -> None:
        self.reports.append(report)


@dataclass(frozen=True, slots=True)
class Warmer:
    """Makes entries of known answers."""

    #: With patience: no stage may be skipped.
    pipeline: RequestPipeline
    dialect: Dialect
    clock: Clock
    max_answer_bytes: int

    async def entry_of(self, known: KnownAnswer) -> Entry | Unfit:
        """The entry that a client's request would have left behind."""
        headers = Headers((*known.headers, _ASK_ANEW))
        decision = await self.pipeline.decide(RawRequest(self.dialect, headers, known.request))
        match decision:
            case Reject(error=error):
                return Unfit(error.message)
            case Replay():
                return Unfit("answered from the cache")
            case LocalAnswer():
                return Unfit(f"answered by the decision {decision.decision!r} itself")
            case Forward():
                return _reason(decision, known) or self._observe(decision, known.answer)

    def _observe(self, forward: Forward, answer: bytes) -> Entry | Unfit:
        catch = _Catch()
        observer = AnswerObserver(
            {self.dialect.name: self.dialect}, catch, catch, self.clock, self.max_answer_bytes
        )
        observation = observer.open(forward.write_token, _OK, {"content-type": "application/json"})
        if observation is None:
            return Unfit("not to be stored")
        observation.feed(answer)
        observation.finish()
        return catch.entry or Unfit(f"not to be stored: {catch.reports[0].stored}")


def _reason(forward: Forward, known: KnownAnswer) -> Unfit | None:
    if any(note.outcome != "ok" for note in forward.explanation.stages):
        return Unfit("the encoder is busy, try again")
    decision = forward.route.decision
    if known.decision is not None and known.decision != decision:
        return Unfit(f"the router decides {decision!r} for this question")
    if forward.explanation.cache_reason == NO_CREDENTIAL_REASON:
        return Unfit("no credential: give the headers of the client whose it is, or share the scope")
    if forward.explanation.cache_reason in BYPASS_REASONS:
        return Unfit(f"not reused: {forward.explanation.cache_reason}")
    return None
