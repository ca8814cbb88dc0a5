"""Metrics of the shadow policy: how often it would decide otherwise, and how."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from router_extproc.pipeline.shadow_policy import ShadowDecision
from router_extproc.telemetry.metrics.exposition import PREFIX

#: Different pairs of decisions that have a series of their own; further ones are counted together.
PAIRS_MAX: Final = 500
OTHER: Final = "other"
_LABELS: Final = ("decision", "model", "shadow_decision", "shadow_model", "same")


class ShadowPolicyMetrics:
    """Counts decisions of both policies."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions: Final = Counter(
            f"{PREFIX}_shadow_policy_decisions",
            "Requests by their decision and what the shadow policy would have decided.",
            _LABELS,
            registry=registry,
        )
        self._pairs: Final[set[tuple[str, ...]]] = set()

    def count(self, compared: ShadowDecision) -> None:
        """One more request was decided twice."""
        pair: tuple[str, ...] = (
            compared.decision,
            compared.model,
            compared.shadow_decision,
            compared.shadow_model,
        )
        if pair not in self._pairs and len(self._pairs) >= PAIRS_MAX:
            pair = (OTHER,) * len(pair)
        else:
            self._pairs.add(pair)
        self._decisions.labels(*pair, "true" if compared.is_same else "false").inc()

    def begin_anew(self) -> None:
        """Other policies are compared from now on: the series of those before end."""
        self._pairs.clear()
        self._decisions.clear()
