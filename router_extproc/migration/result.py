"""What a migration gives: the new configuration, the choices made, and what was not carried over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from router_extproc.llm.answer import JsonValue

#: "behaviour": some requests are treated otherwise than before. "setting": only how the old router ran.
Severity: TypeAlias = Literal["behaviour", "setting"]


@dataclass(frozen=True, slots=True)
class NotCarried:
    """A value of the old file that has no counterpart in the new one."""

    #: Its YAML path in the old file.
    path: str
    reason: str
    #: The nearest thing here; empty: there is none.
    nearest: str
    severity: Severity
    #: Its line in the old file, from one on; None: not known.
    line: int | None = None

    @property
    def place(self) -> str:
        """The path, and the line where it is written."""
        return self.path if self.line is None else f"{self.path} (line {self.line})"


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the old file left something open, or says it in another way: what the new file says now."""

    #: The YAML path in the new file.
    path: str
    comment: str


def sentences(items: Iterable[NotCarried]) -> Iterator[str]:
    """One sentence for each reason, with all the places that it holds for."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in items:
        groups.setdefault((item.reason, item.nearest), []).append(item.place)
    for (reason, nearest), places in groups.items():
        hint = f" Nearest: {nearest}." if nearest else ""
        yield f"{', '.join(places)}: {reason}.{hint}"


@dataclass(frozen=True, slots=True)
class Migration:
    """A configuration that was moved in."""

    #: The form in which the old file was written.
    form: str
    #: The new file: valid, commented, with the list of what was not carried over at its end.
    text: str
    value: JsonValue
    choices: tuple[Choice, ...]
    #: Behaviour first, then settings; each in the order of the old file.
    not_carried: tuple[NotCarried, ...]

    @property
    def changes_behaviour(self) -> bool:
        """True when some requests are treated otherwise than by the old router."""
        return any(item.severity == "behaviour" for item in self.not_carried)
