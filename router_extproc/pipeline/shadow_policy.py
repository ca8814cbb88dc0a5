"""The shadow policy: decides every request a second time, behind it, and says where it would differ.

It uses the readings that were made, and makes those that it alone needs when the request has gone on. What
waits is bounded in number and in bytes; beyond, requests are left out and counted. Nothing here can change a
request, and of a request that failed here only the count is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from router_extproc.clock import Budget, Clock
from router_extproc.errors import RouterUnavailable
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.pipeline.signal_stage import SignalReadings, SignalStage
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import LocalReply, Route
from router_extproc.signals.base import Reading, Subject

#: Requests that may wait, and the bytes of their bodies together.
WAITING_MAX: Final = 256
WAITING_BYTES_MAX: Final = 16 * 1024 * 1024
#: For the readings that only the shadow policy needs, in seconds.
READ_S: Final = 2.0
#: Instead of a model, where the router answers by itself or a request is refused.
NO_MODEL: Final = "none"
#: The decision of a policy that refuses what it could not read.
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class ShadowDecision:
    """How one request was decided, and how the shadow policy would have decided it."""

    decision: str
    model: str
    shadow_decision: str
    shadow_model: str

    @property
    def is_same(self) -> bool:
        """Both send it to the same model, or answer it by the same decision."""
        if NO_MODEL in {self.model, self.shadow_model}:
            return (self.decision, self.model) == (self.shadow_decision, self.shadow_model)
        return self.model == self.shadow_model


class ShadowDecisions:
    """Compares requests with what another policy says of them; used where the event loop runs."""

    def __init__(
        self,
        policy: Policy,
        stage: SignalStage,
        shared: frozenset[str],
        background: BackgroundTasks,
        *,
        clock: Clock,
        count: Callable[[ShadowDecision], None],
    ) -> None:
        """`stage` reads the signals that only this policy needs; `shared`: those that were read already."""
        self._policy: Final = policy
        self._stage: Final = stage
        self._shared: Final = shared
        self._background: Final = background
        self._clock: Final = clock
        self._count: Final = count
        self._waiting_bytes = 0

    def offer(self, parsed: ParsedRequest, readings: SignalReadings, taken: Route | LocalReply) -> None:
        """Decide this request a second time soon; returns at once."""
        size = len(parsed.raw.body)
        if self._waiting_bytes + size > WAITING_BYTES_MAX:
            self._background.drop()
            return
        work = partial(self._compare, parsed.subject, readings, taken, size)
        if self._background.offer(work):
            self._waiting_bytes += size

    async def _compare(
        self, subject: Subject, made: SignalReadings, taken: Route | LocalReply, size: int
    ) -> bool:
        self._waiting_bytes -= size
        own = await self._stage.read(subject, Budget.of(self._clock, READ_S), encode=False)
        known = {name: reading for name, reading in made.readings.items() if name in self._shared}
        unread = (made.unread & self._shared) | own.unread
        decision, model = self._decide({**known, **own.readings}, unread)
        self._count(ShadowDecision(taken.decision, _model_of(taken), decision, model))
        return True

    def _decide(self, readings: dict[str, Reading], unread: frozenset[str]) -> tuple[str, str]:
        try:
            route = self._policy.decide(readings, unread=unread)
        except RouterUnavailable:
            return REFUSED, NO_MODEL
        return route.decision, _model_of(route)


def _model_of(route: Route | LocalReply) -> str:
    if isinstance(route, LocalReply):
        return NO_MODEL
    return route.fallback_of or route.target.model
