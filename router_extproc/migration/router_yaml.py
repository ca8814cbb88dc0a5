"""Writes a router.yaml with comments: above the values they are about, and a list at the end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from router_extproc.config.document import dump, load
from router_extproc.llm.answer import JsonValue
from router_extproc.migration.result import NotCarried, sentences

#: Width of a comment line, its indent included.
WIDTH: Final = 110
#: A line as YAML counts them, with its end.
_LINE: Final = re.compile("[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029])|[^\r\n\x85\u2028\u2029]+")
_TITLES: Final = {
    "behaviour": "Not carried over: these change what happens to some requests.",
    "setting": "Not carried over: settings of the old router that have no counterpart, or need none.",
}


def write(value: JsonValue, comments: Mapping[str, str], head: str, lost: Sequence[NotCarried]) -> str:
    """The file: `head` as a comment, the value with each comment above its path, and what was lost.

    comments: by YAML path of the value.
    """
    body = _with_comments(dump(value), comments)
    return "\n".join([*_comment(head, ""), "", body.rstrip("\n"), *_lost_lines(lost), ""])


def escape(value: JsonValue) -> JsonValue:
    """The value with every `${` escaped, so that no text of it is read from the environment."""
    match value:
        case str():
            return value.replace("${", "$${")
        case list():
            return [escape(item) for item in value]
        case dict():
            return {key: escape(item) for key, item in value.items()}
    return value


def _with_comments(text: str, comments: Mapping[str, str]) -> str:
    places = load(text, "router.yaml").places
    above: dict[int, list[str]] = {}
    for path, comment in comments.items():
        if comment and path in places:
            line, _ = places[path]
            above.setdefault(line, []).append(comment)
    lines: list[str] = []
    for number, written in enumerate(_LINE.findall(text), start=1):
        indent = written[: len(written) - len(written.lstrip(" "))]
        for comment in above.get(number, ()):
            lines += [f"{line}\n" for line in _comment(comment, indent)]
        lines.append(written)
    return "".join(lines)


def _lost_lines(lost: Sequence[NotCarried]) -> Iterable[str]:
    for severity, title in _TITLES.items():
        items = [item for item in lost if item.severity == severity]
        if items:
            yield from ("", *_comment(title, ""), "#")
        for sentence in sentences(items):
            yield from _comment(f"- {sentence}", "", follow="  ")


def _comment(text: str, indent: str, *, follow: str = "") -> list[str]:
    """Comment lines. A control character of a foreign text cannot end the line, nor the comment."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        plain = "".join(character if character.isprintable() else " " for character in paragraph)
        width = WIDTH - len(indent) - len("# ")
        lines += textwrap.wrap(plain, width, subsequent_indent=follow, break_on_hyphens=False) or [""]
    return [f"{indent}# {line}".rstrip() for line in lines]
