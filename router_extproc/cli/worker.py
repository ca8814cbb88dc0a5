"""One worker: the application with its gRPC server and its admin server around it.

It is not a command; `serve` runs it. The rule it keeps: what operators ask is answered until the last
stream has ended.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from router_extproc import __version__
from router_extproc.admin.base import Health, Question
from router_extproc.admin.cache_desk import CacheDesk, CacheParts, Setting
from router_extproc.admin.peers import Peers, socket_of
from router_extproc.admin.server import AdminServer
from router_extproc.app import Application, build
from router_extproc.cli.warm import settle, warm
from router_extproc.clock import Clock, SystemClock
from router_extproc.config.model import Config
from router_extproc.config.translate import scope_rules_of
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.decision import Decision
from router_extproc.protocol.headers import Headers
from router_extproc.server.credentials import ServerTls
from router_extproc.server.serve import ServerSettings, running, stop_requests
from router_extproc.server.servicer import StreamLimits
from router_extproc.telemetry.exposition import expose, merge
from router_extproc.telemetry.hub import Telemetry
from router_extproc.telemetry.logging import get_logger
from router_extproc.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker's place among the workers."""

    worker: int = 0
    #: Folder of the sockets over which workers answer each other; None: there is only one.
    peers: Path | None = None

    def admin_address(self, config: Config) -> str:
        """Worker 0 has the port; it asks the others over their sockets."""
        return config.admin if self.worker == 0 else f"unix:{socket_of(self._folder(), self.worker)}"

    def others(self, config: Config) -> Peers:
        """The workers that this one speaks for."""
        if self.worker or self.peers is None:
            return Peers({})
        return Peers({worker: socket_of(self.peers, worker) for worker in range(1, config.workers)})

    def _folder(self) -> Path:
        if self.peers is None:
            raise ValueError("a worker beside others needs the folder of their sockets")
        return self.peers


class WorkerOperations:
    """What operators may ask of a worker. Fits admin.base.Operations."""

    def __init__(self, config: Config, seat: Seat, application: Application, metrics: Metrics) -> None:
        self.ready = False
        self.draining = False
        self._config: Final = config
        self._seat: Final = seat
        self._application: Final = application
        self._metrics: Final = metrics
        self._others: Final = seat.others(config)

    async def metrics(self) -> bytes:
        """See Operations."""
        if self._application.cache is not None:
            self._metrics.cache.show(await self._application.cache.state())
        self._metrics.evidence.show(self._application.evidence.findings(), self._application.chores.counts())
        own = expose(self._metrics.registry, worker=self._seat.worker)
        return merge([own, *await self._others.metrics()])

    async def health(self) -> Health:
        """See Operations."""
        ready = {0: self.ready, **await self._others.ready()} if self._seat.worker == 0 else {}
        detail: dict[str, JsonValue] = {
            "version": __version__,
            "workers_ready": {str(worker): is_ready for worker, is_ready in ready.items()},
            "models": {name: model.cluster for name, model in self._config.models.items()},
            "signals": {name: signal.type for name, signal in self._config.signals.items()},
            "encoder": None if self._application.encoder is None else self._application.encoder.identity,
            "cache": await self._cache(),
        }
        return Health(self.ready, self.draining, detail)

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
            }
        return shown

    async def explain(self, question: Question) -> Decision | None:
        """See Operations."""
        headers = Headers(question.headers)
        return await self._application.explain(question.method, question.path, headers, question.body)


async def run_worker(config: Config, seat: Seat) -> None:
    """Serve until SIGTERM, SIGINT or (beside others) the supervisor's end.

    Raises:
        ConfigError: an address cannot be had, or a model cannot be opened.
    """
    log, clock = get_logger(), SystemClock()
    telemetry = Telemetry(Metrics(), clock)
    async with AsyncExitStack() as stack:
        stop = await stack.enter_async_context(stop_requests(with_parent=seat.peers is not None))
        application = await stack.enter_async_context(build(config, telemetry, clock=clock))
        operations = WorkerOperations(config, seat, application, telemetry.metrics)
        admin = seat.admin_address(config)
        server = AdminServer(
            operations,
            admin,
            max_body_bytes=config.limits.max_body_bytes,
            cache=_cache_desk(config, seat, application, clock),
        )
        await server.start()
        stack.push_async_callback(server.aclose)
        settings = _settings(config, seat)
        address = await stack.enter_async_context(running(settings, application.drive, telemetry))
        await warm(application, config)
        settle()
        operations.ready = True
        log.info("serving", address=address, admin=admin, version=__version__)
        await stop.wait()
        operations.draining = True
        log.info("draining", at_most_s=config.limits.drain_s)
    log.info("stopped")


def _settings(config: Config, seat: Seat) -> ServerSettings:
    limits = StreamLimits(
        max_body_bytes=config.limits.max_body_bytes, max_exchanges=config.limits.max_exchanges
    )
    return ServerSettings(config.listen, limits, config.limits.drain_s, seat.worker, _tls(config))


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
