"""The files that a configuration was read from: where each value is written, and what is secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.config.document import Place
from router_extproc.config.expand import Expanded, join
from router_extproc.errors import Mark

#: Keys whose values let somebody in, in whatever section.
SECRET_KEYS: Final = frozenset({"password", "token", "debug_token"})
#: A way up: the last key or index of a path.
_LAST: Final = re.compile(r"(\.[^.\[]*|\[\d+\])$|^[^.\[]+$")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a configuration."""

    #: Its name as it was given.
    file: str
    #: The YAML path under which its document is a part of the configuration; "": it is the whole.
    prefix: str
    #: As it is written.
    written: object
    expanded: Expanded
    places: Mapping[str, Place]

    def inner(self, path: str) -> str:
        """The path inside this file's own document."""
        return path.removeprefix(self.prefix).removeprefix(".")

    def outer(self, inner: str) -> str:
        """The path in the whole configuration."""
        return f"{self.prefix}.{inner}" if self.prefix and inner else self.prefix or inner

    def mark(self, path: str) -> Mark:
        """Where the value of a path is written, or the nearest section around it that is."""
        inner = self.inner(path)
        while inner and inner not in self.places:
            inner = _LAST.sub("", inner)
        return Mark(self.file, *self.places.get(inner, (1, 1)))

    def values(self) -> Iterator[tuple[str, str | int | None, object]]:
        """Path, key and value of everything, environment variables filled in."""
        yield from _walk(self.expanded.value, self.prefix, None)

    def written_values(self) -> Iterator[tuple[str, str | int | None, object]]:
        """The same as it is written."""
        yield from _walk(self.written, self.prefix, None)

    def secrets_in_clear(self) -> Iterator[str]:
        """Paths of secrets that are written into the file."""
        for path, key, value in self.values():
            is_environments = self.inner(path) in self.expanded.secret_paths
            if key in SECRET_KEYS and isinstance(value, str) and value and not is_environments:
                yield path


@dataclass(frozen=True, slots=True)
class Sources:
    """Every file of a configuration, the configuration file itself first."""

    files: tuple[Source, ...]

    def mark(self, path: str) -> Mark:
        """Where the value of a path is written."""
        return self.of(path).mark(path)

    def of(self, path: str) -> Source:
        """The file that has the value of a path."""
        named = [source for source in self.files if source.prefix and is_under(path, source.prefix)]
        return (named or [*self.files])[0]

    def is_written(self, path: str) -> bool:
        """True when the file says something of the path, and does not leave it to the default."""
        source = self.of(path)
        return source.inner(path) in source.places


def is_under(path: str, section: str) -> bool:
    """True for the section's own path and for those inside it."""
    return path == section or path.startswith((f"{section}.", f"{section}["))


def _walk(value: object, path: str, key: str | int | None) -> Iterator[tuple[str, str | int | None, object]]:
    yield path, key, value
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list):
        items = list(enumerate(value))
    for name, item in items:
        yield from _walk(item, join(path, name), name)
