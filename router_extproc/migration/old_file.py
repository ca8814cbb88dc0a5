"""Reads another router's file key by key, so that whatever nobody asked for is reported at the end.

A value of the wrong kind is a problem with its path; all problems are raised together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from router_extproc.config.document import Document
from router_extproc.config.expand import join
from router_extproc.errors import ConfigError, ConfigProblems, Mark
from router_extproc.llm.answer import JsonValue
from router_extproc.migration.result import NotCarried, Severity


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a value is not carried over."""

    reason: str
    nearest: str = ""
    severity: Severity = "setting"


#: Patterns of paths, indexes left out (`categories[].model_scores[].score`), to why they are not carried.
Losses: TypeAlias = Mapping[str, Loss]

UNKNOWN: Final = Loss("not a key that this version knows", severity="setting")
_INDEX: Final = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Ledger:
    """What was found while a file was read."""

    document: Document
    file: str
    losses: Losses
    problems: list[ConfigError] = field(default_factory=list)
    not_carried: list[NotCarried] = field(default_factory=list)

    def add_problem(self, path: str, problem: str) -> None:
        """A value that cannot be read; noted once, however often it is asked for."""
        if any((each.path, each.problem) == (path, problem) for each in self.problems):
            return
        place = self.document.places.get(path)
        mark = None if place is None else Mark(self.file, *place)
        self.problems.append(ConfigError(path, problem, mark=mark))

    def lose(self, path: str, loss: Loss) -> None:
        """A value that is read, and has no counterpart; noted once for each reason."""
        if all((item.path, item.reason) != (path, loss.reason) for item in self.not_carried):
            line = self.line_of(path)
            self.not_carried.append(NotCarried(path, loss.reason, loss.nearest, loss.severity, line))

    def line_of(self, path: str) -> int | None:
        """Where the value is written."""
        place = self.document.places.get(path)
        return None if place is None else place[0]

    def loss_of(self, path: str) -> Loss:
        """Why a value that nobody asked for is not carried."""
        plain = _INDEX.sub("[]", path).replace("[]", "")
        return next((loss for glob, loss in self.losses.items() if fnmatchcase(plain, glob)), UNKNOWN)

    def check(self) -> None:
        """Raise ConfigProblems when some value could not be read."""
        if self.problems:
            raise ConfigProblems(tuple(self.problems))


class OldSection:
    """One mapping of the old file. Getters return None, or nothing, for a key that is not there."""

    def __init__(self, value: Mapping[object, object], path: str, ledger: Ledger) -> None:
        self.path: Final = path
        self.ledger: Final = ledger
        self._value: Final = {str(key): item for key, item in value.items()}
        self._read: Final[set[str]] = set()
        self._children: Final[dict[str, OldSection]] = {}

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def at(self, key: str) -> str:
        """The YAML path of a key."""
        return join(self.path, key)

    # ── scalars ───────────────────────────────────────────────────────────────────────────────

    def text(self, key: str) -> str | None:
        """A string; numbers and booleans are read as they are written."""
        value = self._take(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return str(value)
        self._refuse(key, "a text")
        return None

    def required(self, key: str) -> str:
        """A string that has to be there."""
        found = self.text(key)
        if not found:
            self.ledger.add_problem(self.at(key) if key in self._value else self.path, f"needs a {key}")
        return found or ""

    def number(self, key: str) -> float | None:
        """A number."""
        value = self._take(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self._refuse(key, "a number")
        return None

    def integer(self, key: str) -> int | None:
        """A whole number."""
        value = self.number(key)
        if value is None or value == int(value):
            return None if value is None else int(value)
        self._refuse(key, "a whole number")
        return None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return value
        self._refuse(key, "true or false")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
            return tuple(str(item) for item in value)
        self._refuse(key, "a list of texts")
        return ()

    def scalar(self, key: str) -> JsonValue:
        """A text, a number or a boolean, as it is."""
        value = self._take(key)
        if value is None or isinstance(value, str | int | float):
            return value
        self._refuse(key, "a text, a number or a boolean")
        return None

    # ── sections ──────────────────────────────────────────────────────────────────────────────

    def section(self, key: str) -> OldSection:
        """A mapping; an empty one where the key is not there."""
        value = self._take(key)
        if value is None or isinstance(value, Mapping):
            return self._child({} if value is None else value, self.at(key))
        self._refuse(key, "a section")
        return self._child({}, self.at(key))

    def sections(self, key: str) -> tuple[OldSection, ...]:
        """A list of mappings."""
        value = self._take(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            return tuple(self._child(item, join(self.at(key), index)) for index, item in enumerate(value))
        self._refuse(key, "a list of sections")
        return ()

    def named(self, key: str) -> Mapping[str, OldSection]:
        """A mapping of mappings."""
        outer = self.section(key)
        return {name: outer.section(name) for name in outer.keys()}  # noqa: SIM118 - no mapping itself

    def keys(self) -> Iterable[str]:
        """The names of the keys that are there."""
        return [key for key, value in self._value.items() if value is not None]

    # ── what is not carried ───────────────────────────────────────────────────────────────────

    def ignore(self, *keys: str) -> None:
        """Keys that say nothing to a router: descriptions."""
        self._read.update(keys)

    def lose(self, key: str, reason: str, nearest: str = "", *, setting: bool = False) -> None:
        """This key has no counterpart."""
        self._read.add(key)
        severity: Severity = "setting" if setting else "behaviour"
        self.ledger.lose(self.at(key) if key else self.path, Loss(reason, nearest, severity))

    def lose_if_there(self, key: str, reason: str, nearest: str = "", *, setting: bool = False) -> None:
        """The same, where the key is written."""
        if key in self:
            self.lose(key, reason, nearest, setting=setting)

    def ignore_rest(self) -> None:
        """The whole section is accounted for."""
        self._read.update(self._value)
        self._children.clear()

    def report_unread(self) -> None:
        """Note every key here and below that was never asked for."""
        for path in self.unread():
            self.ledger.lose(path, self.ledger.loss_of(path))

    def unread(self) -> Iterator[str]:
        """The path of every key here and below that was never asked for."""
        for key, value in self._value.items():
            # What is switched off is not missed.
            off = isinstance(value, Mapping) and value.get("enabled") is False
            if key not in self._read and value is not None and not off and value not in ({}, [], ""):
                yield self.at(key)
        for child in self._children.values():
            yield from child.unread()

    def _child(self, value: Mapping[object, object], path: str) -> OldSection:
        return self._children.setdefault(path, OldSection(value, path, self.ledger))

    def _take(self, key: str) -> object:
        self._read.add(key)
        return self._value.get(key)

    def _refuse(self, key: str, wanted: str) -> None:
        self.ledger.add_problem(self.at(key), f"must be {wanted}")
