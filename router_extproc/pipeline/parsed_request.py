"""An request: a client's request as it was read, before any inference.

It is not a decision. The rule it keeps: whatever is wrong with a request is found here, so that
nothing after it fails on what a client sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Scope
from router_extproc.cache.decision_policy import ScopeRules
from router_extproc.cache.http_caching import Directives, read_directives
from router_extproc.cache.key import fingerprint
from router_extproc.cache.scope import ScopeRule, scope_of
from router_extproc.clock import Budget
from router_extproc.dialects.base import Dialect
from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.request_ids import NO_IDS, RequestIds
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.names import FEEDBACK_HEADER
from router_extproc.routing.catalogue import Catalogue
from router_extproc.routing.policy import Target


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request of a known dialect, as it came."""

    dialect: Dialect
    headers: Headers
    body: bytes
    ids: RequestIds = NO_IDS


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
    scopes: ScopeRules
    #: Headers that signals read, in lower case: with them equal, equal requests get equal decisions.
    routing_headers: Sequence[str]

    def read(self, raw: RawRequest, budget: Budget) -> ParsedRequest:
        """The request.

        Raises:
            RequestError: the client must change its request.
        """
        request = raw.dialect.parse(raw.body)
        pinned = self.catalogue.pinned(request.model)
        headers = joined_headers(raw.headers)
        return ParsedRequest(
            raw,
            headers,
            request,
            pinned,
            read_directives(raw.headers.get_all("cache-control")),
            self._keys(raw.headers, headers, request),
            budget,
        )

    def _keys(
        self, headers: Headers, joined: Mapping[str, str], request: InferenceRequest
    ) -> dict[ScopeRule, RequestKey]:
        pairs = _raw_pairs(headers)
        facts = [(name, joined.get(name, "")) for name in self.routing_headers]
        scopes = {rule: scope_of(rule, pairs) for rule in self.scopes.distinct}
        return {
            rule: RequestKey(scope, fingerprint(scope, request, routing_facts=facts))
            for rule, scope in scopes.items()
        }


def joined_headers(headers: Headers) -> dict[str, str]:
    """One value a name, repeated ones joined by commas (RFC 9110, section 5.2)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _raw_pairs(headers: Headers) -> list[tuple[str, bytes]]:
    return [(name, value.encode("utf-8", "surrogateescape")) for name, value in headers]
