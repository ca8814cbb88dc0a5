"""Reads a configuration file again while another configuration is in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from router_extproc.config.examine import examine
from router_extproc.config.fixed import fixed_changes
from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning
from router_extproc.errors import ConfigError, ConfigProblems


@dataclass(frozen=True, slots=True)
class Readable:
    """A configuration that may take the place of the one in force."""

    config: Config = field(repr=False)
    warnings: tuple[ConfigWarning, ...] = ()
    #: What its `shadow_policy` names; None: nothing.
    shadow: Config | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is none: every problem, in the order of the file."""

    problems: tuple[ConfigError, ...]


Candidate: TypeAlias = Readable | Refused


def read_candidate(file: Path, started: Config) -> Candidate:
    """The file as it is now; `started`: what the process was started with, as it was read then."""
    try:
        report = examine(file)
        config = report.accepted()
    except ConfigProblems as error:
        return Refused(error.problems)
    fixed = report.located(fixed_changes(started, config))
    return (
        Refused(tuple(sorted(fixed, key=_line)))
        if fixed
        else Readable(config, report.warnings, report.shadow)
    )


def _line(problem: ConfigError) -> int:
    return 0 if problem.mark is None else problem.mark.line
