"""`router-extproc serve`: the sidecar."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from router_extproc.admin.token import with_token
from router_extproc.clock import SystemClock
from router_extproc.config.examine import examine
from router_extproc.config.warnings.base import ConfigWarning
from router_extproc.private_files import UMASK
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.channel import take_document
from router_extproc.process.config_warnings import log_warnings
from router_extproc.process.milvus_lite import asking_lite, lite_process, prepare_lite
from router_extproc.process.notify import READY, STOPPING, Notifier
from router_extproc.process.reload.config_file import ConfigFile, reloading
from router_extproc.process.reload.control import answering
from router_extproc.process.reload.fleet import WorkerFleet
from router_extproc.process.reload.messages import read_version, write_version
from router_extproc.process.reload.service import ReloadService
from router_extproc.process.reload.versions import PolicyVersion, VersionHistory, first_version
from router_extproc.process.restarts import RestartCounts
from router_extproc.process.stop_requests import stop_requests
from router_extproc.process.supervisor import Supervisor, Watched
from router_extproc.process.worker import run_worker
from router_extproc.socket_folders import socket_folder
from router_extproc.telemetry.library_lines import library_lines
from router_extproc.telemetry.logging import configure_logging

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: router-extproc serve --config router.yaml")
def serve(
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration.", show_default=False)],
    worker: Annotated[int | None, typer.Option(help="Run only this worker.", hidden=True, min=0)] = None,
    peers: Annotated[Path | None, typer.Option(help="Folder of the workers' sockets.", hidden=True)] = None,
) -> None:
    """Run the sidecar: route Envoy's requests and answer from the cache.

    SIGTERM drains it: new streams are refused, streams in progress finish; a second SIGTERM cuts them. SIGHUP
    reads the configuration again, as a change of the file does. Exit code 2: the configuration has errors, a
    model is missing, or an address is in use.
    """
    # Milvus Lite makes files from threads of its own. Workers inherit it.
    os.umask(UMASK)
    if peers is not None:
        # One of several takes what the supervisor has read and checked, whatever is in the file by now.
        version = read_version(take_document())
        _work(version, WorkerAddress(worker or 0, peers))
        return
    report = examine(config)
    checked = with_token(report.accepted())
    first = first_version(checked, report.shadow, SystemClock().wall_s())
    file = ConfigFile.of(config, report, checked)
    if worker is not None or checked.workers == 1:
        _work(first, WorkerAddress(worker or 0), file, report.warnings)
        return
    configure_logging(level=checked.telemetry.log_level, form=checked.telemetry.log_format)
    log_warnings(report.warnings)
    prepare_lite(checked)
    raise typer.Exit(asyncio.run(_supervise(first, file)))


def _work(
    version: PolicyVersion,
    own: WorkerAddress,
    file: ConfigFile | None = None,
    warnings: Sequence[ConfigWarning] = (),
) -> None:
    """Be one worker, whose standard error has nothing but lines of the log."""
    written = version.config
    config = written if own.peers is None else asking_lite(written, own.peers)
    telemetry, bound = config.telemetry, {} if own.peers is None else {"worker": own.worker}
    with library_lines(SystemClock()) as stream:
        configure_logging(level=telemetry.log_level, form=telemetry.log_format, stream=stream, bound=bound)
        log_warnings(warnings)
        if own.peers is None:
            prepare_lite(config)
        asyncio.run(run_worker(config, own, version=version, file=file))


async def _supervise(first: PolicyVersion, file: ConfigFile) -> int:
    """Keep all workers running; their exit code when none is to be started again."""
    config, clock, notifier = first.config, SystemClock(), Notifier.of(os.environ)
    hangup, history = asyncio.Event(), VersionHistory(first)
    with socket_folder() as peers:

        def command(worker: int) -> list[str]:
            serve = [sys.executable, "-m", "router_extproc", "serve", "--config", str(file.path)]
            return [*serve, "--worker", str(worker), "--peers", str(peers)]

        fleet = WorkerFleet()
        service = ReloadService(file.read, fleet, history, clock)
        fleet.answer_with(answering(service))
        watched = Watched(
            lambda: write_version(history.in_force),
            counts=RestartCounts(peers),
            listener=fleet,
            on_ready=lambda _: notifier.say(READY),
            on_stop=lambda: notifier.say(STOPPING),
        )
        supervisor = Supervisor(
            command, config.workers, drain_s=config.limits.drain_s, clock=clock, watched=watched
        )
        async with (
            stop_requests(at_once=supervisor.kill, on_hangup=hangup.set) as stop,
            notifier.watching(),
            lite_process(config, peers),
            reloading(service, file.watch, hangup),
        ):
            return await supervisor.run(stop)
