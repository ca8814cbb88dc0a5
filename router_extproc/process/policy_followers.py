"""What of a worker follows the policy beside its router: what operators see, and what runs in background."""

from __future__ import annotations

from typing import Final

from router_extproc.admin.cache.operations import CacheOperations
from router_extproc.app.application import Application
from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.model import Config
from router_extproc.process.operations import RunningConfig
from router_extproc.process.pool_probe import PoolProbe
from router_extproc.process.reload.versions import PolicyVersion
from router_extproc.telemetry.metrics.known_labels import KnownLabels
from router_extproc.telemetry.metrics.metrics import Metrics


def asked_model(config: Config) -> str:
    """The model that a client asks for who leaves the choice to the router."""
    return config.virtual_models[0] if config.virtual_models else config.default_model


def tags_of(config: Config) -> dict[str, tuple[str, ...]]:
    """Of the decisions that have some."""
    return {decision.name: decision.tags for decision in config.decisions if decision.tags}


class PolicyFollowers:
    """Lets them follow, in the same step in which requests get the new router."""

    def __init__(
        self,
        application: Application,
        running: RunningConfig,
        metrics: Metrics,
        cache: CacheOperations | None,
        probe: PoolProbe,
    ) -> None:
        """`cache`: None while the cache is off."""
        self._application: Final = application
        self._running: Final = running
        self._metrics: Final = metrics
        self._cache: Final = cache
        self._probe: Final = probe
        self._labels = KnownLabels.of(running.config, application.policy.signals)
        metrics.costs.tags = tags_of(running.config)
        self._begin_at_zero()

    def swapped(self, version: PolicyVersion) -> None:
        """Another policy is in force."""
        config, application = version.config, self._application
        self._running.follow(config, version.digest)
        self._metrics.policy.version = version.number
        self._metrics.shadow_policy.begin_anew()
        self._running.envoy.expect(envoy_digest(config))
        self._metrics.costs.tags = tags_of(config)
        self._probe.follow()
        if self._cache is not None and application.warmer is not None:
            policies = application.policy.cache_policies
            self._cache.follow(application.warmer, policies, asked_model(config))
        self._relabel(KnownLabels.of(config, application.policy.signals))

    def _relabel(self, labels: KnownLabels) -> None:
        """Series of what is new begin at 0; those of what is gone end."""
        gone, self._labels = self._labels, labels
        self._metrics.forget("decision", set(gone.decisions) - set(labels.decisions))
        self._metrics.forget("model", set(gone.models) - set(labels.models))
        self._metrics.forget("shadow_model", set(gone.models) - set(labels.models))
        self._metrics.forget("tag", set(gone.tags) - set(labels.tags))
        self._metrics.forget("tenant", set(gone.tenants) - set(labels.tenants))
        self._metrics.forget("signal", set(gone.signals) - set(labels.signals))
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        self._metrics.begin_at_zero(self._labels.series())
        self._metrics.evidence.begin_at_zero(self._labels.decisions)
