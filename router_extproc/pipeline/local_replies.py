"""What the router answers itself, without a pool and without a stored answer."""

from __future__ import annotations

from router_extproc.errors import (
    CacheOnlyMiss,
    ContextTooLong,
    RequestBlocked,
    RequestError,
    UnsupportedRequest,
)
from router_extproc.pipeline.considered import Considered, explain
from router_extproc.pipeline.decision import Explanation, LocalAnswer, Reject
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.protocol.names import CACHE_HEADER, CACHE_STATUS_HEADER, DECISION_HEADER
from router_extproc.routing.actions import AnswerText, Block, OverLong, Unaccepted
from router_extproc.routing.route import LocalReply


def local_reply(considered: Considered, reply: LocalReply, now_s: float) -> LocalAnswer | Reject:
    """What a decision says that asks no pool; now_s: by the wall clock."""
    parsed, explanation = considered.parsed, explain(considered)
    dialect = parsed.raw.dialect
    error: RequestError
    match reply.action:
        case Block(message=message, status=status):
            error = RequestBlocked(message, status=status)
        case Unaccepted(message=message):
            error = UnsupportedRequest(message)
        case OverLong(message=message):
            error = ContextTooLong(message)
        case AnswerText(text=text):
            return _answer(parsed, text, reply.decision, explanation, now_s)
    headers = {DECISION_HEADER: reply.decision}
    return Reject(error, dialect.render_error(error), headers, explanation)


def _answer(
    parsed: ParsedRequest, text: str, decision: str, explanation: Explanation, now_s: float
) -> LocalAnswer | Reject:
    """The text as an answer of the API; an API whose answers are no text says so in its own words."""
    dialect, request = parsed.raw.dialect, parsed.request
    try:
        document = dialect.compose(text, model=request.model, now_s=now_s)
    except RequestError as error:
        headers = {DECISION_HEADER: decision}
        return Reject(error, dialect.render_error(error), headers, explanation)
    rendered = dialect.render(dialect.restore(document), request)
    return LocalAnswer(rendered, decision, explanation)


def reject_miss(considered: Considered) -> Reject:
    """The refusal of a request that only a stored answer was to answer."""
    error = CacheOnlyMiss("The request says only-if-cached, and no stored answer fits.")
    outcome = considered.result.outcome
    headers = {CACHE_HEADER: outcome.status, CACHE_STATUS_HEADER: outcome.cache_status}
    return Reject(error, considered.parsed.raw.dialect.render_error(error), headers)
