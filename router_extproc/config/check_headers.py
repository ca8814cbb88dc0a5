"""Checks of the names of headers, and of members in scopes: what never arrives must not divide clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from router_extproc.config.decisions import Scope, ScopeFields
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.protocol.names import ROUTER_HEADER_PREFIX
from router_extproc.signals.claim import ClaimSettings
from router_extproc.signals.header import HeaderSettings

#: RFC 9110, section 5.6.2; a pseudo-header begins with a colon.
_NAME: Final = re.compile(r":?[A-Za-z0-9!#$%&'*+.^_`|~-]+").fullmatch
_PSEUDO: Final = frozenset({":authority", ":method", ":path", ":scheme"})
#: What tells one client from another: of the pseudo-headers only the host that it called.
_TELLS_CLIENTS: Final = ":authority"
#: Of one connection only (RFC 9110, section 7.6.1): Envoy removes them before any filter
#: (conn_manager_utility.cc, mutateRequestHeaders).
HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)
#: Of how a request travels: no client is told by them.
_OF_TRANSPORT: Final = frozenset({"te", "trailer"})
#: New with every request: made by Envoy, by a tracer or by the client's library.
OF_ONE_REQUEST: Final = frozenset(
    {
        "b3", "content-length", "date", "idempotency-key", "traceparent", "tracestate", "x-amzn-trace-id",
        "x-b3-spanid", "x-b3-traceid", "x-cloud-trace-context", "x-correlation-id", "x-request-id",
    }
)  # fmt: skip
#: Headers that say nothing of who asks.
NO_IDENTITY: Final = HOP_BY_HOP | _OF_TRANSPORT | OF_ONE_REQUEST
#: One member after the other, with dots between them.
_BODY_PATH: Final = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}").fullmatch
#: Members that are in every key, or in none because they change no answer: no client is told by them.
_OF_THE_QUESTION: Final = frozenset({"messages", "model", "stream", "stream_options"})


def check_headers(config: Config) -> Iterator[ConfigError]:
    """Every problem of a header's name."""
    for path, scope in scopes_of(config):
        yield from _check_scope(path, scope)
    for key, signal in config.signals.items():
        if isinstance(signal, HeaderSettings | ClaimSettings) and (problem := _why_absent(signal.header)):
            yield ConfigError(f"signals.{key}.header", f"{problem}, so it would never match")
    for key in ("by_header", "claim_header"):
        if problem := _why_no_tenant(getattr(config.savings, key)):
            yield ConfigError(f"savings.{key}", f"{problem}, so no tenant would be told by it")
    if problem := _why_no_tenant(config.sessions.claim_header):
        yield ConfigError("sessions.claim_header", f"{problem}, so no session would be named by it")
    yield from _check_stripped(config)


def _why_no_tenant(name: str | None) -> str | None:
    return None if name is None else _why_absent(name) or _why_shared(name)


def _check_scope(path: str, scope: ScopeFields) -> Iterator[ConfigError]:
    if scope.headers == () and not scope.body:
        yield ConfigError(path, "names nothing; write headers, members of the body, or shared")
    for index, name in enumerate(scope.headers or ()):
        if problem := _why_absent(name) or _why_shared(name):
            what = f"{problem}, so all clients would share their answers"
            yield ConfigError(f"{path}.headers[{index}]", what)
    for index, member in enumerate(scope.body):
        if problem := _why_no_member(member):
            yield ConfigError(f"{path}.body[{index}]", problem)


def _why_no_member(path: str) -> str | None:
    """Why this member of the body does not tell clients apart."""
    if not _BODY_PATH(path):
        return "must be the names of members with dots between them, at most 8, as in metadata.user_id"
    if path.partition(".")[0] in _OF_THE_QUESTION:
        return f"'{path}' is part of what is asked, and tells no client from another"
    return None


def _check_stripped(config: Config) -> Iterator[ConfigError]:
    for index, name in enumerate(config.envoy.strip_headers):
        if problem := _why_not_stripped(name):
            yield ConfigError(f"envoy.strip_headers[{index}]", problem)


def scopes_of(config: Config) -> Iterator[tuple[str, ScopeFields]]:
    """Every scope by headers or members of the body, with its path."""
    scopes: list[tuple[str, Scope]] = [("semantic_cache.scope", config.semantic_cache.scope)]
    scopes += [
        (f"decisions[{index}].cache.scope", decision.cache.scope)
        for index, decision in enumerate(config.decisions)
        if decision.cache.scope is not None
    ]
    for path, scope in scopes:
        if isinstance(scope, ScopeFields):
            yield path, scope


def _why_absent(name: str) -> str | None:
    """Why no request has the header when we see it."""
    lower = name.lower()
    if not _is_name(lower):
        return f"{name!r} is not a header name"
    if lower == "host":
        return "Envoy passes ':authority' instead of 'host'"
    if lower in HOP_BY_HOP:
        return f"Envoy removes '{name}', because it belongs to one connection"
    return None


def _why_shared(name: str) -> str | None:
    """Why the header is the same for everybody."""
    lower = name.lower()
    if lower.startswith(ROUTER_HEADER_PREFIX):
        return "x-router-* headers are removed from requests"
    if lower in _OF_TRANSPORT or (lower in _PSEUDO and lower != _TELLS_CLIENTS):
        return f"'{name}' is the same for all clients"
    return None


def _why_not_stripped(name: str) -> str | None:
    lower = name.lower()
    if not _is_name(lower):
        return f"{name!r} is not a header name"
    if lower == "host" or lower in _PSEUDO:
        return f"every request needs '{name}', so it cannot be removed"
    return None


def _is_name(lower: str) -> bool:
    return bool(_NAME(lower)) and (not lower.startswith(":") or lower in _PSEUDO)
