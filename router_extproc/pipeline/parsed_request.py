"""A client's request as it was read, before any inference.

Whatever is wrong with a request is found here, so that nothing after it fails on what a client sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Scope
from router_extproc.cache.decision_policy import CachePolicies
from router_extproc.cache.http_caching import Directives, read_directives
from router_extproc.cache.key import ContextDigest, context_digest, fingerprint
from router_extproc.cache.scope import ScopeRule, scope_of
from router_extproc.clock import Budget
from router_extproc.dialects.base import Dialect
from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.request_ids import NO_EXCHANGE, ExchangeStart
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.names import FEEDBACK_HEADER
from router_extproc.routing.catalogue import Catalogue, Target


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request of a known dialect, as it came."""

    dialect: Dialect
    headers: Headers
    body: bytes
    exchange: ExchangeStart = NO_EXCHANGE


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Whose request it is under one scope rule, and which."""

    scope: Scope
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request that was read."""

    raw: RawRequest
    #: Names in lower case; of a repeated header the values are joined by commas.
    headers: Mapping[str, str]
    request: InferenceRequest
    #: The target that the client named; None: the request is to be routed.
    pinned: Target | None
    directives: Directives
    #: Made once: every key of this request is made from it.
    context: ContextDigest
    #: Under every scope rule that a decision may have: the decision is known only later.
    keys: Mapping[ScopeRule, RequestKey]
    budget: Budget

    @property
    def gives_feedback(self) -> bool:
        """The client says that the stored answer to this very request is wrong."""
        return self.headers.get(FEEDBACK_HEADER, "").strip().lower() == "wrong"


@dataclass(frozen=True, slots=True)
class RequestParser:
    """Reads requests."""

    catalogue: Catalogue
    cache_policies: CachePolicies
    #: Headers that signals read, in lower case: with them equal, equal requests get equal decisions.
    routing_headers: Sequence[str]

    def read(self, raw: RawRequest, budget: Budget) -> ParsedRequest:
        """The request.

        Raises:
            RequestError: the client must change its request.
        """
        request = raw.dialect.parse(raw.body)
        pinned = self.catalogue.pinned(request.model)
        headers, context = joined_headers(raw.headers), context_digest(request)
        facts = [(name, headers.get(name, "")) for name in self.routing_headers]
        pairs = [(name, value.encode("utf-8", "surrogateescape")) for name, value in raw.headers]
        keys = {
            rule: RequestKey(
                scope := scope_of(rule, pairs),
                fingerprint(scope, context, request.prompt, routing_facts=facts),
            )
            for rule in self.cache_policies.scopes
        }
        directives = read_directives(raw.headers.get_all("cache-control"))
        return ParsedRequest(raw, headers, request, pinned, directives, context, keys, budget)


def joined_headers(headers: Headers) -> dict[str, str]:
    """One value a name, repeated ones joined by commas (RFC 9110, section 5.2)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
