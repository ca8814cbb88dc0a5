"""Reads the configuration that `shadow_policy` names; only its policy is ever used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from router_extproc.config.check_serving import check_serving
from router_extproc.config.model import Config
from router_extproc.config.read import inspect_config
from router_extproc.errors import ConfigError, ConfigProblems

KEY = "shadow_policy"


@dataclass(frozen=True, slots=True)
class Shadow:
    """What `shadow_policy` names."""

    #: None: there is none, or it has problems.
    config: Config | None = None
    problems: tuple[ConfigError, ...] = ()


NO_SHADOW = Shadow()


def read_shadow(config: Config, environ: Mapping[str, str] | None = None) -> Shadow:
    """The configuration beside this one, with every problem under the key's path."""
    if config.shadow_policy is None:
        return NO_SHADOW
    try:
        inspection = inspect_config(Path(config.shadow_policy), environ=environ)
    except ConfigProblems as error:
        return Shadow(None, tuple(_named(problem) for problem in error.problems))
    shadow, problems = inspection.config, list(inspection.errors)
    if shadow is not None:
        problems += [*check_serving(shadow), *_nested(shadow)]
    return Shadow(None if problems else shadow, tuple(_named(problem) for problem in problems))


def _nested(shadow: Config) -> Iterator[ConfigError]:
    if shadow.shadow_policy is not None:
        yield ConfigError(KEY, "a shadow policy has no shadow policy of its own")


def _named(problem: ConfigError) -> ConfigError:
    path = f"{KEY} ({problem.path})" if problem.path else KEY
    return ConfigError(path, problem.problem, mark=problem.mark)
