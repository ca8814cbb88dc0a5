"""Logs what is doubtful in a configuration, each once, by the process that read the file."""

from __future__ import annotations

from collections.abc import Sequence

from router_extproc.config.warnings.base import ConfigWarning
from router_extproc.telemetry.logging import get_logger


def log_warnings(warnings: Sequence[ConfigWarning]) -> None:
    """One line for each; the workers that a supervisor starts say nothing of them."""
    log = get_logger()
    for warning in warnings:
        where = "" if warning.mark is None else f"{warning.mark.file}:{warning.mark.line}"
        log.warning("doubtful configuration", path=warning.path, problem=warning.problem, where=where)
