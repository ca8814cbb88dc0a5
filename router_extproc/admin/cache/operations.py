"""What operators may do with the cache of this worker, and of those it speaks for.

A purge reaches every worker, and one that it did not reach is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

import orjson

from router_extproc.admin.cache.evidence import joined_evidence, own_evidence
from router_extproc.admin.cache.known_answers import read_known_answer
from router_extproc.admin.cache.members import Unreadable
from router_extproc.admin.cache.report import joined_report, own_report
from router_extproc.admin.cache.requests import Listing, Purge, read_feedback, read_lines, read_purge
from router_extproc.admin.peers import Peers
from router_extproc.cache.base import Entry, Scope, Selector
from router_extproc.cache.decision_policy import CachePolicies
from router_extproc.cache.export_format import from_record
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.false_hits.threshold import ShadowResult
from router_extproc.cache.listing import Page, count, newest, restore
from router_extproc.cache.scope import scope_of
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.clock import Clock
from router_extproc.dialects import DIALECTS
from router_extproc.errors import CacheError
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.caching.warming import Unfit, Warmer
from router_extproc.telemetry.logging import get_logger


@dataclass(frozen=True, slots=True)
class Setting:
    """Facts of the configuration and of this worker's place in it."""

    worker: int
    policies: CachePolicies
    #: Length of the encoder's vectors.
    dim: int
    #: What a client asks for, where a row to warm from does not say.
    model: str
    #: All workers have one backend.
    shared: bool


@dataclass(frozen=True, slots=True)
class CacheParts:
    """What operators look into and change."""

    cache: SemanticCache
    warmer: Warmer
    savings: Savings
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge did, worker by worker."""

    dry_run: bool
    purged: int
    workers: Mapping[str, int]
    #: By worker: why it still has what was to be purged.
    problems: Mapping[str, str]


@dataclass(slots=True)
class TakeReport:
    """What became of the lines of an import or a warming."""

    stored: int = 0
    expired: int = 0
    purged: int = 0
    refused: list[dict[str, JsonValue]] = field(default_factory=list)

    def refuse(self, line: int, problem: str) -> None:
        """Note a line that is no entry."""
        self.refused.append({"line": line, "problem": problem})


class CacheOperations:
    """Carries out what operators ask."""

    def __init__(self, parts: CacheParts, clock: Clock, setting: Setting, peers: Peers) -> None:
        self._cache: Final = parts.cache
        self._warmer = parts.warmer
        self._savings: Final = parts.savings
        self._evidence: Final = parts.evidence
        self._clock: Final = clock
        self._setting = setting
        self._peers: Final = peers

    def follow(self, warmer: Warmer, policies: CachePolicies, model: str) -> None:
        """Work by another policy from now on; see CacheParts and Setting."""
        self._warmer = warmer
        self._setting = replace(self._setting, policies=policies, model=model)

    def now_s(self) -> float:
        """The wall clock that entries are dated by."""
        return self._clock.wall_s()

    async def states(self) -> dict[str, JsonValue]:
        """The state of each worker's cache; None: it does not answer."""
        state = asdict(await self._cache.state())
        states: dict[str, JsonValue] = {str(self._setting.worker): state}
        for worker, answer in (await self._peers.cache_states()).items():
            states[str(worker)] = _of_worker(answer, worker)
        return states

    async def report(self, *, limit: int) -> dict[str, JsonValue]:
        """What hits saved since the workers started, and the most valuable entries."""
        reports = {self._setting.worker: own_report(self._savings), **await self._peers.cache_reports()}
        return joined_report(reports, limit=limit)

    async def evidence(self) -> dict[str, JsonValue]:
        """How often the cache is wrong, by decision."""
        own: JsonValue = {"decisions": own_evidence(self._evidence)}
        return joined_evidence({self._setting.worker: own, **await self._peers.cache_evidence()})

    async def take_feedback(self, body: bytes) -> PurgeReport:
        """Purge the entry whose answer an operator calls wrong, in every worker, and count it as evidence.

        Raises:
            Unreadable: it names no entry, or several.
            CacheError: the backend stopped answering.
        """
        selector = read_feedback(body, now_s=self.now_s())
        page = await self.page(Listing(selector, 1, None))
        if page.total != 1:
            raise Unreadable(f"entry: {page.total} entries begin so")
        entry = page.entries[0]
        # How sure the verifier was is not known any more: it counts against every threshold.
        self._evidence.record_feedback(
            entry.decision, ShadowResult(1.0, wrong=True), source="operator", scope=entry.scope
        )
        return await self.purge(orjson.dumps({"entry": entry.fingerprint}))

    async def page(self, listing: Listing) -> Page:
        """A page of entries.

        Raises:
            CacheError: the backend stopped answering.
        """
        return await newest(self._cache, listing.selector, limit=listing.limit, after=listing.after)

    def entries(self, selector: Selector) -> AsyncIterator[Entry]:
        """Every entry that is meant; raises CacheError when the backend stops answering."""
        return self._cache.entries(selector)

    def scope(self, headers: Sequence[tuple[str, str]], decision: str | None) -> Scope:
        """The scope of a client who sends these headers, in what a decision stored.

        Raises:
            Unreadable: nothing in them says who the client is.
        """
        pairs = [(name, value.encode("utf-8", "surrogateescape")) for name, value in headers]
        scope = scope_of(self._setting.policies.scope_of(decision), pairs)
        if scope is None:
            raise Unreadable("headers: none of them is in the scope, so nothing is stored for such a client")
        return scope

    async def purge(self, body: bytes) -> PurgeReport:
        """Purge, or count, in every worker and in the backend.

        Raises:
            Unreadable: nothing was purged.
        """
        wanted = read_purge(body, now_s=self.now_s())
        own, others = await asyncio.gather(self._purge_here(wanted), self._peers.purge(body))
        answers: dict[int, JsonValue] = {self._setting.worker: own, **others}
        counts = {str(worker): _purged_by(answer, worker) for worker, answer in answers.items()}
        workers = {worker: each for worker, each in counts.items() if isinstance(each, int)}
        total = (max if self._setting.shared else sum)([0, *workers.values()])
        problems = {worker: each for worker, each in counts.items() if isinstance(each, str)}
        return PurgeReport(wanted.dry_run, total, workers, problems)

    async def take_back(self, body: bytes, *, renew: bool) -> TakeReport:
        """Store exported entries again.

        Raises:
            Unreadable: too many lines.
            CacheError: the backend does not answer.
        """
        report, entries = TakeReport(), []
        for line, row in read_lines(body):
            try:
                entries.append(from_record(_readable(row), DIALECTS, dim=self._setting.dim))
            except ValueError as error:
                report.refuse(line, str(error))
        done = await restore(self._cache, entries, now_s=self.now_s(), renew=renew)
        report.stored, report.expired, report.purged = done.stored, done.expired, done.purged
        return report

    async def warm(self, body: bytes) -> TakeReport:
        """Store known answers as if clients had asked.

        Raises:
            Unreadable: too many lines.
            CacheError: the backend does not answer.
        """
        report, entries = TakeReport(), []
        for line, row in read_lines(body):
            made = await self._made(row)
            if isinstance(made, Unfit):
                report.refuse(line, made.problem)
            else:
                entries.append(made)
        report.stored = await self._cache.keep(entries)
        return report

    async def _made(self, row: JsonValue | Unreadable) -> Entry | Unfit:
        try:
            dialect = self._warmer.dialect
            known = read_known_answer(_readable(row), dialect, model=self._setting.model, now_s=self.now_s())
        except Unreadable as error:
            return Unfit(str(error))
        return await self._warmer.entry_of(known)

    async def _purge_here(self, wanted: Purge) -> JsonValue:
        worker = str(self._setting.worker)
        work = count if wanted.dry_run else SemanticCache.purge
        try:
            purged = await work(self._cache, wanted.selector)
        except CacheError as error:
            return {"problems": {worker: error.reason or "the backend does not answer"}}
        if not wanted.dry_run:
            get_logger().info("cache purged", entries=purged)
        return {"workers": {worker: purged}}


def _readable(row: JsonValue | Unreadable) -> JsonValue:
    if isinstance(row, Unreadable):
        raise row
    return row


def _of_worker(answer: JsonValue, worker: int) -> JsonValue:
    workers = answer.get("workers") if isinstance(answer, dict) else None
    return workers.get(str(worker)) if isinstance(workers, dict) else None


def _purged_by(answer: JsonValue, worker: int) -> int | str:
    """How many, or why none."""
    purged = _of_worker(answer, worker)
    if isinstance(purged, int):
        return purged
    problems = answer.get("problems") if isinstance(answer, dict) else None
    return str(problems.get(str(worker))) if isinstance(problems, dict) else "does not answer"
