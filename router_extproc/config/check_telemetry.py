"""Checks the section `telemetry`."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.admin import token_problem
from router_extproc.config.model import Config
from router_extproc.config.telemetry import SAMPLE_RATE
from router_extproc.errors import ConfigError


def check_telemetry(config: Config) -> Iterator[ConfigError]:
    """What was asked for must be able to come."""
    telemetry = config.telemetry
    if telemetry.requests != "none" and telemetry.log_level in {"warning", "error"}:
        yield ConfigError(
            "telemetry.requests",
            f"writes lines of level info, which log_level {telemetry.log_level} drops: set log_level to info",
        )
    if telemetry.debug_token is not None and (problem := token_problem(telemetry.debug_token)) is not None:
        yield ConfigError("telemetry.debug_token", problem)
    # A configuration printed whole has every default in it, and is read again.
    if telemetry.sample_rate != SAMPLE_RATE and telemetry.requests != "sampled":
        yield ConfigError("telemetry.sample_rate", "has no effect without requests: sampled")
