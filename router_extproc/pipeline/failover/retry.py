"""The retrying filter's stream: writes a request anew for the pool that Envoy asks in place of another one.

What cannot be written for that pool does not reach it: a body for another model would get an answer under the
wrong name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from router_extproc.clock import Clock
from router_extproc.dialects.routed.base import RendersErrors
from router_extproc.errors import PoolUnavailable
from router_extproc.pipeline.failover.patch import apply
from router_extproc.pipeline.failover.plan import Alternative, FailoverPlan
from router_extproc.pipeline.mutations import reject
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    RequestStarted,
)
from router_extproc.protocol.headers import HeaderMutation, Headers
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse, Metadata
from router_extproc.protocol.names import (
    CLUSTER_HEADER,
    FAILOVER_KEY,
    METADATA_NAMESPACE,
    MODEL_HEADER,
    TOKEN_KEY,
)
from router_extproc.routing.traffic import Traffic

_MESSAGE: Final = "The pool that serves this model cannot be reached."


@dataclass(frozen=True, slots=True)
class RetryParts:
    """What the streams of a process share."""

    clock: Clock
    #: The API of a method and path, if any.
    find_api: Callable[[str, str], RendersErrors | None]
    #: None: it is not known where models are served.
    traffic: Traffic | None = None


@dataclass(frozen=True, slots=True)
class _Retry:
    """One attempt at another pool."""

    plan: FailoverPlan
    alternative: Alternative
    token: WriteToken


class RetryExchange:
    """Drives one stream; fits protocol.driver.ExchangeDriver."""

    def __init__(self, parts: RetryParts) -> None:
        self._parts = parts
        self._retry: _Retry | None = None
        self._api: RendersErrors | None = None

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """Find out which pool is asked, and learn that the one before it did not answer."""
        method, path = event.headers.get(":method") or "", event.headers.get(":path") or ""
        self._api = self._parts.find_api(method, path)
        self._retry = _retry_of(event.headers, event.metadata)
        if self._retry is None:
            return self._refuse()
        self._learn(self._retry, event.headers.get(MODEL_HEADER) or self._retry.plan.first)
        return HeadersReply()

    async def on_request_body(self, event: BodyReceived | BodyTooLarge) -> BodyReply | ImmediateResponse:
        """The body for this pool; it arrives as it was written for the first one."""
        retry = self._retry
        if retry is None or isinstance(event, BodyTooLarge) or len(event.body) != retry.plan.body_bytes:
            return self._refuse()
        token = self._token_of(retry)
        overwrite = ((MODEL_HEADER, retry.alternative.model), *retry.alternative.headers)
        return BodyReply(
            HeaderMutation(overwrite),
            apply(retry.alternative.patch, event.body),
            dynamic_metadata={METADATA_NAMESPACE: {TOKEN_KEY: token.encode()}},
        )

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply:  # noqa: ARG002 - the port
        """Nothing: this filter sees no answers."""
        return HeadersReply()

    def on_answer_chunk(self, event: AnswerChunk) -> None:
        """Nothing, likewise."""

    def on_closed(self, *, clean: bool) -> None:
        """Nothing is open."""

    def _learn(self, retry: _Retry, asked: str) -> None:
        """The model that was asked before this one has not answered."""
        traffic = self._parts.traffic
        if traffic is not None and traffic.cluster_of(asked) != retry.alternative.cluster:
            traffic.moved_on(asked, retry.token.decision)

    def _token_of(self, retry: _Retry) -> WriteToken:
        """The request's token, under the keys of the model that answers; its time begins anew."""
        token, other = retry.token, retry.alternative
        plan = token.plan
        waited = token.failover.waited if token.failover is not None else ""
        if plan is not None:
            waited = waited or plan.fingerprint
            stored = replace(plan, fingerprint=other.fingerprint, partition=other.partition)
            plan = stored if other.fingerprint else None
        failover = token.failover and replace(token.failover, first=retry.plan.first, waited=waited)
        now_s = self._parts.clock.wall_s()
        going_on = replace(token, model=other.model, plan=plan, failover=failover, started_s=now_s)
        # What was to be compared is an answer of the first model.
        return replace(going_on, shadow=None, evaluation=None)

    def _refuse(self) -> ImmediateResponse:
        error = PoolUnavailable(_MESSAGE)
        if self._api is None:
            return ImmediateResponse(error.status, details=f"router_{error.code}")
        return reject(error, self._api.render_error(error))


def _retry_of(headers: Headers, metadata: Metadata) -> _Retry | None:
    """None: it is not known what this pool is to get."""
    own = metadata.get(METADATA_NAMESPACE, {})
    try:
        plan = FailoverPlan.decode(own[FAILOVER_KEY])
        token = WriteToken.decode(own[TOKEN_KEY])
    except (KeyError, ValueError):
        return None
    alternative = plan.of(headers.get(CLUSTER_HEADER) or "")
    return None if alternative is None else _Retry(plan, alternative, token)
