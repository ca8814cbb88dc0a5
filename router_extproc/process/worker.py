"""One worker: the application with its gRPC server and its admin server around it.

It is not a command; `serve` runs it. The rule it keeps: what operators ask is answered until the last
stream has ended.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from router_extproc import __version__
from router_extproc.admin.access import REASONS, Access
from router_extproc.admin.base import Health, Question
from router_extproc.admin.cache.operations import CacheDesk, CacheParts, Setting
from router_extproc.admin.peers import Peers, socket_of
from router_extproc.admin.server import AdminServer
from router_extproc.admin.token import token_of
from router_extproc.app.application import Application, build
from router_extproc.clock import Clock, SystemClock, WatchedClock
from router_extproc.config.digest import digest_of
from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.model import Config
from router_extproc.config.translate import scope_rules_of
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.decision import Decision
from router_extproc.process.channel import beating
from router_extproc.process.notify import READY, STOPPING, Notifier
from router_extproc.process.restarts import read_restarts
from router_extproc.process.warm_up import settle, warm
from router_extproc.protocol.headers import Headers
from router_extproc.server.credentials import ServerTls
from router_extproc.server.listen import SOCKET_MODES
from router_extproc.server.pool_probe import PoolProbe
from router_extproc.server.serve import ServerSettings, running, stop_requests
from router_extproc.server.servicer import StreamLimits
from router_extproc.telemetry.backend import BackendTelemetry, shown_health
from router_extproc.telemetry.envoy_config import EnvoyConfigWatch
from router_extproc.telemetry.hub import Telemetry
from router_extproc.telemetry.logging import get_logger
from router_extproc.telemetry.metrics.clock_jumps import ClockJumps
from router_extproc.telemetry.metrics.exposition import expose, merge
from router_extproc.telemetry.metrics.identity import publish_identity
from router_extproc.telemetry.metrics.known_labels import KnownLabels
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.request_log import open_request_log


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker's place among the workers."""

    worker: int = 0
    #: Folder of the sockets over which workers answer each other; None: there is only one.
    peers: Path | None = None

    def admin_address(self, config: Config) -> str:
        """Worker 0 has the port; it asks the others over their sockets."""
        return config.admin.listen if self.worker == 0 else f"unix:{socket_of(self._folder(), self.worker)}"

    def others(self, config: Config) -> Peers:
        """The workers that this one speaks for."""
        if self.worker or self.peers is None:
            return Peers({})
        return Peers({worker: socket_of(self.peers, worker) for worker in range(1, config.workers)})

    def _folder(self) -> Path:
        if self.peers is None:
            raise ValueError("a worker beside others needs the folder of their sockets")
        return self.peers


@dataclass(frozen=True, slots=True)
class RunningConfig:
    """The configuration that this worker runs by, and what Envoy says of its own."""

    config: Config
    #: Of the configuration as the operator wrote it.
    digest: str
    envoy: EnvoyConfigWatch


class WorkerOperations:
    """What operators may ask of a worker. Fits admin.base.Operations."""

    def __init__(
        self, running: RunningConfig, seat: Seat, application: Application, metrics: Metrics
    ) -> None:
        self.ready = False
        self.draining = False
        self._running: Final = running
        self._seat: Final = seat
        self._application: Final = application
        self._metrics: Final = metrics
        self._others: Final = seat.others(running.config)
        metrics.expect_refusals(REASONS if seat.worker == 0 else ())

    async def metrics(self) -> bytes:
        """See Operations."""
        if self._application.cache is not None:
            self._metrics.cache.show(await self._application.cache.state())
        self._metrics.evidence.show(self._application.evidence.findings(), self._application.chores.counts())
        states = self._application.traffic.states()
        self._metrics.pools.show(states, matches=self._running.envoy.matches)
        others = await self._others.metrics()
        if self._seat.worker == 0:
            up = {0: True, **{worker: text is not None for worker, text in others.items()}}
            self._metrics.workers.show(up, read_restarts(self._seat.peers))
        own = expose(self._metrics.registry, worker=self._seat.worker)
        return merge([own, *(text for text in others.values() if text is not None)])

    async def health(self) -> Health:
        """See Operations."""
        ready = {self._seat.worker: self.ready, **await self._others.ready()}
        detail: dict[str, JsonValue] = {
            "version": __version__,
            "config_digest": self._running.digest,
            "workers_ready": {str(worker): is_ready for worker, is_ready in ready.items()},
            "worker_restarts": {
                str(worker): dict(counts) for worker, counts in read_restarts(self._seat.peers).items()
            },
            "models": {name: model.cluster for name, model in self._running.config.models.items()},
            "signals": {name: signal.type for name, signal in self._running.config.signals.items()},
            "encoder": None if self._application.encoder is None else self._application.encoder.identity,
            "cache": await self._cache(),
            "envoy_config": self._running.envoy.shown(),
            "pools_up": {**self._application.traffic.states()},
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

    async def explain(self, question: Question) -> Decision | None:
        """See Operations."""
        headers = Headers(question.headers)
        return await self._application.explain(question.method, question.path, headers, question.body)

    def refused(self, reason: str) -> None:
        """See Operations."""
        self._metrics.refused(reason)


async def run_worker(config: Config, seat: Seat, *, config_digest: str | None = None) -> None:
    """Serve until SIGTERM, SIGINT or (beside others) the supervisor's end.

    config_digest: of the configuration as the operator wrote it; None: `config` is that.

    Raises:
        ConfigError: an address cannot be had, or a model cannot be opened.
    """
    log, digest = get_logger(), config_digest or digest_of(config)
    access = _access(config, seat)
    telemetry = _telemetry(config, SystemClock(), digest)
    clock = WatchedClock(SystemClock(), ClockJumps(telemetry.metrics.registry).jumped)
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.drain)
        at_once, ready = asyncio.Event(), asyncio.Event()
        if seat.peers is None:
            notifier = Notifier.of(os.environ)
            stop = await stack.enter_async_context(stop_requests(at_once=at_once.set))
            await stack.enter_async_context(notifier.watching())
        else:
            notifier = Notifier()  # the supervisor's business
            stop = await stack.enter_async_context(stop_requests(with_parent=True))
            await stack.enter_async_context(beating(ready))
        backend = _backend_telemetry(config, telemetry.metrics)
        application = await stack.enter_async_context(
            build(config, telemetry, clock=clock, backend_listener=backend)
        )
        if backend is not None and application.cache is not None:
            backend.watch_queue(application.cache)
        envoy_config = EnvoyConfigWatch(envoy_digest(config), clock)
        running_config = RunningConfig(config, digest, envoy_config)
        operations = WorkerOperations(running_config, seat, application, telemetry.metrics)
        admin = seat.admin_address(config)
        server = AdminServer(
            operations,
            admin,
            max_body_bytes=config.limits.max_body_bytes,
            cache=_cache_desk(config, seat, application, clock),
            access=access,
            metrics=config.admin.metrics if seat.worker == 0 else None,
        )
        await server.start()
        stack.push_async_callback(server.aclose)
        settings = _settings(config, seat)
        await stack.enter_async_context(PoolProbe(config, application.traffic).running())
        # Before anybody can ask: health would say SERVING of models that are cold.
        await warm(application, config)
        settle()
        serving = running(settings, application.drive, telemetry, envoy_config.seen, at_once)
        address = await stack.enter_async_context(serving)
        operations.ready = True
        ready.set()
        notifier.say(READY)
        log.info("serving", address=address, admin=admin, version=__version__, config_digest=digest)
        await stop.wait()
        operations.draining = True
        notifier.say(STOPPING)
        log.info("draining", at_most_s=config.limits.drain_s)
    log.info("stopped")


def _access(config: Config, seat: Seat) -> Access | None:
    """Who may ask the admin port; None: this worker has none, but a socket that is for its peers only."""
    admin = config.admin
    return None if seat.worker else Access.of(admin.listen, admin.allowed_hosts, token_of(admin))


def _telemetry(config: Config, clock: Clock, config_digest: str) -> Telemetry:
    metrics, wanted = Metrics(), config.telemetry
    known = KnownLabels.of(config)
    metrics.begin_at_zero(known.series())
    metrics.evidence.begin_at_zero(known.decisions)
    publish_identity(metrics.registry, config_digest=config_digest)
    return Telemetry(metrics, clock, *open_request_log(wanted.requests, sample_rate=wanted.sample_rate))


def _backend_telemetry(config: Config, metrics: Metrics) -> BackendTelemetry | None:
    """None: the cache has no backend that could be lost."""
    wanted = config.semantic_cache
    return BackendTelemetry(metrics.registry) if wanted.enabled and wanted.backend_type == "milvus" else None


def _settings(config: Config, seat: Seat) -> ServerSettings:
    limits = StreamLimits(
        max_body_bytes=config.limits.max_body_bytes, max_exchanges=config.limits.max_exchanges
    )
    modes = SOCKET_MODES[config.socket_access]
    return ServerSettings(config.listen, limits, config.limits.drain_s, seat.worker, modes, _tls(config))


def _tls(config: Config) -> ServerTls | None:
    files = config.listen_tls
    if files is None:
        return None
    authority = None if files.client_ca_file is None else Path(files.client_ca_file)
    return ServerTls(Path(files.cert_file), Path(files.key_file), authority)


def _cache_desk(config: Config, seat: Seat, application: Application, clock: Clock) -> CacheDesk | None:
    cache, warmer, encoder = application.cache, application.warmer, application.encoder
    if cache is None or warmer is None or encoder is None:
        return None
    setting = Setting(
        worker=seat.worker,
        scopes=scope_rules_of(config),
        dim=encoder.dim,
        model=config.virtual_models[0] if config.virtual_models else config.default_model,
        shared=config.semantic_cache.backend_type != "memory",
    )
    parts = CacheParts(cache, warmer, application.savings, application.evidence)
    return CacheDesk(parts, clock, setting, seat.others(config))
