"""Chooses the requests that are asked of another model, too, and writes them for it.

Never a request whose answer could do something twice or is bound to its pool: one that names its model, whose
texts are or might have to be replaced, for which a server runs tools or remembers something, or (unless
allowed) that offers tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from router_extproc.llm.edits import Edit, Remove, Set
from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules
from router_extproc.pipeline.parsed_request import API_HEADERS, ParsedRequest
from router_extproc.pipeline.token import EvaluationAsk
from router_extproc.pipeline.upstream import edits_of
from router_extproc.routing.accepts import Demands
from router_extproc.routing.route import Route

#: A larger request is not sampled: it travels to the answer's observer as dynamic metadata.
BODY_BYTES_MAX: Final = 64 * 1024
#: Of the client's headers, those that a pool needs: who asks, and in which version of the API.
HEADERS: Final = ("authorization", "x-api-key", "api-key", *API_HEADERS)
#: Of all header values together.
HEADERS_CHARS_MAX: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class EvaluationSampling:
    """Samples requests by the rules of their decisions."""

    rules: EvaluationRules
    #: A number from 0 to below 1, each as likely as another.
    chance: Callable[[], float]

    def sample(self, parsed: ParsedRequest, route: Route, demands: Demands) -> EvaluationAsk | None:
        """The request as the other model is to get it; None: it is not asked."""
        rule = self.rules.of(route.decision)
        if rule is None or not may_ask(rule, parsed, route, demands) or self.chance() >= rule.rate:
            return None
        headers = tuple(_headers(parsed, route))
        body = _body(parsed, replace(route, target=rule.target))
        if len(body) > BODY_BYTES_MAX or sum(len(value) for _, value in headers) > HEADERS_CHARS_MAX:
            return None
        return EvaluationAsk(rule.target.model, _path(parsed), headers, body)


def may_ask(rule: EvaluationRule, parsed: ParsedRequest, route: Route, demands: Demands) -> bool:
    """Whether another model can be asked, and nothing happens twice by it."""
    if parsed.pinned is not None or route.fallback_of is not None:
        return False
    if route.redaction is not None or route.may_act:
        return False
    if route.target.model == rule.target.model or not _is_free(parsed.request, rule):
        return False
    return not demands.missing(rule.target) and demands.fits(rule.target)


def _is_free(request: InferenceRequest, rule: EvaluationRule) -> bool:
    if request.alone not in {None, "kept-answer"}:
        return False
    offers_tools = request.has_tools or request.contents.tools_offered > 0
    return rule.allow_tools or not offers_tools


def _path(parsed: ParsedRequest) -> str:
    endpoints = parsed.raw.dialect.endpoints
    return next(each.path for each in endpoints if each.kind == "inference")


def _headers(parsed: ParsedRequest, route: Route) -> Iterator[tuple[str, str]]:
    """As the pool of a decision gets them; what is no plain text is left out."""
    sent = {name: parsed.headers[name] for name in HEADERS if name in parsed.headers}
    if route.changes is not None:
        sent |= dict(route.changes.headers)
    yield from ((name, value) for name, value in sent.items() if value.isascii() and value.isprintable())


def _body(parsed: ParsedRequest, instead: Route) -> bytes:
    dialect, request = parsed.raw.dialect, parsed.request
    written = dialect.edit(parsed.raw.body, edits_of(dialect, request, instead))
    return dialect.edit(written, tuple(_at_once(request)))


def _at_once(request: InferenceRequest) -> Iterator[Edit]:
    """One whole answer, which no pool keeps."""
    if request.stream:
        yield Set(("stream",), value=False)
        yield Remove(("stream_options",))
    if request.alone == "kept-answer":
        yield Set(("store",), value=False)
