"""One worker: the application, with its gRPC server and its admin server around it.

The admin server answers until the last stream has ended.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from router_extproc import __version__
from router_extproc.admin.access import Access
from router_extproc.admin.base import PolicyControl
from router_extproc.admin.cache.operations import CacheOperations, CacheParts, Setting
from router_extproc.admin.server import AdminServer
from router_extproc.admin.token import token_of
from router_extproc.app.application import Application, build
from router_extproc.clock import Clock, SystemClock, WatchedClock
from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.model import Config
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.channel import SupervisorChannel
from router_extproc.process.model_lists import ModelLists
from router_extproc.process.notify import READY, STOPPING, Notifier
from router_extproc.process.open_sharing import answering, keeping
from router_extproc.process.operations import RunningConfig, WorkerOperations
from router_extproc.process.policy_followers import PolicyFollowers, asked_model
from router_extproc.process.pool_asks import PoolAsks
from router_extproc.process.pool_probe import PoolProbe
from router_extproc.process.reload.config_file import ConfigFile, reloading
from router_extproc.process.reload.control import LocalControl, RemoteControl
from router_extproc.process.reload.local import OneWorker
from router_extproc.process.reload.service import ReloadService
from router_extproc.process.reload.versions import PolicyVersion, VersionHistory
from router_extproc.process.reload.worker import SupervisedReload, WorkerPolicy
from router_extproc.process.shared_values import shared_values
from router_extproc.process.sharing import Member
from router_extproc.process.stop_requests import stop_requests
from router_extproc.process.warm_up import settle, warm
from router_extproc.server.credentials import ServerTls
from router_extproc.server.listen import SOCKET_MODES
from router_extproc.server.serve import ServerSettings, running
from router_extproc.server.servicer import StreamLimits
from router_extproc.telemetry.backend import BackendTelemetry
from router_extproc.telemetry.envoy_config import EnvoyConfigWatch
from router_extproc.telemetry.hub import Telemetry
from router_extproc.telemetry.logging import get_logger
from router_extproc.telemetry.metrics.clock_jumps import ClockJumps
from router_extproc.telemetry.metrics.identity import publish_identity
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.metrics.outcomes import OutcomeCollector
from router_extproc.telemetry.metrics.traffic import TrafficCollector
from router_extproc.telemetry.request_log import open_request_log


@dataclass(frozen=True, slots=True)
class _Signals:
    """When to stop, and where the worker reports its progress."""

    stop: asyncio.Event
    #: Set by a second signal: streams under way are cut.
    at_once: asyncio.Event
    ready: asyncio.Event
    #: Set by SIGHUP, where there is no supervisor that hears it for all workers.
    hangup: asyncio.Event
    notifier: Notifier
    #: None: there is no supervisor.
    channel: SupervisorChannel | None


@dataclass(frozen=True, slots=True)
class _Given:
    """What the worker is started with."""

    config: Config
    own: WorkerAddress
    #: The policy in force, with the configuration as the operator wrote it.
    version: PolicyVersion
    #: None: a supervisor reads it, or nobody does.
    file: ConfigFile | None


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one worker serves with."""

    application: Application
    operations: WorkerOperations
    telemetry: Telemetry
    envoy_config: EnvoyConfigWatch
    probe: PoolProbe


async def run_worker(
    config: Config,
    own: WorkerAddress,
    *,
    version: PolicyVersion | None = None,
    file: ConfigFile | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or (beside others) the supervisor's end.

    version: the policy in force, whose configuration is as the operator wrote it; None: `config` is that, and
    it is the first one.
    file: is read again on SIGHUP, when it changes, and when an operator asks; None: a supervisor does that.

    Raises:
        ConfigError: an address cannot be had, or a model cannot be opened.
    """
    given = _Given(config, own, version or PolicyVersion(1, config, "start", 0.0), file)
    access = _access(config, own)
    metrics = Metrics()
    metrics.policy.version = given.version.number
    telemetry = _telemetry(config, metrics, SystemClock())
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.drain)
        signals = await _signals(stack, own)
        opened = await _open(stack, given, telemetry, access, signals)
        await _serve(stack, given, opened, signals)
        await signals.stop.wait()
        opened.operations.draining = True
        signals.notifier.say(STOPPING)
        get_logger().info("draining", at_most_s=config.limits.drain_s)
    get_logger().info("stopped")


async def _signals(stack: AsyncExitStack, own: WorkerAddress) -> _Signals:
    at_once, ready, hangup = asyncio.Event(), asyncio.Event(), asyncio.Event()
    if own.peers is None:
        notifier = Notifier.of(os.environ)
        requests = stop_requests(at_once=at_once.set, on_hangup=hangup.set)
        stop = await stack.enter_async_context(requests)
        await stack.enter_async_context(notifier.watching())
        return _Signals(stop, at_once, ready, hangup, notifier, None)
    stop, channel = await stack.enter_async_context(stop_requests()), SupervisorChannel()
    await stack.enter_async_context(channel.open(stop, ready))
    # The service manager is the supervisor's business.
    return _Signals(stop, at_once, ready, hangup, Notifier(), channel)


async def _open(
    stack: AsyncExitStack, given: _Given, telemetry: Telemetry, access: Access | None, signals: _Signals
) -> _Opened:
    """Open models and cache, answer operators, and share; sharing ends before the admin server does."""
    config, own, metrics = given.config, given.own, telemetry.metrics
    clock = WatchedClock(SystemClock(), ClockJumps(metrics.registry).jumped)
    backend = _backend_telemetry(config, metrics)
    asks = await stack.enter_async_context(PoolAsks(config.envoy.clusters).opened())
    application = await stack.enter_async_context(
        build(
            config,
            telemetry,
            clock=clock,
            backend_listener=backend,
            version=given.version.number,
            shadow=given.version.shadow,
            shadow_decided=metrics.shadow_policy.count,
            ask_pool=asks.ask,
            evaluated=metrics.evaluations.count,
        )
    )
    if backend is not None and application.cache is not None:
        backend.watch_queue(application.cache)
    TrafficCollector(metrics.registry, application.traffic.live, clock)
    OutcomeCollector(metrics.registry, application.learned.outcomes)
    envoy_config = EnvoyConfigWatch(envoy_digest(config), clock)
    digest = given.version.digest
    show_digest = publish_identity(metrics.registry, config_digest=digest)
    running_config = RunningConfig(config, digest, envoy_config, show_digest)
    cache, probe = _cache_operations(config, own, application, clock), PoolProbe(config, application.traffic)
    followers = PolicyFollowers(application, running_config, metrics, cache, probe)
    worker = WorkerPolicy(application, followers.swapped)
    control = await stack.enter_async_context(_reloads(worker, given, signals, clock))
    operations = WorkerOperations(running_config, own, application, metrics, control)
    ledgers = metrics.costs.ledger, metrics.evaluations.ledger
    values = shared_values(application, config, clock, *ledgers, worker=own.worker)
    member = None if own.worker == 0 else Member(values)
    server = AdminServer(
        operations,
        own.admin_address(config),
        max_body_bytes=config.limits.max_body_bytes,
        cache=cache,
        policy=control,
        access=access,
        metrics=config.admin.metrics if own.worker == 0 else None,
        shared=None if member is None else member.answer,
    )
    await server.start()
    stack.push_async_callback(server.aclose)
    sharing = keeping(values, config, own) if member is None else answering(member)
    await stack.enter_async_context(sharing)
    return _Opened(application, operations, telemetry, envoy_config, probe)


@asynccontextmanager
async def _reloads(
    worker: WorkerPolicy, given: _Given, signals: _Signals, clock: Clock
) -> AsyncIterator[PolicyControl | None]:
    """Reload inside the block: as the supervisor says, or as the file, SIGHUP and operators do."""
    if signals.channel is not None:
        remote = RemoteControl(signals.channel)
        supervised = SupervisedReload(worker, signals.channel, remote, signals.stop.set)
        async with supervised.running():
            yield remote if given.own.worker == 0 else None
    elif given.file is not None:
        history = VersionHistory(given.version)
        service = ReloadService(given.file.read, OneWorker(worker), history, clock)
        async with reloading(service, given.file.watch, signals.hangup):
            yield LocalControl(service)
    else:
        yield None


async def _serve(stack: AsyncExitStack, given: _Given, opened: _Opened, signals: _Signals) -> None:
    """Take streams, once the models are warm: health would say SERVING of models that are cold."""
    config, own = given.config, given.own
    application = opened.application
    await stack.enter_async_context(opened.probe.running())
    lists = ModelLists(given.config, opened.application.learned.pool_models)
    await stack.enter_async_context(lists.running())
    await warm(application, config)
    settle()
    settings, seen = _settings(config, own), opened.envoy_config.seen
    serving = running(settings, application.drive, opened.telemetry, seen, signals.at_once)
    address = await stack.enter_async_context(serving)
    opened.operations.ready = True
    signals.ready.set()
    signals.notifier.say(READY)
    get_logger().info(
        "serving",
        address=address,
        admin=own.admin_address(config),
        version=__version__,
        config_digest=given.version.digest,
        policy_version=application.policy.version,
    )


def _access(config: Config, own: WorkerAddress) -> Access | None:
    """Who may ask the admin port; None: this worker has none, but a socket that is for its peers only."""
    admin = config.admin
    return None if own.worker else Access.of(admin.listen, admin.allowed_hosts, token_of(admin))


def _telemetry(config: Config, metrics: Metrics, clock: Clock) -> Telemetry:
    wanted = config.telemetry
    return Telemetry(metrics, clock, *open_request_log(wanted.requests, sample_rate=wanted.sample_rate))


def _backend_telemetry(config: Config, metrics: Metrics) -> BackendTelemetry | None:
    """None: the cache has no backend that could be lost."""
    wanted = config.semantic_cache
    return BackendTelemetry(metrics.registry) if wanted.enabled and wanted.backend_type == "milvus" else None


def _settings(config: Config, own: WorkerAddress) -> ServerSettings:
    limits = StreamLimits(
        max_body_bytes=config.limits.max_body_bytes, max_exchanges=config.limits.max_exchanges
    )
    modes = SOCKET_MODES[config.socket_access]
    return ServerSettings(config.listen, limits, config.limits.drain_s, own.worker, modes, _tls(config))


def _tls(config: Config) -> ServerTls | None:
    files = config.listen_tls
    if files is None:
        return None
    authority = None if files.client_ca_file is None else Path(files.client_ca_file)
    return ServerTls(Path(files.cert_file), Path(files.key_file), authority)


def _cache_operations(
    config: Config, own: WorkerAddress, application: Application, clock: Clock
) -> CacheOperations | None:
    cache, warmer, encoder = application.cache, application.warmer, application.encoder
    if cache is None or warmer is None or encoder is None:
        return None
    setting = Setting(
        worker=own.worker,
        policies=application.policy.cache_policies,
        dim=encoder.dim,
        model=asked_model(config),
        shared=config.semantic_cache.backend_type != "memory",
    )
    parts = CacheParts(cache, warmer, application.savings, application.evidence)
    return CacheOperations(parts, clock, setting, own.others(config))
