"""Checks of header names: what can never arrive must not be waited for, and above all not divide clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from router_extproc.config.model import Config, ScopeHeaders
from router_extproc.errors import ConfigError
from router_extproc.protocol.names import ROUTER_HEADER_PREFIX
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


def check_headers(config: Config) -> Iterator[ConfigError]:
    """Every problem of a header's name."""
    for path, scope in scopes_of(config):
        for index, name in enumerate(scope.headers):
            if problem := _why_absent(name) or _why_shared(name):
                what = f"{problem}, so all clients would share their answers"
                yield ConfigError(f"{path}.headers[{index}]", what)
    for key, signal in config.signals.items():
        if isinstance(signal, HeaderSettings) and (problem := _why_absent(signal.header)):
            yield ConfigError(f"signals.{key}.header", f"{problem}, so it would never match")
    yield from _check_stripped(config)


def _check_stripped(config: Config) -> Iterator[ConfigError]:
    for index, name in enumerate(config.envoy.strip_headers):
        if problem := _why_not_stripped(name):
            yield ConfigError(f"envoy.strip_headers[{index}]", problem)


def scopes_of(config: Config) -> Iterator[tuple[str, ScopeHeaders]]:
    """Every scope by headers, with its path."""
    scopes = [("semantic_cache.scope", config.semantic_cache.scope)]
    scopes += [
        (f"decisions[{index}].cache.scope", decision.cache.scope)
        for index, decision in enumerate(config.decisions)
        if decision.cache.scope is not None
    ]
    for path, scope in scopes:
        if isinstance(scope, ScopeHeaders):
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
