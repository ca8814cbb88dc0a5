"""The `#:` comments of a section's fields, as descriptions for whoever writes a configuration."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from router_extproc.section import Section

_COMMENT: Final = re.compile(r"\s*#: ?(.*)")


def comments_of(section: type[Section]) -> Mapping[str, str]:
    """Comment by field, inherited fields included; empty where the source is not there."""
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if issubclass(kind, Section):
            found |= _own_comments(kind)
    return found


def _own_comments(section: type[Section]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(section))
    except (OSError, TypeError):
        return {}
    (definition,) = ast.parse(source).body
    lines = source.splitlines()
    fields = [node for node in ast.walk(definition) if isinstance(node, ast.AnnAssign)]
    named = {node.target.id: node.lineno for node in fields if isinstance(node.target, ast.Name)}
    texts = {name: _comment_above(lines[: line - 1]) for name, line in named.items()}
    return {name: text for name, text in texts.items() if text}


def _comment_above(lines: Sequence[str]) -> str:
    """The comment that ends in the last of the lines."""
    comment: list[str] = []
    for line in reversed(lines):
        match = _COMMENT.fullmatch(line)
        if match is None:
            break
        comment.insert(0, match[1])
    return " ".join(comment)
