"""Reads a configuration file again while another configuration is in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from router_extproc.config.check_selections import own_signals
from router_extproc.config.examine import examine
from router_extproc.config.fixed import fixed_changes
from router_extproc.config.heads import all_head_files, heads_digest
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
    #: Of the trained heads that its signals name, as they are now.
    heads: str = ""

    @property
    def head_files(self) -> tuple[Path, ...]:
        """The files that tell whether a head was trained anew."""
        return head_files_of(self.config, self.shadow)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is none: every problem, in the order of the file."""

    problems: tuple[ConfigError, ...]


Candidate: TypeAlias = Readable | Refused


def read_candidate(file: Path, started: Config) -> Candidate:
    """The file as it is now; `started`: what the process was started with, as it was read then."""
    if file.is_fifo():
        # Opening it would wait for a writer, and every later reload with it.
        return Refused((ConfigError("", f"cannot read {file}: it is a pipe"),))
    try:
        report = examine(file)
        config = report.accepted()
    except ConfigProblems as error:
        return Refused(error.problems)
    fixed = report.located(fixed_changes(started, config))
    if fixed:
        return Refused(tuple(sorted(fixed, key=_line)))
    heads = heads_digest(head_files_of(config, report.shadow))
    return Readable(config, report.warnings, report.shadow, heads)


def head_files_of(config: Config, shadow: Config | None) -> tuple[Path, ...]:
    """The files that tell whether a head of either policy was trained anew."""
    more = () if shadow is None else (shadow.signals, own_signals(shadow))
    named = (config.signals, own_signals(config), *more)
    return tuple(file for signals in named for file in all_head_files(signals))


def _line(problem: ConfigError) -> int:
    return 0 if problem.mark is None else problem.mark.line
