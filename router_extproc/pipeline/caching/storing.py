"""Stores an answer that was observed to its end, when the cache rules allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from router_extproc.cache.admission import NoStore, Received, Storing, may_store
from router_extproc.cache.base import Entry, Fingerprint
from router_extproc.cache.results import Kept
from router_extproc.cache.vary import VaryNames, read_vary
from router_extproc.clock import Clock
from router_extproc.dialects.base import PieceAnswers
from router_extproc.llm.answer import Answer, Incomplete
from router_extproc.pipeline.caching.pages import told_pages
from router_extproc.pipeline.caching.parts import Part, Parts, parts_of
from router_extproc.pipeline.token import StorePlan, WriteToken

#: Why an answer was not stored: Envoy took another cluster than the model's, by another configuration.
OTHER_CLUSTER: Final = "other cluster"
#: Why an answer was not stored: by its `vary` it hangs on a header that its request's keys do not have.
VARY: Final = "vary"


class EntrySink(Protocol):
    """Stores finished entries; returns at once, the backend is written later."""

    def store(self, entry: Entry, *, started_s: float, alias: Fingerprint | None = None) -> Kept:
        """Store the entry, unless it was purged since `started_s`, when its request was forwarded.

        alias: of its request, where its own fingerprint is another.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnswerToStore:
    """An answer that is over."""

    status: int
    #: Names in lower case; repeated values joined by commas.
    headers: Mapping[str, str]
    answer: Answer | Incomplete
    #: Another pool gave it than that of the model that was chosen.
    foreign: bool
    #: Of its dialect.
    pieces: PieceAnswers | None = None


@dataclass(frozen=True, slots=True)
class AnswerStoring:
    """Stores answers with the write tokens of their requests."""

    #: None: the cache is off.
    sink: EntrySink | None
    vary: VaryNames
    clock: Clock
    answer_bytes_max: int

    def store(self, token: WriteToken, ended: AnswerToStore) -> str:
        """Store the answer if the rules allow; what became of it, in the words of the metric's outcomes."""
        plan, sink = token.plan, self.sink
        if plan is None or sink is None:
            return "not-asked"
        if ended.foreign:
            return OTHER_CLUSTER
        if not self._is_told_by(plan.vary, ended.headers):
            return VARY
        parts = parts_of(plan, ended.answer, told_pages(ended.headers), ended.pieces)
        judged = self._judge(token, ended, parts, plan)
        if isinstance(judged, NoStore):
            return judged.reason
        entries = [self._entry(token, plan, part, judged.expires_s) for part in parts.each]
        return self._keep(sink, token, plan, entries)

    def _keep(self, sink: EntrySink, token: WriteToken, plan: StorePlan, entries: Sequence[Entry]) -> str:
        kept: set[Kept] = set()
        for entry in entries:
            # What a request of one piece says was decided as that piece alone.
            is_alias = len(entries) == 1 and entry.fingerprint != plan.fingerprint
            alias = plan.fingerprint if is_alias else None
            kept.add(sink.store(entry, started_s=token.started_s, alias=alias))
        return "purged" if "purged" in kept else "stored"

    def _is_told_by(self, names: tuple[str, ...], headers: Mapping[str, str]) -> bool:
        """The keys of the entry have every header that the answer hangs on; learns what they lack."""
        hangs_on = read_vary(headers.get("vary", ""))
        self.vary.learn(hangs_on)
        return hangs_on.issubset(names)

    def _judge(self, token: WriteToken, ended: AnswerToStore, parts: Parts, plan: StorePlan) -> Storing:
        size = sum(len(part.encoded) for part in parts.each)
        received = Received(ended.status, ended.headers, parts.facts, size, token.started_s)
        now_s, limit = self.clock.wall_s(), self.answer_bytes_max
        return may_store(received, plan.rules, now_s=now_s, answer_bytes_max=limit)

    def _entry(self, token: WriteToken, plan: StorePlan, part: Part, expires_s: float) -> Entry:
        return Entry(
            part.fingerprint,
            part.partition,
            plan.scope,
            plan.vector,
            plan.prompt,
            part.encoded,
            token.dialect,
            token.model,
            token.decision,
            self.clock.wall_s(),
            expires_s,
            plan.tags,
        )
