"""How Envoy watches one pool and what it does when an endpoint fails: keys of `envoy.clusters.NAME`.

`envoy_config/pool_health.py` and `envoy_config/retries.py` render them; `server/pool_probe.py` asks by the
same settings.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from router_extproc.section import Section

#: An endpoint that answers below this status is healthy: pools without /health answer 404 or 401.
FAILED_STATUS_MIN: Final = 500


class PoolHealth(Section):
    """Active health checks: a GET to each endpoint; any answer below 500 means healthy."""

    #: The path that a check asks for.
    path: str = Field(default="/health", pattern=r"^/[!-~]*$")
    #: Time between two checks of an endpoint.
    interval_s: float = Field(default=1.0, ge=0.1, le=300)
    #: Time for a check's answer. Generous, because ejecting a server that is only busy costs more.
    timeout_s: float = Field(default=3.0, ge=0.1, le=300)
    #: Checks that must fail in a row before an endpoint gets no more requests.
    unhealthy_threshold: int = Field(default=3, ge=1, le=100)
    #: Checks that must succeed in a row before it gets requests again.
    healthy_threshold: int = Field(default=1, ge=1, le=100)


class PoolRetries(Section):
    """Requests that no endpoint has seen are retried at another one."""

    #: Retries after the first attempt.
    attempts: int = Field(default=2, ge=1, le=10)


def _health(given: object) -> object:
    return {} if given is True else given


def _retries(given: object) -> object:
    """`true`, and a number as the short form of `attempts`."""
    if given is True:
        return {}
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return {"attempts": given} if given else False
    return given


class PoolTraffic(Section):
    """How Envoy watches one pool, and for how long it waits."""

    #: false: endpoints are not checked.
    health: Annotated[
        PoolHealth | Literal[False], BeforeValidator(_health, json_schema_input_type=PoolHealth | bool)
    ] = PoolHealth()
    #: false: no request is retried, not even one that no endpoint has seen.
    retries: Annotated[
        PoolRetries | Literal[False],
        BeforeValidator(_retries, json_schema_input_type=PoolRetries | bool | int),
    ] = PoolRetries()
    #: Endpoints that fail five requests in a row get none for a while; at most half of a pool.
    outliers: bool = True
    #: Time from the end of the request to the first byte of the answer, which comes when all of it is
    #: generated if it is not streamed. None: `envoy.first_byte_timeout_s`.
    first_byte_timeout_s: float | None = Field(default=None, gt=0)
