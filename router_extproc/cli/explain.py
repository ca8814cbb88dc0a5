"""`router-extproc explain`: what would happen to a prompt or a request file, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import httpx
import typer

from router_extproc.admin.client_headers import as_client
from router_extproc.admin.explained import explained_whole
from router_extproc.admin.token import token_of
from router_extproc.app.application import build
from router_extproc.cli import FAILED, OK
from router_extproc.cli.admin_port import bearer, why_refused
from router_extproc.cli.admin_token import token_given
from router_extproc.cli.explanation import show
from router_extproc.cli.header_option import read_header
from router_extproc.cli.offline import ASK_S, Silence, offline
from router_extproc.cli.output import JsonOption, print_json
from router_extproc.cli.recorded import PATH, ask_for, read_archive
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.errors import RouterError
from router_extproc.llm.answer import JsonValue
from router_extproc.process.warm_up import warm
from router_extproc.protocol.headers import Headers

app = typer.Typer(add_completion=False)


class NotExplained(RouterError):
    """Nothing could be said about the request."""


@app.command(epilog='Example: router-extproc explain --config router.yaml "Solve x² = 2"')
def explain(
    prompt: Annotated[str | None, typer.Argument(help="The last user message.", show_default=False)] = None,
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration.", show_default=False)],
    request: Annotated[
        Path | None,
        typer.Option(help="File with a request body (JSON), instead of a prompt.", show_default=False),
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="A request header, 'name: value'.")
    ] = None,
    path: Annotated[str, typer.Option(help="The request's path.")] = PATH,
    exchange: Annotated[
        Path | None,
        typer.Option(
            help="A recorded exchange (HTTP archive, .har) with path, headers and body of its own.",
            show_default=False,
        ),
    ] = None,
    entry: Annotated[int, typer.Option(min=1, help="Which entry of the archive, from 1 on.")] = 1,
    running: Annotated[
        bool, typer.Option("--running", help="Ask the running sidecar, with its cache, over its admin port.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what would happen to a prompt or a request file, and why.

    Nothing is sent to a pool, and nothing is stored. The cache is empty unless --running asks the running
    sidecar. Exit code 1: the request would be refused, or it cannot be explained.
    """
    checked = read_config(config)
    headers = tuple(read_header(text) for text in header or ())
    if exchange is not None:
        if prompt is not None or request is not None:
            raise typer.BadParameter("give one of a prompt, --request FILE and --exchange FILE")
        recorded = read_archive(exchange, entry)
        path, headers, body = recorded.path, (*recorded.headers, *headers), recorded.body
    else:
        body = _body(checked, prompt, request)
    ask = _ask_running if running else _ask_here
    explanation = asyncio.run(ask(checked, path, headers, body))
    if explanation is None:
        raise NotExplained(
            f"POST {path} is not understood: such a request passes to the default pool unchanged"
        )
    if json:
        print_json(explanation)
    else:
        show(explanation)
    raise typer.Exit(FAILED if explanation["outcome"] == "reject" else OK)


def _body(config: Config, prompt: str | None, request: Path | None) -> bytes:
    if (prompt is None) == (request is None):
        raise typer.BadParameter("give one of a prompt, --request FILE and --exchange FILE")
    if request is not None:
        try:
            return request.read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"cannot read {request}: {error.strerror}") from error
    try:
        return ask_for(config, prompt or "")
    except TypeError as error:  # orjson.JSONEncodeError: bytes of another encoding in the command line
        raise typer.BadParameter("the prompt is no UTF-8 text") from error


async def _ask_here(
    config: Config, path: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> dict[str, JsonValue] | None:
    async with build(offline(config), Silence()) as application:
        await warm(application, config)
        whole = await application.explain_whole("POST", path, Headers(headers), body)
    return None if whole is None else explained_whole(whole)


async def _ask_running(
    config: Config, path: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> dict[str, JsonValue] | None:
    url = f"http://{config.admin}/explain"
    own = {"content-type": "application/json", **bearer(token_of(config.admin) or token_given(None))}
    try:
        async with httpx.AsyncClient(timeout=ASK_S, trust_env=False, headers=own) as client:
            answer = await client.post(
                url, params={"path": path}, headers=as_client(dict(headers)), content=body
            )
    except httpx.HTTPError as error:
        raise NotExplained(
            f"no answer from {url} ({type(error).__name__}): is the sidecar running?"
        ) from error
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if not answer.is_success:
        raise NotExplained(f"{url}: {why_refused(answer)}")
    explanation: dict[str, JsonValue] = answer.json()
    return explanation
