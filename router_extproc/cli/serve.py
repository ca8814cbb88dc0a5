"""`router-extproc serve`: the sidecar."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli.lite import asking_lite, lite_process
from router_extproc.cli.worker import Seat, run_worker
from router_extproc.clock import SystemClock
from router_extproc.config.examine import examine
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.config.warnings.base import ConfigWarning
from router_extproc.server.serve import stop_requests
from router_extproc.server.workers import Supervisor
from router_extproc.telemetry.logging import configure_logging, get_logger

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: router-extproc serve --config router.yaml")
def serve(
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration.", show_default=False)],
    worker: Annotated[int | None, typer.Option(help="Run only this worker.", hidden=True, min=0)] = None,
    peers: Annotated[Path | None, typer.Option(help="Folder of the workers' sockets.", hidden=True)] = None,
) -> None:
    """Serve Envoy: understand, route, answer from the cache.

    SIGTERM drains: new streams are refused, those under way are finished. Exit code 2: the
    configuration is refused, a model is missing, or an address is taken.
    """
    report = examine(config) if worker is None else None
    checked = read_config(config) if report is None else report.accepted()
    telemetry = checked.telemetry
    bound = {} if worker is None else {"worker": worker}
    configure_logging(level=telemetry.log_level, form=telemetry.log_format, bound=bound)
    if report is not None:
        log_warnings(report.warnings)
    if worker is not None or checked.workers == 1:
        own = checked if peers is None else asking_lite(checked, peers)
        asyncio.run(run_worker(own, Seat(worker or 0, peers)))
        return
    raise typer.Exit(asyncio.run(_supervise(checked, config)))


def log_warnings(warnings: Sequence[ConfigWarning]) -> None:
    """Each once, by the process that was started: the workers it starts say nothing of them."""
    log = get_logger()
    for warning in warnings:
        where = "" if warning.mark is None else f"{warning.mark.file}:{warning.mark.line}"
        log.warning("doubtful configuration", path=warning.path, problem=warning.problem, where=where)


async def _supervise(config: Config, file: Path) -> int:
    """Keep all workers running; their exit code when none is to be started again."""
    with tempfile.TemporaryDirectory(prefix="router-extproc-") as peers:

        def command(worker: int) -> list[str]:
            serve = [sys.executable, "-m", "router_extproc", "serve", "--config", str(file)]
            return [*serve, "--worker", str(worker), "--peers", peers]

        supervisor = Supervisor(command, config.workers, drain_s=config.limits.drain_s, clock=SystemClock())
        async with stop_requests() as stop, lite_process(config, Path(peers)):
            return await supervisor.run(stop)
