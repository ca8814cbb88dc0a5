"""Who may share entries: a digest of the headers that name the client, or one scope for all.

It is not authentication; the pool behind checks the key. The rule it keeps: an absent header, an
empty one and several ones are three different scopes, and the header's value itself is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

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


class ScopeRules:
    """The scope rule of every decision."""

    def __init__(self, default: ScopeRule, own: Mapping[str, ScopeRule] = MappingProxyType({})) -> None:
        """`own`: of decisions that have another rule than `default`."""
        self._default: Final = default
        self._own: Final = dict(own)
        #: Each rule once, the default first.
        self.distinct: Final = tuple(dict.fromkeys((default, *self._own.values())))

    def of(self, decision: str | None) -> ScopeRule:
        """The rule for requests of a decision; None: of any that has no rule of its own."""
        return self._default if decision is None else self._own.get(decision, self._default)


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
