"""Everything that can be said of a configuration without starting it: errors and warnings.

For `check` and for the start of `serve`; whoever only needs the values uses `read_config`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from router_extproc.config.check_serving import check_serving
from router_extproc.config.model import Config
from router_extproc.config.read import inspect_config
from router_extproc.config.shadow import read_shadow
from router_extproc.config.sources import Sources
from router_extproc.config.warnings import warnings_of
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.errors import ConfigError, ConfigProblems


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say of a configuration."""

    #: None: there is none, because of the errors.
    config: Config | None
    sources: Sources
    errors: tuple[ConfigError, ...]
    #: Empty, too, when values are malformed: what follows from them is not known.
    warnings: tuple[ConfigWarning, ...]
    #: What `shadow_policy` names; None: nothing.
    shadow: Config | None = None

    def accepted(self) -> Config:
        """The configuration to serve.

        Raises:
            ConfigProblems: there are errors.
        """
        if self.config is None or self.errors:
            raise ConfigProblems(self.errors)
        return self.config

    def located(self, errors: Iterable[ConfigError]) -> tuple[ConfigError, ...]:
        """The same errors, each with the place of its value in the files."""
        return tuple(
            ConfigError(each.path, each.problem, mark=self.sources.mark(each.path)) for each in errors
        )


def examine(path: Path, *, environ: Mapping[str, str] | None = None) -> Report:
    """The report on a configuration file and the Milvus file it names; opens no other file.

    Raises:
        ConfigProblems: the file cannot be read at all.
    """
    inspection = inspect_config(path, environ=environ)
    config, sources = inspection.config, inspection.sources
    if config is None:
        return Report(None, sources, inspection.errors, ())
    located = (
        ConfigError(each.path, each.problem, mark=sources.mark(each.path)) for each in check_serving(config)
    )
    known, shadow = {error.path for error in inspection.errors}, read_shadow(config, environ)
    errors = (*inspection.errors, *(error for error in located if error.path not in known), *shadow.problems)
    return Report(config, sources, errors, warnings_of(Subject(config, sources)), shadow.config)
