"""One entry of the patterns of what clients wrap around a question, as a file writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import Field

from router_extproc.conversation.harness import LINE, MESSAGE, AskTag, Passage, Pattern, Tag
from router_extproc.errors import ConfigError
from router_extproc.section import Section

#: Entries of a configuration, and texts of one entry.
ENTRIES_MAX: Final = 200
TEXTS_MAX: Final = 100
#: A passage that began with less would be found in what humans write.
START_CHARS_MIN: Final = 4
TEXT_CHARS_MAX: Final = 200
_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.: -]{2,63}").fullmatch


class HarnessEntry(Section):
    """What to leave out of user messages, or what in them is the question; see docs/routing.md."""

    #: What it is: a short word for `explain`.
    kind: str = Field(default="other", pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    #: Names of tags: <TAG ...> ... </TAG> is left out.
    tags: tuple[str, ...] = Field(default=(), max_length=TEXTS_MAX)
    #: A passage is left out that begins with one of these at the start of a line ...
    starts: tuple[str, ...] = Field(default=(), max_length=TEXTS_MAX)
    #: ... if the same line also holds this text ...
    line: str = Field(default="", max_length=TEXT_CHARS_MAX)
    #: ... up to the end of this text; "line" and "message": to the end of the line, of the message.
    until: str = Field(default=MESSAGE, min_length=1, max_length=TEXT_CHARS_MAX)
    #: Only in a message that holds this text, too.
    beside: str = Field(default="", max_length=TEXT_CHARS_MAX)
    #: Names of tags that a client puts around the question: only the tags are left out.
    asks: tuple[str, ...] = Field(default=(), max_length=TEXTS_MAX)
    #: Of `asks`: whatever else the message holds is no question.
    alone: bool = False

    def problems(self, path: str) -> Iterator[ConfigError]:
        """What no single field can tell; `path` is the entry's YAML path."""
        if sum(map(bool, (self.tags, self.starts, self.asks))) != 1:
            yield ConfigError(path, "write one of tags, starts and asks")
        for member in ("tags", "asks"):
            for index, name in enumerate(getattr(self, member)):
                if not _TAG(name):
                    problem = f"must be the name of a tag without its angle brackets, got {name!r}"
                    yield ConfigError(f"{path}.{member}[{index}]", problem)
        for index, start in enumerate(self.starts):
            if (
                not START_CHARS_MIN <= len(start) <= TEXT_CHARS_MAX
                or start != start.lstrip()
                or "\n" in start
            ):
                problem = f"must be {START_CHARS_MIN} to {TEXT_CHARS_MAX} characters at the start of a line"
                yield ConfigError(f"{path}.starts[{index}]", problem)

    def patterns(self) -> Iterator[Pattern]:
        """The patterns that the entry means."""
        yield from (Tag(self.kind, name, self.beside) for name in self.tags)
        yield from (Passage(self.kind, start, self.line, self.until, self.beside) for start in self.starts)
        yield from (AskTag(name, self.alone) for name in self.asks)


__all__ = ["ENTRIES_MAX", "LINE", "MESSAGE", "HarnessEntry"]
