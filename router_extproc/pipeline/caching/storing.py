"""Stores an answer that was observed to its end, when the cache rules allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from router_extproc.cache.admission import NoStore, Received, Store, Storing, may_store
from router_extproc.cache.base import Entry
from router_extproc.cache.results import Kept
from router_extproc.cache.vary import VaryNames, read_vary
from router_extproc.clock import Clock
from router_extproc.llm.answer import Answer, Incomplete
from router_extproc.llm.stored import encode_answer
from router_extproc.pipeline.caching.pages import told_pages
from router_extproc.pipeline.token import StorePlan, WriteToken

#: Why an answer was not stored: Envoy took another cluster than the model's, by another configuration.
OTHER_CLUSTER: Final = "other cluster"
#: Why an answer was not stored: by its `vary` it hangs on a header that its request's keys do not have.
VARY: Final = "vary"


class EntrySink(Protocol):
    """Stores finished entries; returns at once, the backend is written later."""

    def store(self, entry: Entry, *, started_s: float) -> Kept:
        """Store the entry, unless it was purged since `started_s`, when its request was forwarded."""
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
        encoded = b""
        if isinstance(ended.answer, Answer):
            encoded = encode_answer(ended.answer, told_pages(ended.headers))
        match self._judge(token, ended, encoded, plan):
            case NoStore(reason):
                return reason
            case Store(expires_s):
                entry = self._entry(token, plan, encoded, expires_s)
                kept = sink.store(entry, started_s=token.started_s)
        return "purged" if kept == "purged" else "stored"

    def _is_told_by(self, names: tuple[str, ...], headers: Mapping[str, str]) -> bool:
        """The keys of the entry have every header that the answer hangs on; learns what they lack."""
        hangs_on = read_vary(headers.get("vary", ""))
        self.vary.learn(hangs_on)
        return hangs_on.issubset(names)

    def _judge(self, token: WriteToken, ended: AnswerToStore, encoded: bytes, plan: StorePlan) -> Storing:
        facts = ended.answer.facts if isinstance(ended.answer, Answer) else ended.answer
        received = Received(ended.status, ended.headers, facts, len(encoded), token.started_s)
        now_s, limit = self.clock.wall_s(), self.answer_bytes_max
        return may_store(received, plan.rules, now_s=now_s, answer_bytes_max=limit)

    def _entry(self, token: WriteToken, plan: StorePlan, encoded: bytes, expires_s: float) -> Entry:
        return Entry(
            plan.fingerprint,
            plan.partition,
            plan.scope,
            plan.vector,
            plan.prompt,
            encoded,
            token.dialect,
            token.model,
            token.decision,
            self.clock.wall_s(),
            expires_s,
            plan.tags,
        )
