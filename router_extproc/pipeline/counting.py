"""Requests of APIs that are only routed; one counts the tokens of a message, by the model that would get it.

A decision that refuses or redacts the message does so here, too, for a pool reads the text to count it. Where
no pool would be asked, or none would have room, the default model counts. Nothing is cached, and no session
begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from router_extproc.dialects.base import Dialect
from router_extproc.errors import ContextTooLong, MalformedRequest, UnsupportedRequest
from router_extproc.pipeline.by_name import REASON, NamedRequest, RoutingByName
from router_extproc.pipeline.decision import Forward, Reject
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.routing.failover import NO_FAILOVERS
from router_extproc.routing.route import DEFAULT

#: A count is asked for to learn that a message is too long; and what is broken is the pool's to refuse.
_COUNTED_ALL_THE_SAME = (ContextTooLong, MalformedRequest, UnsupportedRequest)


@dataclass(frozen=True, slots=True)
class RoutedRequests:
    """Decides requests of the APIs that are only routed."""

    by_name: RoutingByName
    pipeline: RequestPipeline

    async def decide(self, request: NamedRequest) -> Forward | Reject:
        """The decision on one request; never raises on what a client sent."""
        named, dialect = await self.by_name.decide(request), request.api.decided_as
        if dialect is None or isinstance(named, Reject) or named.route.decision != DEFAULT:
            return named
        return await self._decide_as(dialect, request) or named

    async def _decide_as(self, dialect: Dialect, request: NamedRequest) -> Forward | Reject | None:
        """The decision on the message; None: the default model counts."""
        raw = RawRequest(
            dialect, request.headers, request.body, request.exchange, request.coding, request.model
        )
        decision = await self._deciding.decide(raw)
        match decision:
            case Forward():
                explanation = replace(decision.explanation, cache_reason=REASON)
                return replace(decision, explanation=explanation, redacted=None)
            case Reject(error=error) if not isinstance(error, _COUNTED_ALL_THE_SAME):
                return decision
        return None

    @property
    def _deciding(self) -> RequestPipeline:
        """The pipeline of inference requests, which leaves nothing behind."""
        return replace(
            self.pipeline,
            cache_stage=None,
            second=None,
            evaluations=None,
            failovers=NO_FAILOVERS,
            sessions=self.pipeline.sessions.read_only(),
        )
