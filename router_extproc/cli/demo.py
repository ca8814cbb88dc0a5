"""`router-extproc demo`: everything at once, on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from router_extproc.cli.output import ERR, OUT
from router_extproc.demo.pool import LATENCY_S
from router_extproc.demo.runner import DemoSettings, Started, run_demo

app = typer.Typer(add_completion=False)

_REQUEST = (
    '{"model": "auto", "messages": [{"role": "user",'
    ' "content": "What are the main renewable energy sources?"}], "temperature": 0.7}'
)


@app.command(
    epilog="Example: POOLS='small=http://10.0.0.5:8000 large=http://10.0.0.6:8000' router-extproc demo"
)
def demo(
    *,
    port: Annotated[int, typer.Option(help="Envoy's port on 127.0.0.1.", min=1, max=65535)] = 8801,
    admin_port: Annotated[
        int, typer.Option(help="The sidecar's admin port on 127.0.0.1.", min=1, max=65535)
    ] = 9190,
    folder: Annotated[Path, typer.Option(help="Folder for configurations, logs and the cache.")] = Path(
        ".run"
    ),
    pools: Annotated[
        str, typer.Option(envvar="POOLS", help="Real pools: small=http://HOST:PORT large=http://HOST:PORT.")
    ] = "",
    latency_s: Annotated[
        float, typer.Option(help="Seconds until a stand-in pool answers.", min=0)
    ] = LATENCY_S,
    keep_cache: Annotated[bool, typer.Option("--keep-cache", help="Keep the cache of the last run.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", help="Your configuration; this run sets ports, pools and files itself."
        ),
    ] = None,
) -> None:
    """Start Envoy, the sidecar, Milvus Lite and two pools; Ctrl-C stops all of it.

    The pools are small stand-ins, not language models, unless POOLS names real ones.
    """
    settings = DemoSettings(port, admin_port, folder, pools, latency_s, keep_cache, config)
    with ERR.status("starting") as status:

        def show(started: Started) -> None:
            status.stop()
            _show(started)

        def say(step: str) -> None:
            status.update(escape(step))
            ERR.print(f"[dim]·[/dim] {escape(step)}")

        asyncio.run(run_demo(settings, say=say, show=show))


def _show(started: Started) -> None:
    config = started.config
    url = f"http://{config.envoy.listen}"
    OUT.print(f"\n[bold green]Ready[/bold green] after {started.seconds:.1f} s.\n")
    OUT.print(f"  Envoy      {url}/v1/chat/completions")
    OUT.print(f"  dashboard  http://{config.admin}/")
    for name, pool in started.pools.items():
        note = " [dim](stand-in, not a language model)[/dim]" if name in started.stand_ins else ""
        OUT.print(f"  {escape(name):<9}  {pool}{note}")
    if config.semantic_cache.milvus is not None:
        OUT.print(f"  cache      Milvus Lite, {config.semantic_cache.milvus.connection.uri}")
    OUT.print("\nTry this twice; the second answer comes from the cache:\n")
    # Plain, so that it can be copied whole.
    OUT.print(
        f"curl -i {url}/v1/chat/completions \\\n  -H 'content-type: application/json'"
        f" -H 'authorization: Bearer test-token' \\\n  -d '{_REQUEST}'",
        markup=False,
    )
    OUT.print("\nCtrl-C stops all of it.")
