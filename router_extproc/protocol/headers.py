"""Header fields as values: what Envoy sent, and what we ask it to change.

A mutation that Envoy forbids, or whose value could end its line, cannot be built.
Source: external_processor.proto, HeaderMutation; base.proto, HeaderValue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from router_extproc.errors import LocalProtocolError

#: What Envoy's listener takes of a request; it also refuses a reply of ours that would exceed it, with an
#: empty 500. So the server refuses what leaves no room for what it adds.
REQUEST_HEADERS_MAX: Final = 200
REQUEST_HEADERS_BYTES_MAX: Final = 60 * 1024
#: Left free for the routing headers, those of a decision, a new content-length, and what Envoy may add.
ADDED_HEADERS_MAX: Final = 16
ADDED_HEADERS_BYTES_MAX: Final = 4096

_CONTENT_LENGTH: Final = "content-length"
_FORBIDDEN: Final = frozenset({"host", ":method", ":authority", ":scheme"})
_FORBIDDEN_PREFIX: Final = "x-envoy"
_NAME: Final = re.compile(r":?[a-z0-9!#$%&'*+.^_`|~-]+").fullmatch
#: What fits 64 bits; Envoy refuses more.
_LENGTH: Final = re.compile("[0-9]{1,19}").fullmatch
_ENDS_LINE: Final = re.compile(r"[\r\n\0]").search

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Headers:
    """A multi-map of header fields in Envoy's order; names are compared without case.

    Values are UTF-8 with surrogate escapes, so that any bytes survive the way in and out.
    """

    pairs: tuple[Pair, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple([(name.lower(), value) for name, value in self.pairs]))

    def get(self, name: str) -> str | None:
        """The first value, or None."""
        wanted = name.lower()
        for found, value in self.pairs:
            if found == wanted:
                return value
        return None

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of this name, in order."""
        wanted = name.lower()
        return tuple(value for found, value in self.pairs if found == wanted)

    @property
    def leave_room(self) -> bool:
        """True when Envoy's limits leave room for the headers that we add."""
        size = sum(len(name) + _size(value) for name, value in self.pairs)
        few = len(self.pairs) <= REQUEST_HEADERS_MAX - ADDED_HEADERS_MAX
        return few and size <= REQUEST_HEADERS_BYTES_MAX - ADDED_HEADERS_BYTES_MAX

    def content_length(self) -> int | None:
        """The announced size of the body in bytes, if a readable one is announced."""
        value = self.get(_CONTENT_LENGTH) or ""
        return int(value) if _LENGTH(value) else None

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        """Names only: values hold keys and cookies."""
        return f"Headers({', '.join(name for name, _ in self.pairs)})"


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in _FORBIDDEN or name.startswith(_FORBIDDEN_PREFIX):
            raise LocalProtocolError(f"Envoy does not let {name} be changed")
        if not _NAME(name):
            raise LocalProtocolError(f"{name!r} is not a header name in lower case")
        if name in seen:
            raise LocalProtocolError(f"{name} comes twice: the second value would overwrite the first")
        seen.add(name)


@dataclass(frozen=True, slots=True)
class HeaderMutation:
    """Fields to overwrite (or add) and fields to remove.

    Raises:
        LocalProtocolError: Envoy forbids the change, a name comes twice, or a value ends its line.
    """

    overwrite: tuple[Pair, ...] = ()
    remove: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_names([name for name, _ in self.overwrite])
        _check_names(self.remove)
        for name, value in self.overwrite:
            if _ENDS_LINE(value):
                raise LocalProtocolError(f"the value of {name} holds a line end")

    def sets(self, name: str) -> bool:
        """True when `name` (lower case) is overwritten."""
        return any(found == name for found, _ in self.overwrite)

    def touches(self, name: str) -> bool:
        """True when `name` (lower case) is overwritten or removed."""
        return self.sets(name) or name in self.remove

    def without_content_length(self) -> HeaderMutation:
        """The same, and content-length is removed, as the core wants it."""
        return HeaderMutation(self.overwrite, (*self.remove, _CONTENT_LENGTH))

    def with_content_length(self, length_bytes: int) -> HeaderMutation:
        """The same, and content-length as the core wants it."""
        kept = tuple(pair for pair in self.overwrite if pair[0] != _CONTENT_LENGTH)
        return HeaderMutation((*kept, (_CONTENT_LENGTH, str(length_bytes))), self.remove)


#: Changes nothing.
NO_MUTATION: Final = HeaderMutation()


def _size(value: str) -> int:
    """Bytes on the wire."""
    return len(value) if value.isascii() else len(value.encode("utf-8", "surrogateescape"))
