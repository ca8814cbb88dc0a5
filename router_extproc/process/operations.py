"""What operators may ask of a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc import __version__
from router_extproc.admin.access import REASONS
from router_extproc.admin.base import Health, PolicyControl, Question
from router_extproc.app.application import Application
from router_extproc.config.model import Config
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.explain import RequestExplained
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.restarts import read_restarts
from router_extproc.protocol.headers import Headers
from router_extproc.telemetry.backend import shown_health
from router_extproc.telemetry.envoy_config import EnvoyConfigWatch
from router_extproc.telemetry.evaluation_report import evaluation_report
from router_extproc.telemetry.metrics.exposition import expose, merge
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.saved_report import saved_report


@dataclass(slots=True)
class RunningConfig:
    """The configuration that this worker runs by, and what Envoy says of its own."""

    config: Config
    #: Of the configuration as the operator wrote it.
    digest: str
    envoy: EnvoyConfigWatch
    #: Shows the digest in the metrics.
    show_digest: Callable[[str], None]

    def follow(self, config: Config, digest: str) -> None:
        """Another configuration is in force."""
        self.config, self.digest = config, digest
        self.show_digest(digest)


class WorkerOperations:
    """What operators may ask of a worker. Fits admin.base.Operations."""

    def __init__(
        self,
        running: RunningConfig,
        address: WorkerAddress,
        application: Application,
        metrics: Metrics,
        policy: PolicyControl | None = None,
    ) -> None:
        """`policy`: None where nothing can be reloaded, or another worker says what was."""
        self.ready = False
        self.draining = False
        self._running: Final = running
        self._address: Final = address
        self._application: Final = application
        self._metrics: Final = metrics
        self._policy: Final = policy
        self._others: Final = address.others(running.config)
        metrics.expect_refusals(REASONS if address.worker == 0 else ())

    async def metrics(self) -> bytes:
        """See Operations."""
        if self._application.cache is not None:
            self._metrics.cache.show(await self._application.cache.state())
        self._metrics.evidence.show(
            self._application.evidence.findings(), self._application.background.counts()
        )
        states = self._application.traffic.states()
        self._metrics.pools.show(states, matches=self._running.envoy.matches)
        if self._policy is not None:
            self._metrics.policy.show(reloads_of(await self._policy.state()))
        others = await self._others.metrics()
        if self._address.worker == 0:
            up = {0: True, **{worker: text is not None for worker, text in others.items()}}
            self._metrics.workers.show(up, read_restarts(self._address.peers))
        own = expose(self._metrics.registry, worker=self._address.worker)
        return merge([own, *(text for text in others.values() if text is not None)])

    def savings(self) -> JsonValue:
        """See Operations."""
        return saved_report(self._metrics.costs.ledger.sums)

    def evaluations(self) -> JsonValue:
        """See Operations."""
        return evaluation_report(self._metrics.evaluations.ledger.sums)

    async def health(self) -> Health:
        """See Operations."""
        ready = {self._address.worker: self.ready, **await self._others.ready()}
        detail: dict[str, JsonValue] = {
            "version": __version__,
            "config_digest": self._running.digest,
            "policy_version": self._application.policy.version,
            "workers_ready": {str(worker): is_ready for worker, is_ready in ready.items()},
            "worker_restarts": {
                str(worker): dict(counts) for worker, counts in read_restarts(self._address.peers).items()
            },
            "models": {name: model.cluster for name, model in self._running.config.models.items()},
            "signals": {name: signal.type for name, signal in self._running.config.signals.items()},
            "encoder": None if self._application.encoder is None else self._application.encoder.identity,
            "cache": await self._cache(),
            "envoy_config": self._running.envoy.shown(),
            "pools_up": {**self._application.traffic.states()},
            "model_states": {
                model: seen.state for model, seen in self._application.traffic.live.view().items()
            },
        }
        # With one of several, requests are served: Envoy leaves the others alone.
        return Health(any(ready.values()), self.draining, detail)

    async def _cache(self) -> JsonValue:
        if self._application.cache is None:
            return None
        state = await self._application.cache.state()
        shown: dict[str, JsonValue] = {"near_entries": state.near_entries, "queued_entries": state.queued}
        if state.backend is not None:
            shown["backend"] = {
                "ready": state.backend.ready,
                "entries": state.backend.entries,
                "detail": state.backend.detail,
                **shown_health(state.backend.health),
            }
        return shown

    async def explain(self, question: Question) -> RequestExplained | None:
        """See Operations."""
        headers = Headers(question.headers)
        return await self._application.explain_whole(question.method, question.path, headers, question.body)

    def refused(self, reason: str) -> None:
        """See Operations."""
        self._metrics.refused(reason)


def reloads_of(state: JsonValue) -> Mapping[str, int]:
    """How many reloads ended in which way, of what the policy's control says; none when it says nothing."""
    match state:
        case {"reloads": dict(counts)}:
            return {result: count for result, count in counts.items() if isinstance(count, int)}
    return {}
