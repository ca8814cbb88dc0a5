"""Who may ask what on the admin port: one decision over names, sites, tokens and forms of a request.

A route that `needs` does not name needs the most. Sources: RFC 6750 (bearer tokens), RFC 9110 section 7.2
(Host), https://www.w3.org/TR/fetch-metadata/ (Sec-Fetch-Site).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, Self, TypeAlias, get_args

from router_extproc.address import ip_of, is_loopback_host, parse_tcp
from router_extproc.config.address import host_name


class Need(Enum):
    """What a route asks of whoever asks it; the later, the more."""

    #: A host name that is ours: metrics, health, and the page before it has asked for anything.
    NAME = 1
    #: Also no page of another site, and the token where there is one: how full and how right the cache is.
    NUMBERS = 2
    #: Also a token, or loopback where none is configured: what shows or changes what was said.
    CONTENT = 3


#: What was saved, in numbers.
SAVINGS: Final = "/savings"
#: How shadow evaluations ended, in numbers.
EVALUATIONS: Final = "/shadow"
#: By path, of GET and HEAD. Everything else needs the most.
_NEEDS: Final[Mapping[str, Need]] = MappingProxyType(
    {
        "/": Need.NAME,
        "/metrics": Need.NAME,
        "/healthz": Need.NAME,
        "/readyz": Need.NAME,
        "/cache": Need.NUMBERS,
        "/cache/evidence": Need.NUMBERS,
        SAVINGS: Need.NUMBERS,
        EVALUATIONS: Need.NUMBERS,
    }
)
_READING: Final = frozenset({"GET", "HEAD"})
_JSON_TYPES: Final = frozenset({"application/json", "application/x-ndjson"})
#: What a browser says when no other site's page is behind a request: our page, or the user's own hand.
_OWN_SITES: Final = frozenset({"same-origin", "none"})

#: Why a request is refused, as the metric calls it.
Reason: TypeAlias = Literal["host", "site", "token_missing", "token_wrong", "token_unset", "form"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered; the message may be shown to anybody."""

    reason: Reason
    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at of a request; headers with all their values."""

    method: str
    host: tuple[str, ...]
    #: The authority that the request's target names or, where it names none, that of Host.
    target: str
    origin: tuple[str, ...] = ()
    fetch_site: tuple[str, ...] = ()
    authorization: tuple[str, ...] = ()
    #: Without parameters.
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one listening address."""

    loopback: bool
    #: Lower case; the port is None where any port is meant.
    names: frozenset[tuple[str, int | None]] = frozenset()
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, address: str, allowed_hosts: tuple[str, ...] = (), token: str | None = None) -> Self:
        """The rules of a port at HOST:PORT."""
        bound = parse_tcp(address)
        names = frozenset(name for text in allowed_hosts if (name := host_name(text)) is not None)
        return cls(bound is not None and bound.is_loopback, names, token)

    def knows(self, text: str) -> bool:
        """True for a Host that no page of another site can have.

        A page reaches us under its own name by giving that name our address (DNS rebinding); it cannot
        make a browser send an IP address, localhost, or a name that is not its own.
        """
        name = host_name(text)
        if name is None:
            return False
        host, _ = name
        if is_loopback_host(host) or name in self.names or (host, None) in self.names:
            return True
        # Who comes to loopback by another address comes through something that we do not know.
        return not self.loopback and ip_of(host) is not None


def needs(method: str, path: str) -> Need:
    """What a route needs; `path` is the route's own, or anything where there is no such route."""
    return _NEEDS.get(path, Need.CONTENT) if method in _READING else Need.CONTENT


def refusal(asked: Asked, need: Need, access: Access) -> Refusal | None:
    """The first reason not to answer, or None."""
    if len(asked.host) != 1 or asked.target != asked.host[0] or not access.knows(asked.host[0]):
        return Refusal("host", 403, "this port answers to its own names only: see admin.allowed_hosts")
    if need is Need.NAME:
        return None
    return _of_site(asked) or _of_token(asked, need, access) or _of_form(asked)


def _of_site(asked: Asked) -> Refusal | None:
    """Refuse what a browser sends for a page of another site."""
    foreign = any(site.lower() not in _OWN_SITES for site in asked.fetch_site)
    own = asked.host[0].lower()
    if foreign or any(origin.lower().partition("://")[2] != own for origin in asked.origin):
        return Refusal("site", 403, "not for pages of other sites")
    return None


def _of_token(asked: Asked, need: Need, access: Access) -> Refusal | None:
    if access.token is None:
        if need is Need.NUMBERS or access.loopback:
            return None
        message = "without admin.token this is answered on loopback only"
        return Refusal("token_unset", 403, message)
    if not asked.authorization:
        return Refusal("token_missing", 401, "this port needs its token: Authorization: Bearer TOKEN")
    if len(asked.authorization) != 1 or not _is_token(asked.authorization[0], access.token):
        return Refusal("token_wrong", 401, "this is not the port's token")
    return None


def _is_token(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    # Takes the same time however much of it is right.
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
    return same and scheme.lower() == "bearer"


def _of_form(asked: Asked) -> Refusal | None:
    """Refuse what a form or a simple cross-site request could carry, from a browser that does not say so."""
    if asked.method in _READING or asked.content_type in _JSON_TYPES:
        return None
    return Refusal("form", 415, "content-type must be application/json or application/x-ndjson")
