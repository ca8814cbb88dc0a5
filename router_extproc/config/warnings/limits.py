"""Warnings of limits that leave a stage no time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.config.warnings.base import ConfigWarning, Subject

#: Of one inference of a full window, on a processor with VNNI; others take three times as long
#: (docs/measurements/performance.md).
TOKEN_S: Final = 0.0001
#: Verification of two short questions, and the search before it.
LOOKUP_S: Final = 0.01
#: Below it streams that are well under way are cut.
DRAIN_S: Final = 1.0
#: The first byte of an answer takes seconds in a busy pool.
FIRST_BYTE_S: Final = 5.0


def warn_of_budgets(subject: Subject) -> Iterator[ConfigWarning]:
    """Stages that are always late: their results are thrown away."""
    config, limits = subject.config, subject.config.limits
    needed_s = config.encoder.max_tokens * TOKEN_S
    if (
        any(signal.needs_encoder for signal in config.signals.values())
        and limits.signals_timeout_s < needed_s
    ):
        problem = (
            f"{limits.signals_timeout_s:g} s is less than the encoder needs for a full window"
            f" (encoder.max_tokens {config.encoder.max_tokens}: {needed_s:g} s): long prompts will time out"
        )
        yield ConfigWarning("limits.signals_timeout_s", problem)
    if config.semantic_cache.enabled and limits.cache_timeout_s < LOOKUP_S:
        problem = (
            f"{limits.cache_timeout_s:g} s is less than a lookup with verification needs ({LOOKUP_S:g} s):"
            " semantic hits will be missed"
        )
        yield ConfigWarning("limits.cache_timeout_s", problem)


def warn_of_draining(subject: Subject) -> Iterator[ConfigWarning]:
    """Times that end answers under way."""
    config = subject.config
    if config.limits.drain_s < DRAIN_S:
        problem = f"{config.limits.drain_s:g} s: answers in progress at SIGTERM will not be stored"
        yield ConfigWarning("limits.drain_s", problem)
    if config.envoy.stream_idle_timeout_s < FIRST_BYTE_S:
        problem = (
            f"{config.envoy.stream_idle_timeout_s:g} s: Envoy ends requests whose first byte takes longer,"
            " as it does in a busy pool"
        )
        yield ConfigWarning("envoy.stream_idle_timeout_s", problem)
