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
from router_extproc.config.digest import digest_of
from router_extproc.config.examine import examine
from router_extproc.config.handover import handed_over, received
from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning
from router_extproc.private_files import UMASK
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.channel import take_document
from router_extproc.process.milvus_lite import asking_lite, lite_process, prepare_lite
from router_extproc.process.notify import READY, STOPPING, Notifier
from router_extproc.process.restarts import RestartCounts
from router_extproc.process.stop_requests import stop_requests
from router_extproc.process.supervisor import Supervisor, Watched
from router_extproc.process.worker import run_worker
from router_extproc.socket_folders import socket_folder
from router_extproc.telemetry.library_lines import library_lines
from router_extproc.telemetry.logging import configure_logging, get_logger

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
    is ignored with a warning. Exit code 2: the configuration has errors, a model is missing, or an address is
    in use.
    """
    # Milvus Lite makes files from threads of its own. Workers inherit it.
    os.umask(UMASK)
    if peers is not None:
        # One of several takes what the supervisor has read and checked, whatever is in the file by now.
        _work(received(take_document()), worker, peers)
        return
    report = examine(config)
    checked = with_token(report.accepted())
    if worker is not None or checked.workers == 1:
        _work(checked, worker, None, report.warnings)
        return
    configure_logging(level=checked.telemetry.log_level, form=checked.telemetry.log_format)
    log_warnings(report.warnings)
    prepare_lite(checked)
    raise typer.Exit(asyncio.run(_supervise(checked, config)))


def _work(
    config: Config, worker: int | None, peers: Path | None, warnings: Sequence[ConfigWarning] = ()
) -> None:
    """Be one worker, whose standard error has nothing but lines of the log."""
    own = config if peers is None else asking_lite(config, peers)
    telemetry, bound = config.telemetry, {} if worker is None else {"worker": worker}
    with library_lines(SystemClock()) as stream:
        configure_logging(level=telemetry.log_level, form=telemetry.log_format, stream=stream, bound=bound)
        log_warnings(warnings)
        if worker is None:
            prepare_lite(config)
        asyncio.run(run_worker(own, WorkerAddress(worker or 0, peers), config_digest=digest_of(config)))


def log_warnings(warnings: Sequence[ConfigWarning]) -> None:
    """Each once, by the process that was started: the workers it starts say nothing of them."""
    log = get_logger()
    for warning in warnings:
        where = "" if warning.mark is None else f"{warning.mark.file}:{warning.mark.line}"
        log.warning("doubtful configuration", path=warning.path, problem=warning.problem, where=where)


async def _supervise(config: Config, file: Path) -> int:
    """Keep all workers running; their exit code when none is to be started again."""
    notifier = Notifier.of(os.environ)
    with socket_folder() as peers:

        def command(worker: int) -> list[str]:
            serve = [sys.executable, "-m", "router_extproc", "serve", "--config", str(file)]
            return [*serve, "--worker", str(worker), "--peers", str(peers)]

        watched = Watched(
            handed_over(config),
            counts=RestartCounts(peers),
            on_ready=lambda _: notifier.say(READY),
            on_stop=lambda: notifier.say(STOPPING),
        )
        supervisor = Supervisor(
            command, config.workers, drain_s=config.limits.drain_s, clock=SystemClock(), watched=watched
        )
        async with (
            stop_requests(at_once=supervisor.kill) as stop,
            notifier.watching(),
            lite_process(config, peers),
        ):
            return await supervisor.run(stop)
