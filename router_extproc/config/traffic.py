"""The `traffic` and `sessions` sections: what of live traffic counts, and which requests belong together."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from router_extproc.section import Section


class LiveTraffic(Section):
    """What is learned of pools while they answer; what is off is measured, and changes no choice."""

    #: How fast pools are, for `selection: {by: fastest}`.
    latency: bool = True
    #: A model that fails three times in a row is paused.
    errors: bool = True
    #: A model that answers 429 is paused.
    rate_limits: bool = True
    #: `fastest` looks at what is in flight.
    load: bool = True


#: A day: longer, and the sessions that a worker remembers would all be old ones.
IDLE_MAX_S: Final = 86_400.0


class Sessions(Section):
    """Which requests belong to one conversation, and how long it keeps its model."""

    #: Names of headers that name a session, in any case; the first that a request has counts. None is sent:
    #: the conversation itself tells, by its first message and who asks.
    headers: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")], ...] = (
        Field(default=(), max_length=8)
    )
    #: Or this claim of a verified token, as in a `claim` signal; a header tells sessions of one client apart.
    by_claim: str | None = Field(default=None, min_length=1, max_length=256)
    #: The header in which Envoy forwards the token's payload, in any case.
    claim_header: str = Field(default="x-jwt-payload", min_length=1)
    #: After so long a silence no pool is taken to have its prefix, in seconds: it may go to a cheaper model.
    idle_s: float = Field(default=900.0, gt=0, le=IDLE_MAX_S)
