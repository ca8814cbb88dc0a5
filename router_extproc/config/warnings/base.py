"""What a warning is: a configuration that is served, but is dangerous, useless or half broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from router_extproc.config.model import Config
from router_extproc.config.sources import Sources
from router_extproc.errors import Mark


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """One doubtful place of a configuration."""

    #: The YAML path.
    path: str
    #: What follows from it, and what to write instead; no value of a secret.
    problem: str
    #: Where it is written; filled in by the registry.
    mark: Mark | None = None

    def __str__(self) -> str:
        """As an error is written: `PATH: PROBLEM`."""
        return f"{self.path}: {self.problem}"

    def located(self) -> str:
        """The warning behind its file and line: `router.yaml:12: warning: PATH: PROBLEM`."""
        return str(self) if self.mark is None else f"{self.mark.file}:{self.mark.line}: warning: {self}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a warning may look at."""

    #: Every value has its section's form; references may still lead nowhere.
    config: Config
    sources: Sources

    def is_written(self, path: str) -> bool:
        """True when a file says something of the path."""
        return self.sources.is_written(path)


#: Looks at one topic; yields, never raises.
Warn: TypeAlias = Callable[[Subject], Iterator[ConfigWarning]]
