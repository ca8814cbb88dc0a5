"""Checks of the patterns of what keys leave out: each must have an end, and hold on to something fixed."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.cache.ignore import UnfitPattern, check_pattern
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError


def check_ignore(config: Config) -> Iterator[ConfigError]:
    """Every problem of a pattern."""
    for path, patterns in patterns_of(config):
        for index, pattern in enumerate(patterns):
            try:
                check_pattern(pattern)
            except UnfitPattern as error:
                yield ConfigError(f"{path}[{index}]", str(error))


def patterns_of(config: Config) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every list of patterns, with its path."""
    yield "semantic_cache.ignore", config.semantic_cache.ignore
    for index, decision in enumerate(config.decisions):
        yield f"decisions[{index}].cache.ignore", decision.cache.ignore or ()
