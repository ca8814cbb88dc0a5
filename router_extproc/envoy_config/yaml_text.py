"""Writes a tree of plain values as YAML, with the reason of a value as a comment above it.

It writes mappings, lists, strings, numbers and booleans, which is all that an Envoy configuration has.
Any string that could be read as something else is quoted, and key order is the order of the tree.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

#: What protobuf's JSON form is made of.
Tree: TypeAlias = "Mapping[str, Tree] | Sequence[Tree] | str | int | float | bool"

#: A place in the tree from the inside out: the last keys of a path, joined by dots, to the reason.
Reasons: TypeAlias = Mapping[str, str]

_COMMENT_WIDTH = 100
#: Words, paths, and durations such as 0.200s.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*|[0-9]+(\.[0-9]+)?s")
#: What single quotes can hold as it is.
_UNESCAPED = re.compile(r"[^'\\\x00-\x1f\x7f]*")
#: Words that YAML 1.1 readers take for booleans or null.
_NOT_STRINGS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def write_yaml(tree: Mapping[str, Tree], *, head: str, reasons: Reasons) -> str:
    """The whole file: `head` as a comment, then the tree; each reason once, at the first place it fits."""
    lines = [*_comment(head, ""), "", *_Writer(reasons).mapping(tree, "", ())]
    return "\n".join(lines) + "\n"


def reason_of(path: Sequence[str], reasons: Reasons) -> str | None:
    """The reason with the longest key that ends `path`, or None."""
    for start in range(len(path)):
        reason = reasons.get(".".join(path[start:]))
        if reason is not None:
            return reason
    return None


class _Writer:
    """Writes one file; remembers which reasons it has given."""

    def __init__(self, reasons: Reasons) -> None:
        self._reasons = reasons
        self._given: set[str] = set()

    def mapping(self, tree: Mapping[str, Tree], indent: str, path: tuple[str, ...]) -> Iterator[str]:
        for key, value in tree.items():
            here = (*path, key)
            yield from self._reason(here, indent)
            yield from self._entry(f"{indent}{_scalar(key)}:", value, indent, here)

    def _entry(self, label: str, value: Tree, indent: str, path: tuple[str, ...]) -> Iterator[str]:
        match value:
            case Mapping() if value:
                yield label
                yield from self.mapping(value, indent + "  ", path)
            case list() | tuple() if value:
                yield label
                yield from self._items(value, indent, path)
            case _:
                yield f"{label} {_scalar(value)}"

    def _items(self, values: Sequence[Tree], indent: str, path: tuple[str, ...]) -> Iterator[str]:
        for value in values:
            if isinstance(value, Mapping):
                yield from self._item(value, indent, _named(path, value))
            else:
                yield f"{indent}- {_scalar(value)}"

    def _item(self, value: Mapping[str, Tree], indent: str, path: tuple[str, ...]) -> Iterator[str]:
        if "name" in value:
            yield from self._reason(path, indent)
        inner = indent + "  "
        lines = list(self.mapping(value, inner, path))
        # The dash stands on the first line that is not a comment.
        first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
        lines[first] = f"{indent}- {lines[first][len(inner) :]}"
        yield from lines

    def _reason(self, path: tuple[str, ...], indent: str) -> Iterator[str]:
        reason = reason_of(path, self._reasons)
        if reason is not None and reason not in self._given:
            self._given.add(reason)
            yield from _comment(reason, indent)


def _named(path: tuple[str, ...], item: Mapping[str, Tree]) -> tuple[str, ...]:
    """List items are told apart by their name, so that a reason can be given to one of them."""
    name = item.get("name")
    return (*path, name) if isinstance(name, str) else path


def _scalar(value: Tree) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_STRINGS:
        return value
    if isinstance(value, str) and '"' in value and _UNESCAPED.fullmatch(value):
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.splitlines():
        for line in textwrap.wrap(paragraph, _COMMENT_WIDTH - len(indent)) or [""]:
            yield f"{indent}# {line}".rstrip()
