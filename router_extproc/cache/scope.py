"""Who may share entries: a digest of what tells one client from another, or one scope for all.

Headers tell clients apart, and members of the body where the operator names some. A request in which none of
them says anything shares with nobody. Only the digest is kept, never a value. The pool behind still
authenticates the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import orjson

from router_extproc.cache.base import Scope
from router_extproc.cache.digest import digest, text
from router_extproc.llm.answer import JsonObject, JsonValue

_PURPOSE = b"rx-scope-2"
_NO_BODY: Final[JsonObject] = {}
_ABSENT: Final = b""
#: Different lists of headers in one configuration; more are made again.
_RULES_KEPT: Final = 64
#: What a client library sends that was given no key.
_NO_CREDENTIAL: Final = frozenset({b"", b"bearer", b"basic"})

#: The headers in which clients usually say who they are; those of gateways that have authenticated them, too.
CREDENTIALS: Final = (
    "api-key",
    "authorization",
    "cf-access-jwt-assertion",
    "cookie",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "x-access-token",
    "x-amz-security-token",
    "x-amzn-oidc-data",
    "x-api-key",
    "x-api-token",
    "x-auth-token",
    "x-forwarded-access-token",
    "x-goog-api-key",
    "x-goog-iap-jwt-assertion",
    "x-ms-client-principal",
)

#: The names of members, from the body inwards.
BodyPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientScope:
    """Requests share entries when all of these are equal."""

    #: In lower case.
    headers: tuple[str, ...] = CREDENTIALS
    body: tuple[BodyPath, ...] = ()
    #: Requests in which none of these says anything share among themselves.
    anonymous_share: bool = False


@dataclass(frozen=True, slots=True)
class SharedScope:
    """Everybody shares entries."""


ScopeRule: TypeAlias = ClientScope | SharedScope


def scope_of(
    rule: ScopeRule, headers: Iterable[tuple[str, bytes]], body: Mapping[str, JsonValue] = _NO_BODY
) -> Scope | None:
    """The scope of a request; None: nothing in it says who asks, so it shares with nobody.

    headers: in the order they came, a name may come several times. body: the request's own object, which its
    dialect has found to be nested no deeper than it can be written again.
    """
    if isinstance(rule, SharedScope):
        return Scope(digest(_PURPOSE, (b"shared",)))
    names, all_names = _named(rule.headers)
    values = _header_values(names, headers)
    members = [(path, _member(body, path)) for path in sorted(set(rule.body))]
    is_anonymous = not any(map(_says_something, values.values())) and all(
        _is_blank(value) for _, value in members
    )
    if is_anonymous and not rule.anonymous_share:
        return None
    # With the names of absent ones, too: what a rule with fewer headers stored, one with more never finds.
    fields = (b"client", all_names, *_header_fields(values), *_body_fields(members))
    return Scope(digest(_PURPOSE, fields))


@lru_cache(maxsize=_RULES_KEPT)
def _named(headers: tuple[str, ...]) -> tuple[frozenset[str], bytes]:
    """The names that a rule looks for, and all of them as one field."""
    names = sorted({name.lower() for name in headers})
    return frozenset(names), text("\n".join(names))


def _header_values(names: frozenset[str], headers: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for given, value in headers:
        name = given.lower()
        if name in names:
            found.setdefault(name, []).append(value)
    return found


def _says_something(values: Sequence[bytes]) -> bool:
    return any(value.strip().lower() not in _NO_CREDENTIAL for value in values)


def _header_fields(headers: Mapping[str, list[bytes]]) -> Iterator[bytes]:
    # The count in front of the values tells "a, b" from "a" and "b".
    for name in sorted(headers):
        yield text(name)
        yield b"%d" % len(headers[name])
        yield from headers[name]


def _member(body: Mapping[str, JsonValue], path: BodyPath) -> JsonValue:
    """What the path leads to; None: nothing, for null is the same as left out."""
    value = body.get(path[0])
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_blank(value: JsonValue) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _body_fields(members: Sequence[tuple[BodyPath, JsonValue]]) -> Iterator[bytes]:
    yield b"body"
    for path, value in members:
        yield b"%d" % len(path)
        yield from map(text, path)
        # No JSON value is written as nothing, so a member that is absent has a value of its own.
        yield _ABSENT if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
