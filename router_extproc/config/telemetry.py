"""The section `telemetry`: what is logged, and in which form."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router_extproc.section import Section

#: One request in a hundred.
SAMPLE_RATE = 0.01


class Telemetry(Section):
    """Logs."""

    #: The least serious lines that are written.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: Lines for machines or for people.
    log_format: Literal["json", "console"] = "json"
    #: Which requests get a line (of level info) when they are decided, and one when their answer ends.
    requests: Literal["none", "all", "sampled", "errors"] = "none"
    #: Share of requests that `requests: sampled` logs.
    sample_rate: float = Field(default=SAMPLE_RATE, gt=0, le=1)
    #: By which requests of operators are known: they send it as `x-router-debug`, and are told which version
    #: of the policy decided. None: nobody is told.
    debug_token: str | None = Field(default=None, repr=False)
