"""Carries out reloads, one after the other: reads the file, lets all workers prepare, and then swaps or not.

A file with problems changes nothing: they are logged, shown and counted, and the version in force stays. So
does a version for which one worker cannot get ready.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, assert_never, get_args

from router_extproc.clock import Clock
from router_extproc.config.model import Config
from router_extproc.config.reload import Candidate, Readable, Refused
from router_extproc.errors import ConfigError
from router_extproc.llm.answer import JsonValue
from router_extproc.process.config_warnings import log_warnings
from router_extproc.process.reload.base import Fleet
from router_extproc.process.reload.messages import write_problems
from router_extproc.process.reload.versions import Cause, PolicyVersion, VersionHistory
from router_extproc.telemetry.logging import get_logger

#: Reloads that may wait; one that is asked for beyond is refused at once.
WAITING_MAX: Final = 16
#: Problems that one log line names; all of them are on the admin port.
LOGGED_MAX: Final = 20

#: How a reload ends, as the metric calls it.
Result: TypeAlias = Literal["applied", "rolled_back", "unchanged", "refused"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one reload ended."""

    result: Result
    #: In force now.
    version: PolicyVersion
    problems: tuple[ConfigError, ...] = ()

    def shown(self) -> dict[str, JsonValue]:
        """For operators."""
        return {"result": self.result, **self.version.shown(), "problems": write_problems(self.problems)}


@dataclass(frozen=True, slots=True)
class _Wanted:
    cause: Cause
    #: Of a rollback: the version to go back to; None: the last.
    to: int | None
    outcome: asyncio.Future[Outcome] = field(repr=False)


class ReloadService:
    """The versions of one sidecar; used where its supervisor or its only worker runs."""

    def __init__(
        self,
        read: Callable[[], Awaitable[Candidate]],
        fleet: Fleet,
        history: VersionHistory,
        clock: Clock,
    ) -> None:
        """`read`: reads the file again."""
        self._read: Final = read
        self._fleet: Final = fleet
        self._history: Final = history
        self._clock: Final = clock
        self._waiting: Final[asyncio.Queue[_Wanted]] = asyncio.Queue(WAITING_MAX)
        self._counts: Final = Counter[Result]()
        self._last_refused: JsonValue = None

    # ── what may be asked for ─────────────────────────────────────────────────────────────────

    def ask(self, cause: Cause, to: int | None = None) -> asyncio.Future[Outcome]:
        """The outcome of a reload that is carried out as soon as those before it are over."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait(_Wanted(cause, to, outcome))
        except asyncio.QueueFull:
            outcome.set_result(self._refuse(cause, (ConfigError("", "too many reloads wait"),)))
        return outcome

    def shown(self) -> dict[str, JsonValue]:
        """The version in force, those that are kept, and how reloads ended, for operators."""
        return {
            **self._history.in_force.shown(),
            "history": self._history.shown(),
            "reloads": {result: self._counts[result] for result in RESULTS},
            "last_refused": self._last_refused,
        }

    # ── carrying it out ───────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Carry out what is asked for, until cancelled."""
        while True:
            wanted = await self._waiting.get()
            outcome = await self._carry_out(wanted)
            self._counts[outcome.result] += 1
            if not wanted.outcome.done():
                wanted.outcome.set_result(outcome)

    async def _carry_out(self, wanted: _Wanted) -> Outcome:
        try:
            if wanted.cause == "rollback":
                return await self._roll_back(wanted.to)
            return await self._reload(wanted.cause)
        except Exception as error:  # noqa: BLE001 - a bug here must not end a sidecar that serves
            last = traceback.extract_tb(error.__traceback__)[-1]
            get_logger().error(
                "reload failed", error=type(error).__name__, place=f"{last.filename}:{last.lineno}"
            )
            return self._refuse(wanted.cause, (ConfigError("", "the reload failed; see the log"),))

    async def _reload(self, cause: Cause) -> Outcome:
        match await self._read():
            case Refused(problems):
                return self._refuse(cause, problems)
            case Readable() as found if self._history.is_in_force(found):
                get_logger().info("policy unchanged", cause=cause, version=self._history.in_force.number)
                return Outcome("unchanged", self._history.in_force)
            case Readable() as found:
                log_warnings(found.warnings)
                version = self._history.next(found, cause, self._clock.wall_s())
                return await self._swap(version, "applied")
            case never:
                assert_never(never)

    async def _roll_back(self, to: int | None) -> Outcome:
        version = self._history.back_to(to, self._clock.wall_s())
        if version is None:
            what = "no earlier version is kept" if to is None else f"no version {to} is kept"
            return self._refuse("rollback", (ConfigError("", what),))
        return await self._swap(version, "rolled_back")

    async def _swap(self, version: PolicyVersion, result: Result) -> Outcome:
        """Let all workers prepare, and then either all work by the version or none."""
        try:
            problems = joined(await self._fleet.prepare(version))
        except BaseException:
            self._fleet.abandon(version)
            raise
        if problems:
            self._fleet.abandon(version)
            return self._refuse(version.cause, problems)
        # First: a worker that starts from now on gets it, whatever becomes of the others.
        self._history.put_in_force(version)
        self._fleet.commit(version)
        get_logger().info("policy in force", **version.shown())
        return Outcome(result, version)

    def _refuse(self, cause: Cause, problems: tuple[ConfigError, ...]) -> Outcome:
        in_force = self._history.in_force
        get_logger().error(
            "reload refused",
            cause=cause,
            version=in_force.number,
            problems=[problem.located() for problem in problems[:LOGGED_MAX]],
            problem_count=len(problems),
        )
        self._last_refused = {
            "at_s": self._clock.wall_s(),
            "cause": cause,
            "problems": write_problems(problems),
        }
        return Outcome("refused", in_force, problems)


def joined(by_worker: Mapping[int, Sequence[ConfigError]]) -> tuple[ConfigError, ...]:
    """The problems of all workers, those that several have once."""
    seen = {str(problem): problem for problems in by_worker.values() for problem in problems}
    return tuple(seen.values())


def resolved(candidate: Candidate, in_force: Config) -> Candidate:
    """The candidate with what was read from other files at the start, which no reload changes."""
    if isinstance(candidate, Refused):
        return candidate
    own = candidate.config.model_copy(update={"admin": in_force.admin})
    return replace(candidate, config=own)
