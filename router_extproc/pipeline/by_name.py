"""Requests that are only routed by the model they name: no decision, no signal, no cache.

What names no model, and what cannot be read at all, goes to the default pool as it is: the pool answers it
with its own words, as it would without a router.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router_extproc.clock import Clock
from router_extproc.dialects.routed.base import RoutedApi
from router_extproc.errors import RequestError
from router_extproc.pipeline.bodies import BodyReader, retry_after
from router_extproc.pipeline.caching.result import OFF
from router_extproc.pipeline.decision import Explanation, Forward, Reject
from router_extproc.pipeline.parsed_request import joined_headers
from router_extproc.pipeline.request_ids import NO_EXCHANGE, ExchangeStart
from router_extproc.pipeline.tenants import Tenants, tenant_of
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.headers import Headers
from router_extproc.routing.catalogue import Catalogue
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import Route
from router_extproc.routing.traffic import ALL_UP, Traffic

#: Why the cache was not asked.
REASON: Final = "routed-only"


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """One request of a routed API, as it came."""

    api: RoutedApi
    headers: Headers
    body: bytes
    exchange: ExchangeStart = NO_EXCHANGE
    #: Of the body as the client sent it, which a pool gets without; "": it has none.
    coding: str = ""
    #: That its path names; "": the body names one.
    model: str = ""


@dataclass(frozen=True, slots=True)
class RoutingByName:
    """Decides such requests."""

    clock: Clock
    catalogue: Catalogue
    policy: Policy
    bodies: BodyReader
    #: None: no model has a fallback.
    traffic: Traffic | None = None
    #: None: costs are not told by tenant.
    tenants: Tenants | None = None

    async def decide(self, request: NamedRequest) -> Forward | Reject:
        """The decision on one request; never raises on what a client sent."""
        api, content_type = request.api, request.headers.get("content-type") or ""

        def read() -> tuple[bytes, str | None]:
            plain = self.bodies.decoded(request.body, request.coding)
            return plain, api.model.read(plain, content_type)

        try:
            plain, name = await self.bodies.run(read, len(request.body), request.coding)
            route = self._route(api, request.model or name)
        except RequestError as error:
            return Reject(error, api.render_error(error), retry_after(error))
        served = route.target.served_name
        unchanged = name is None or name == served
        body = plain if unchanged else api.model.rename(plain, content_type, served)
        token = WriteToken(
            api.name,
            route.target.model,
            route.decision,
            self.clock.wall_s(),
            request.exchange,
            None,
            tenant=tenant_of(self.tenants, joined_headers(request.headers)),
        )
        explanation = Explanation(api.name, route, (), OFF.outcome.status, REASON)
        sent = None if unchanged and not request.coding else body
        return Forward(route, sent, OFF.outcome, token, explanation, decoded=bool(request.coding))

    def _route(self, api: RoutedApi, name: str | None) -> Route:
        """Where the request goes.

        Raises:
            ModelNotFound: no model has the name.
        """
        target = None if name is None else self.catalogue.pinned(name)
        traffic = ALL_UP if self.traffic is None or not api.falls_back else self.traffic.snapshot()
        return self.policy.by_name(target, traffic).to_fallback()
