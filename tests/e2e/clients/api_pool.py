"""A stand-in for a pool that speaks every API that the clients here speak, and remembers what it was sent.

Its answers depend on the request alone, ids and times included, so that two runs can be compared word for
word. What was sent is kept by credential: every case has one of its own.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import answers_messages
import answers_openai
import orjson
from aiohttp import web

START_S: Final = 20.0
MAX_BODY_BYTES: Final = 32 * 1024 * 1024
#: A prompt that says this gets an error of this status, every time.
_FAILS: Final = re.compile(r"fail with (\d{3})")

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class ApiPool:
    """One running pool."""

    model: str
    url: str = ""
    _received: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))

    def received(self, credential: str) -> list[Received]:
        """What came with this credential since the last time that this was asked."""
        return self._received.pop(credential, [])

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Remember the request, then answer."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        credential = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        self._received[credential].append(Received(request.method, request.path_qs, headers, body))
        return await self._answer(request, body)

    async def _answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        path = request.path
        if request.method == "GET":
            return _model_list(path, self.model)
        make = _ENDPOINTS.get(path)
        if make is None:
            return _json({"detail": "Not Found"}, 404)
        asked = {"model": _form_model(body)} if path.startswith("/v1/audio/") else orjson.loads(body)
        failure = _failure(path, asked, body.decode(errors="replace"), self.model)
        if failure is not None:
            return failure
        made = make(asked)
        return await _stream(request, made) if asked.get("stream") else _json(made, 200)


_ENDPOINTS: Final = {**answers_openai.ENDPOINTS, **answers_messages.ENDPOINTS}


def _model_list(path: str, model: str) -> web.Response:
    card = {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "vllm"}
    if path == "/v1/models":
        return _json({"object": "list", "data": [card]}, 200)
    return _json(card, 200) if path == f"/v1/models/{model}" else _json({"detail": "Not Found"}, 404)


def _failure(path: str, asked: Json, text: str, model: str) -> web.Response | None:
    """The error that the request asks for, or that no such model is here."""
    error = answers_messages.error if path.startswith("/v1/messages") else answers_openai.error
    wanted = _FAILS.search(text)
    if wanted is not None:
        status = int(wanted.group(1))
        headers = {"retry-after": "0"} if status in {429, 503} else {}
        return _json(error(status, f"asked to fail with {status}"), status, headers)
    if asked.get("messages") == []:
        return _json(error(400, "'messages' is empty."), 400)
    if asked.get("model") != model:
        return _json(error(404, f"The model `{asked.get('model')}` does not exist."), 404)
    return None


def _form_model(body: bytes) -> str:
    found = re.search(rb'name="model"\r\n\r\n([^\r]*)\r\n', body)
    return "" if found is None else found.group(1).decode()


async def _stream(request: web.Request, events: Iterable[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    for event in events:
        await response.write(event)
    await response.write_eof()
    return response


def _json(value: Json, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json", headers=headers
    )


@contextmanager
def running_api_pool(model: str) -> Iterator[ApiPool]:
    """A pool that serves one model on a free loopback port, in a thread of its own, inside the block."""
    pool, started, over = ApiPool(model), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", pool.serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            pool.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            started.set()
            await over.wait()
        finally:
            await runner.cleanup()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(run()), loop.close()), daemon=True)
    thread.start()
    try:
        if not started.wait(START_S):
            raise TimeoutError("the pool did not start")
        yield pool
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(START_S)
