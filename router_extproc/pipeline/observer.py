"""The answer observer: reads what a pool answered and stores it when the cache rules allow.

Nothing here can delay or change an answer. An answer is complete with its terminal event, or, where it is one
object, with the end of its body: a client may close the connection after `[DONE]`. Without a write token
nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from router_extproc.cache.base import Fingerprint
from router_extproc.cache.vary import VaryNames
from router_extproc.clock import Clock
from router_extproc.dialects.base import Dialect
from router_extproc.dialects.routed.base import RoutedApi
from router_extproc.llm.answer import Answer, Incomplete, Usage
from router_extproc.pipeline.answer_coding import decoding
from router_extproc.pipeline.answer_homes import AnswerHomes
from router_extproc.pipeline.baseline import Baseline, Compared, ThinkingLengths
from router_extproc.pipeline.caching.coalescing import Coalescer
from router_extproc.pipeline.caching.hit_timing import HitTiming
from router_extproc.pipeline.caching.pages import PagesHeard, told_pages
from router_extproc.pipeline.caching.shadow import ShadowComparisons
from router_extproc.pipeline.caching.storing import AnswerStoring, AnswerToStore, EntrySink
from router_extproc.pipeline.evaluation.evaluations import AnswerGiven, Evaluations
from router_extproc.pipeline.live_answers import seen_in
from router_extproc.pipeline.remembered_sessions import RememberedSessions
from router_extproc.pipeline.report import AnswerReport, Listener
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.events import UNTOLD, Origin
from router_extproc.redaction.tally import AnswerTally
from router_extproc.routing.traffic import Traffic

#: A pool takes no longer until its answer's headers; a longer time comes from a clock that jumped.
WAITED_MAX_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class AnswerObserver:
    """Opens one observation for each answer that has a write token."""

    #: By the name in a write token.
    apis: Mapping[str, Dialect | RoutedApi]
    #: None: the cache is off; answers are only measured.
    sink: EntrySink | None
    listener: Listener
    clock: Clock
    max_answer_bytes: int
    #: None: nothing is compared.
    shadow: ShadowComparisons | None = None
    #: None: no hit is delayed.
    hit_timing: HitTiming | None = None
    #: None: it is not known where models are served.
    traffic: Traffic | None = None
    #: None: equal requests do not wait for each other.
    coalescer: Coalescer | None = None
    #: None: no answer is ever replayed.
    pages: PagesHeard | None = None
    #: What pools have said that their answers hang on; the same as the request parser's.
    vary: VaryNames = field(default_factory=VaryNames)
    #: Who has given which answer; the same as the request parser's.
    homes: AnswerHomes = field(default_factory=AnswerHomes)
    #: None: costs are not compared.
    baseline: Baseline | None = None
    #: How long models think.
    thinking: ThinkingLengths = field(default_factory=ThinkingLengths)
    #: None: no other model is asked, too.
    evaluations: Evaluations | None = None
    #: On which model each session is; the same as the request pipeline's. None: none is followed.
    sessions: RememberedSessions | None = None

    def open(
        self, token: WriteToken | str, status: int, headers: Mapping[str, str], origin: Origin = UNTOLD
    ) -> Observation | None:
        """An observation of the answer, or None when the token is not ours to read.

        token: encoded, unless this process forwarded the request on the same stream.
        headers: names in lower case; repeated values joined by commas.
        """
        read = _read_token(token) if isinstance(token, str) else token
        if self.traffic is not None and origin.cluster:
            origin = replace(origin, cluster=self._pool_of(read, origin.cluster))
            self.traffic.heard(origin.cluster, origin.details)
        api = None if read is None else self.apis.get(read.dialect)
        if read is None or api is None:
            return None
        return Observation(self, read, status, headers, api, foreign=self._is_foreign(read, origin))

    def _pool_of(self, token: WriteToken | None, cluster: str) -> str:
        """The pool that was asked: of a cluster of several, the one of the token's model."""
        if self.traffic is None or token is None or token.failover is None:
            return cluster
        return self.traffic.cluster_of(token.model) or cluster if cluster == token.failover.chain else cluster

    def _is_foreign(self, token: WriteToken, origin: Origin) -> bool:
        """Another cluster answered than the one where the token's model is served."""
        if self.traffic is None or not origin.cluster:
            return False
        return self.traffic.cluster_of(token.model) != origin.cluster


def _read_token(text: str) -> WriteToken | None:
    try:
        return WriteToken.decode(text)
    except ValueError:
        return None


class Observation:
    """One answer on its way to the client."""

    def __init__(
        self,
        observer: AnswerObserver,
        token: WriteToken,
        status: int,
        headers: Mapping[str, str],
        api: Dialect | RoutedApi,
        *,
        foreign: bool = False,
    ) -> None:
        #: Another pool answered than that of the model that was chosen: nothing may be learnt from it.
        self.foreign: Final = foreign
        self._observer = observer
        self._token = token
        self._status = status
        self._headers = headers
        self._api = api
        content_type = headers.get("content-type", "")
        reader = api.read_answer(content_type, max_answer_bytes=observer.max_answer_bytes)
        self._reader = decoding(reader, headers.get("content-encoding", ""))
        self._ttft_s: float | None = None
        clock = observer.clock
        #: By the wall clock, for another process may have forwarded the request; read once, since it may
        #: jump meanwhile.
        self._waited_s = min(max(0.0, clock.wall_s() - token.started_s), WAITED_MAX_S)
        self._began_s = clock.monotonic_s()
        self._reported = False
        #: What was put back and masked in it on another way; None: it passes as it is.
        self.tally: AnswerTally | None = None

    @property
    def model(self) -> str:
        """The key in `models` of who answers, as the token says."""
        return self._token.model

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the answer; with the terminal event it is finished."""
        if self._reported:
            return
        progress = self._reader.feed(chunk)
        if progress.started and self._ttft_s is None:
            self._ttft_s = self._elapsed_s()
        if progress.ended:
            self.finish()

    def finish(self) -> None:
        """At the end of the answer: store it if the rules allow, and report it."""
        if self._reported:
            return
        answer = self._reader.finish()
        self._compare(answer)
        self._note_pages()
        if not self.foreign:
            self._observer.homes.note(answer, self._token.model)
        self._time(answer)
        self._report(answer, self._store(answer))
        self._end_waits()

    def break_off(self) -> None:
        """The stream closed before the answer's end (client gone, pool gone): report, never store."""
        if self._reported:
            return
        self._report(Incomplete("aborted"), "aborted")
        self._end_waits()

    def _end_waits(self) -> None:
        """Whoever waits for this answer looks into the cache now."""
        coalescer, plan, failover = self._observer.coalescer, self._token.plan, self._token.failover
        if coalescer is None:
            return
        if failover is not None and failover.waited:
            coalescer.finish(Fingerprint(failover.waited))
        elif plan is not None:
            coalescer.finish(plan.fingerprint)

    def _time(self, answer: Answer | Incomplete) -> None:
        hit_timing = self._observer.hit_timing
        if self.foreign:
            return
        if hit_timing is not None and isinstance(answer, Answer):
            hit_timing.note(self._token.model, self._elapsed_s(), streamed=self._is_streamed)

    @property
    def _is_streamed(self) -> bool:
        return "event-stream" in self._headers.get("content-type", "")

    def _compare(self, answer: Answer | Incomplete) -> None:
        if self.foreign or isinstance(answer, Incomplete) or isinstance(self._api, RoutedApi):
            return
        if not 200 <= self._status <= 299:  # noqa: PLR2004 - the class of successful answers
            return
        token, shadow, evaluations = self._token, self._observer.shadow, self._observer.evaluations
        if shadow is not None and token.shadow is not None:
            shadow.compare(token.shadow, token.decision, self._api, answer.facts)
        if evaluations is not None and token.evaluation is not None:
            given = AnswerGiven(token.decision, token.model, self._api, answer.facts)
            evaluations.offer(given, token.evaluation)

    def _note_pages(self) -> None:
        if self._observer.pages is not None and not self.foreign:
            self._observer.pages.note(self._token.model, told_pages(self._headers))

    def _store(self, answer: Answer | Incomplete) -> str:
        observer = self._observer
        storing = AnswerStoring(observer.sink, observer.vary, observer.clock, observer.max_answer_bytes)
        pieces = None if isinstance(self._api, RoutedApi) else self._api.pieces
        ended = AnswerToStore(self._status, self._headers, answer, self.foreign, pieces)
        return storing.store(self._token, ended)

    def _report(self, answer: Answer | Incomplete, stored: str) -> None:
        self._reported = True
        token, facts = self._token, answer.facts if isinstance(answer, Answer) else answer
        report = AnswerReport(
            token.dialect,
            token.exchange,
            token.model,
            token.decision,
            self._status,
            streamed=self._is_streamed,
            started_s=token.started_s,
            ttft_s=self._ttft_s,
            duration_s=self._elapsed_s(),
            usage=facts.usage,
            stored=stored,
            incomplete=answer.reason if isinstance(answer, Incomplete) else "",
            tally=self.tally,
            finish_reason=facts.finish_reason,
            failover_of="" if token.failover is None else token.failover.first,
            compared=self._compared(facts.usage),
            foreign=self.foreign,
            tenant=token.tenant,
            session=token.session,
        )
        self._learn(report)
        self._observer.listener.answered(report)

    def _compared(self, usage: Usage | None) -> Compared | None:
        baseline = self._observer.baseline
        if baseline is None or self.foreign:
            return None
        lengths = self._observer.thinking
        return baseline.of_answer(self._token.model, self._token.decision, usage, lengths)

    def _learn(self, report: AnswerReport) -> None:
        """Tell live traffic how the pool did."""
        if self._observer.traffic is None:
            return
        live = self._observer.traffic.live
        live.ended(report.failover_of or report.model, report.started_s)
        if self.foreign:
            return
        live.answered(seen_in(report, self._headers, now_s=self._observer.clock.wall_s()))
        sessions, session = self._observer.sessions, self._token.session
        if sessions is not None and session and report.usage is not None:
            sessions.answered(session, report.model, report.usage, report.started_s)

    def _elapsed_s(self) -> float:
        return self._waited_s + self._observer.clock.monotonic_s() - self._began_s
