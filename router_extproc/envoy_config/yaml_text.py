"""Writes a tree of plain values as YAML, with the reason of a value as a comment above it.

It is not a YAML library: it writes mappings, lists, strings, numbers and booleans, which is all that
an Envoy configuration has. The rule it keeps: any string that could be read as something else is
quoted, and key order is the order of the tree.
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
#: Words that YAML 1.1 readers take for booleans or null.
_NOT_STRINGS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def write_yaml(tree: Mapping[str, Tree], *, head: str, reasons: Reasons) -> str:
    """The whole file: `head` as a comment, then the tree with the reasons that fit its keys."""
    lines = [*_comment(head, ""), "", *_mapping(tree, "", (), reasons)]
    return "\n".join(lines) + "\n"


def reason_of(path: Sequence[str], reasons: Reasons) -> str | None:
    """The reason with the longest key that ends `path`, or None."""
    for start in range(len(path)):
        reason = reasons.get(".".join(path[start:]))
        if reason is not None:
            return reason
    return None


def _mapping(tree: Mapping[str, Tree], indent: str, path: tuple[str, ...], reasons: Reasons) -> Iterator[str]:
    for key, value in tree.items():
        here = (*path, key)
        reason = reason_of(here, reasons)
        if reason is not None:
            yield from _comment(reason, indent)
        yield from _entry(f"{indent}{_scalar(key)}:", value, indent, here, reasons)


def _entry(label: str, value: Tree, indent: str, path: tuple[str, ...], reasons: Reasons) -> Iterator[str]:
    match value:
        case Mapping() if value:
            yield label
            yield from _mapping(value, indent + "  ", path, reasons)
        case list() | tuple() if value:
            yield label
            yield from _items(value, indent, path, reasons)
        case _:
            yield f"{label} {_scalar(value)}"


def _items(values: Sequence[Tree], indent: str, path: tuple[str, ...], reasons: Reasons) -> Iterator[str]:
    for value in values:
        if not isinstance(value, Mapping):
            yield f"{indent}- {_scalar(value)}"
            continue
        inner = indent + "  "
        lines = list(_mapping(value, inner, _named(path, value), reasons))
        # The dash stands on the first line that is not a comment.
        first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
        lines[first] = f"{indent}- {lines[first][len(inner) :]}"
        yield from lines


def _named(path: tuple[str, ...], item: Mapping[str, Tree]) -> tuple[str, ...]:
    """List items are told apart by their name, so that a reason can be given to one of them."""
    name = item.get("name")
    return (*path, name) if isinstance(name, str) else path


def _scalar(value: Tree) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_STRINGS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.splitlines():
        for line in textwrap.wrap(paragraph, _COMMENT_WIDTH - len(indent)) or [""]:
            yield f"{indent}# {line}".rstrip()
