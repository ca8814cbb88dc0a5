"""Who may share entries: a digest of the headers that name the client, or one scope for all.

An absent header, an empty one and several ones are three different scopes. Only the digest is kept, never a
header's value. The pool behind still authenticates the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from router_extproc.cache.base import Scope
from router_extproc.cache.digest import digest, text

_PURPOSE = b"rx-scope"


@dataclass(frozen=True, slots=True)
class HeaderScope:
    """Requests share entries when all these headers are equal; names in lower case."""

    names: tuple[str, ...] = ("authorization",)


@dataclass(frozen=True, slots=True)
class SharedScope:
    """Everybody shares entries."""


ScopeRule: TypeAlias = HeaderScope | SharedScope


def scope_of(rule: ScopeRule, headers: Iterable[tuple[str, bytes]]) -> Scope:
    """The scope of a request; `headers` in the order they came, a name may come several times."""
    if isinstance(rule, SharedScope):
        return Scope(digest(_PURPOSE, (b"shared",)))
    return Scope(digest(_PURPOSE, (b"headers", *_header_fields(rule.names, tuple(headers)))))


def _header_fields(names: Sequence[str], headers: Sequence[tuple[str, bytes]]) -> Iterator[bytes]:
    # The count in front of the values tells "absent" from "empty" and "a, b" from "a" and "b".
    for name in sorted({name.lower() for name in names}):
        values = [value for given, value in headers if given.lower() == name]
        yield text(name)
        yield b"%d" % len(values)
        yield from values
