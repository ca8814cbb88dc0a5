"""Decisions as replies to Envoy: header mutations, the edited body, or an immediate response.

It is not a decision and looks nothing up. The rule it keeps: what the client may know goes into the
answer's headers, what the observer must know into dynamic metadata, which no client sees or writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from router_extproc.dialects.base import Rendered
from router_extproc.errors import RequestError
from router_extproc.pipeline.decision import CacheOutcome, Decision, Forward, Reject, Replay
from router_extproc.pipeline.parsed_request import FEEDBACK_HEADER
from router_extproc.protocol.headers import ROUTING_HEADER, HeaderMutation, Pair
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse, Metadata
from router_extproc.protocol.modes import LET_PASS, BodyMode, HeaderMode, ProcessingMode, Role

#: Namespace of our dynamic metadata in Envoy.
METADATA_NAMESPACE: Final = "router_extproc"
#: Its keys: for the observer, and for the answer's headers (filled in by Envoy's route).
TOKEN_KEY: Final = "write_token"  # noqa: S105 - a key's name
CACHE_KEY: Final = "cache"
CACHE_STATUS_KEY: Final = "cache_status"

MODEL_HEADER: Final = "x-router-model"
DECISION_HEADER: Final = "x-router-decision"
CACHE_HEADER: Final = "x-router-cache"

#: Nothing more of this exchange is sent to us.
PASS: Final = HeadersReply(mode_override=LET_PASS)

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


def ask_body(role: Role) -> HeadersReply:
    """The reply to the headers of a request that we want to read."""
    return _ASK[role]


def reply_to_body(decision: Decision) -> BodyReply | ImmediateResponse:
    """The reply to the request's body that carries the decision out."""
    match decision:
        case Forward():
            return _forward(decision)
        case Replay():
            return _replay(decision)
        case Reject(error, rendered, headers):
            return reject(error, rendered, headers)


def reject(
    error: RequestError, rendered: Rendered, headers: Mapping[str, str] = MappingProxyType({})
) -> ImmediateResponse:
    """An immediate response with the dialect's error object."""
    pairs = (("content-type", rendered.content_type), *headers.items())
    return ImmediateResponse(error.status, pairs, rendered.body, details=f"router_{error.code}")


def _forward(decision: Forward) -> BodyReply:
    route = decision.route
    overwrite = (
        (ROUTING_HEADER, route.target.cluster),
        (MODEL_HEADER, route.target.model),
        (DECISION_HEADER, route.decision),
    )
    remove = () if decision.complaint is None else (FEEDBACK_HEADER,)
    return BodyReply(HeaderMutation(overwrite, remove), decision.body, dynamic_metadata=_metadata(decision))


def _metadata(decision: Forward) -> Metadata:
    told = {}
    if not decision.cache.hidden:
        told = {CACHE_KEY: decision.cache.status, CACHE_STATUS_KEY: decision.cache.cache_status}
    if decision.write_token is not None:
        told[TOKEN_KEY] = decision.write_token
    return {METADATA_NAMESPACE: told}


def _replay(decision: Replay) -> ImmediateResponse:
    pairs = (
        ("content-type", decision.rendered.content_type),
        (MODEL_HEADER, decision.model),
        (DECISION_HEADER, decision.decision),
        *_cache_headers(decision.cache),
    )
    return ImmediateResponse(200, pairs, decision.rendered.body, details="router_cache_hit")


def _cache_headers(outcome: CacheOutcome) -> tuple[Pair, ...]:
    if outcome.hidden:
        return ()
    told = ((CACHE_HEADER, outcome.status), ("cache-status", outcome.cache_status))
    return told if outcome.age_s is None else (*told, ("age", str(outcome.age_s)))
