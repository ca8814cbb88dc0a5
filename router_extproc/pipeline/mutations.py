"""Decisions as replies to Envoy: header mutations, the edited body, or an immediate response.

What the client may know goes into the answer's headers; what the observer must know, into dynamic metadata,
which no client reads or writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from router_extproc.dialects.base import Rendered
from router_extproc.errors import RequestError
from router_extproc.pipeline.decision import CacheOutcome, Decision, Forward, LocalAnswer, Reject, Replay
from router_extproc.pipeline.failover.plan import FailoverPlan
from router_extproc.pipeline.more_headers import MoreHeaders
from router_extproc.protocol.headers import HeaderMutation, Pair
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse, Metadata
from router_extproc.protocol.modes import LET_PASS, BodyMode, HeaderMode, ProcessingMode, Role
from router_extproc.protocol.names import (
    ALLOW_ORIGIN_HEADER,
    ANY_ORIGIN,
    CACHE_HEADER,
    CACHE_KEY,
    CACHE_STATUS_HEADER,
    CACHE_STATUS_KEY,
    CLUSTER_HEADER,
    DECISION_HEADER,
    FAILOVER_HEADER,
    FAILOVER_KEY,
    FEEDBACK_HEADER,
    METADATA_NAMESPACE,
    MODEL_HEADER,
    TOKEN_KEY,
    UNDECIDED,
)

#: For what may be stored (an answer in a coding that only this client knows would be of use to nobody else),
#: and for what is to be changed.
_UNCODED: Final = (("accept-encoding", "identity"),)
#: Nothing more of this exchange is sent to us.
PASS: Final = HeadersReply(mode_override=LET_PASS)

#: An error of ours says nothing of anybody, so a page may read what became of its request.
READABLE: Final = (ALLOW_ORIGIN_HEADER, ANY_ORIGIN)

#: Until the decision says where it goes.
_NOWHERE: Final = HeaderMutation(((CLUSTER_HEADER, UNDECIDED),))

_ASK: Final[Mapping[Role, HeadersReply]] = MappingProxyType(
    {
        Role.DECIDE: HeadersReply(mode_override=ProcessingMode(request_body=BodyMode.BUFFERED)),
        Role.INLINE: HeadersReply(
            mode_override=ProcessingMode(
                request_body=BodyMode.BUFFERED,
                response_headers=HeaderMode.SEND,
                response_body=BodyMode.STREAMED,
                response_trailers=HeaderMode.SEND,
            )
        ),
    }
)


def ask_body(role: Role, *, time_s: float = 0.0) -> HeadersReply:
    """The reply to the headers of a request that we want to read.

    time_s: what it may take where that is longer than usual. Then the request does not pass unread, should
    the decision come too late even so: it is refused.
    """
    return replace(_ASK[role], mutation=_NOWHERE, body_time_s=time_s) if time_s else _ASK[role]


def reply_to_body(
    decision: Decision, role: Role, more_headers: MoreHeaders | None = None
) -> BodyReply | ImmediateResponse:
    """The reply to the request's body that carries the decision out.

    role: of the stream; one that sees the answer itself gives nobody a write token.
    more_headers: to be sent beside our own.
    """
    if isinstance(decision, Forward):
        return _forward(decision, role, more_headers)
    reply = _local(decision)
    more = () if more_headers is None else more_headers.to_client(decision)
    return replace(reply, headers=(*reply.headers, *more)) if more else reply


def _local(decision: Replay | LocalAnswer | Reject) -> ImmediateResponse:
    match decision:
        case Replay():
            return _replay(decision)
        case LocalAnswer(rendered=rendered, decision=name):
            return _answer(rendered, name)
        case Reject(error=error, rendered=rendered, headers=headers):
            return reject(error, rendered, headers)


def reject(
    error: RequestError, rendered: Rendered, headers: Mapping[str, str] = MappingProxyType({})
) -> ImmediateResponse:
    """An immediate response with the dialect's error object."""
    pairs = (("content-type", rendered.content_type), READABLE, *headers.items())
    return ImmediateResponse(error.status, pairs, rendered.body, details=f"router_{error.code}")


def _forward(decision: Forward, role: Role, more_headers: MoreHeaders | None) -> BodyReply:
    route = decision.route
    overwrite = (
        (CLUSTER_HEADER, route.target.cluster),
        (MODEL_HEADER, route.target.model),
        (DECISION_HEADER, route.decision),
        *(() if decision.failover is None else ((FAILOVER_HEADER, decision.failover.chain),)),
        *(() if route.changes is None else route.changes.headers),
        *(_UNCODED if _is_read(decision) else ()),
        *(() if more_headers is None else more_headers.to_pool(decision)),
    )
    remove = () if decision.feedback is None else (FEEDBACK_HEADER,)
    remove = (*remove, "content-encoding") if decision.decoded else remove
    more = {} if more_headers is None else more_headers.metadata(decision)
    if decision.failover is not None:
        more = {**more, FAILOVER_KEY: _failover(decision.failover, more_headers).encode()}
    metadata = _metadata(decision, role, more)
    return BodyReply(HeaderMutation(overwrite, remove), decision.body, dynamic_metadata=metadata)


def _is_read(decision: Forward) -> bool:
    """Whether the answer may be stored, or is changed on its way."""
    stored = decision.write_token.plan is not None
    return stored or decision.redacted is not None or bool(decision.usage_asked)


def _failover(plan: FailoverPlan, more_headers: MoreHeaders | None) -> FailoverPlan:
    """The plan, with the headers that are other ones for each model."""
    if more_headers is None:
        return plan
    return plan.with_headers(more_headers.naming)


def _metadata(decision: Forward, role: Role, more: Mapping[str, str]) -> Metadata:
    members = {**more}
    if not decision.cache.hidden:
        members |= {CACHE_KEY: decision.cache.status, CACHE_STATUS_KEY: decision.cache.cache_status}
    if role is Role.DECIDE or decision.failover is not None:
        members[TOKEN_KEY] = decision.write_token.encode()
    return {METADATA_NAMESPACE: members}


def _replay(decision: Replay) -> ImmediateResponse:
    pairs = (
        ("content-type", decision.rendered.content_type),
        (MODEL_HEADER, decision.model),
        (DECISION_HEADER, decision.decision),
        *_cache_headers(decision.cache),
        *decision.headers,
    )
    return ImmediateResponse(200, pairs, decision.rendered.body, details="router_cache_hit")


def _answer(rendered: Rendered, decision: str) -> ImmediateResponse:
    pairs = (("content-type", rendered.content_type), (DECISION_HEADER, decision), READABLE)
    return ImmediateResponse(200, pairs, rendered.body, details="router_local_answer")


def _cache_headers(outcome: CacheOutcome) -> tuple[Pair, ...]:
    if outcome.hidden:
        return ()
    pairs = ((CACHE_HEADER, outcome.status), (CACHE_STATUS_HEADER, outcome.cache_status))
    return pairs if outcome.age_s is None else (*pairs, ("age", str(outcome.age_s)))
