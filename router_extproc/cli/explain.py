"""`router-extproc explain`: what would happen to a prompt or a request file, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import httpx
import orjson
import typer

from router_extproc.admin.client_headers import as_client
from router_extproc.admin.explained import explained
from router_extproc.admin.token import token_of
from router_extproc.app.application import build
from router_extproc.cli import FAILED, OK
from router_extproc.cli.admin_port import bearer, why_refused
from router_extproc.cli.admin_token import token_given
from router_extproc.cli.explanation import show
from router_extproc.cli.header_option import read_header
from router_extproc.cli.output import JsonOption, print_json
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.errors import RouterError
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.process.warm_up import warm
from router_extproc.protocol.headers import Headers

app = typer.Typer(add_completion=False)

#: For a running sidecar to answer.
ASK_S = 10.0


class NotExplained(RouterError):
    """Nothing could be said about the request."""


class _Silence:
    """Hears reports and forgets them. Fits pipeline.report.Listener."""

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""


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
    path: Annotated[str, typer.Option(help="The request's path.")] = "/v1/chat/completions",
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
    body = _body(checked, prompt, request)
    headers = tuple(read_header(text) for text in header or ())
    ask = _ask_running if running else _ask_here
    explanation = asyncio.run(ask(checked, path, headers, body))
    if explanation is None:
        raise NotExplained(
            f"no dialect knows POST {path}: such a request passes to the default pool unchanged"
        )
    if json:
        print_json(explanation)
    else:
        show(explanation)
    raise typer.Exit(FAILED if explanation["outcome"] == "reject" else OK)


def _body(config: Config, prompt: str | None, request: Path | None) -> bytes:
    if (prompt is None) == (request is None):
        raise typer.BadParameter("give either a prompt or --request FILE")
    if request is not None:
        try:
            return request.read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"cannot read {request}: {error.strerror}") from error
    model = config.virtual_models[0] if config.virtual_models else config.default_model
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": prompt}]})


async def _ask_here(
    config: Config, path: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> dict[str, JsonValue] | None:
    async with build(_offline(config), _Silence()) as application:
        await warm(application, config)
        decision = await application.explain("POST", path, Headers(headers), body)
    return None if decision is None else explained(decision)


def _offline(config: Config) -> Config:
    """The configuration with an empty cache of its own, and time for models that are not warm yet."""
    cache = config.semantic_cache.model_copy(update={"backend_type": "memory"})
    times = {"message_timeout_s": ASK_S, "signals_timeout_s": ASK_S / 2, "cache_timeout_s": ASK_S / 2}
    limits = config.limits.model_copy(update=times)
    return config.model_copy(update={"semantic_cache": cache, "limits": limits})


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
