"""A configuration at work without Envoy, pools and clients: for commands that say what would happen."""

from __future__ import annotations

from typing import Final

from router_extproc.config.model import Config
from router_extproc.pipeline.report import AnswerReport, DecisionReport

#: For one request: models may not be warm yet.
ASK_S: Final = 10.0


class Silence:
    """Hears reports and forgets them. Fits pipeline.report.Listener."""

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""


def offline(config: Config, *, cached: bool = True) -> Config:
    """The configuration with an empty cache of its own, or none, and time for every stage."""
    cache = {"backend_type": "memory"} if cached else {"enabled": False}
    times = {"message_timeout_s": ASK_S, "signals_timeout_s": ASK_S / 2, "cache_timeout_s": ASK_S / 2}
    changes = {
        "semantic_cache": config.semantic_cache.model_copy(update=cache),
        "limits": config.limits.model_copy(update=times),
    }
    return config.model_copy(update=changes)
