"""A stand-in for a vLLM pool: an OpenAI-compatible server whose answers are fixed texts.

It waits as long as a quick model would, so that an answer from the cache can be told from one of the pool
by the clock.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import orjson
from aiohttp import web

from router_extproc.demo.completions import completion, completion_events, read_completion_request
from router_extproc.demo.messages import message, message_error, message_events, read_message_request
from router_extproc.demo.responses import read_response_request, response, response_events
from router_extproc.demo.texts import Asked, count_tokens, message_of, pieces, read_request
from router_extproc.llm.answer import JsonValue

#: Until the first word.
LATENCY_S: Final = 0.3
#: Between two words of a streamed answer.
WORD_S: Final = 0.005
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
#: Served too, as a real pool should: without the sidecar Envoy sends requests here as they are.
VIRTUAL_NAME: Final = "auto"
OWNER: Final = "router_extproc demo: a stand-in, not a language model"

JsonObject = dict[str, JsonValue]


class DemoPool:
    """One pool; to be started and closed where the event loop runs."""

    def __init__(
        self, name: str, served_name: str, *, latency_s: float = LATENCY_S, word_s: float = WORD_S
    ) -> None:
        self.name: Final = name
        self.served_name: Final = served_name
        #: Requests by the model name they carried, as seen here.
        self.seen: Final[Counter[str]] = Counter()
        #: While it is not set, requests wait for their answer, and streams for the next event.
        self.may_answer: Final = asyncio.Event()
        self.may_answer.set()
        self._latency_s: Final = latency_s
        self._word_s: Final = word_s
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serve; the port (chosen by the system when 0)."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def aclose(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_post("/v1/chat/completions", self._complete)
        application.router.add_post("/v1/completions", self._continue)
        application.router.add_post("/v1/messages", self._message)
        application.router.add_post("/v1/responses", self._respond)
        application.router.add_get("/v1/models", self._models)
        application.router.add_get("/health", self._health)
        application.router.add_get("/demo/seen", self._show_seen)
        return application

    async def _models(self, _request: web.Request) -> web.Response:
        model: JsonObject = {"id": self.served_name, "object": "model", "created": 0, "owned_by": OWNER}
        return _json({"object": "list", "data": [model]})

    async def _health(self, _request: web.Request) -> web.Response:
        return _json({"pool": self.name, "note": OWNER})

    async def _show_seen(self, _request: web.Request) -> web.Response:
        return _json({"pool": self.name, "requests": self.seen.total(), "models": dict(self.seen)})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = read_request(orjson.loads(await request.read()))
        except orjson.JSONDecodeError:
            asked = None
        if asked is None:
            return _error(400, "not a chat completion request")
        self.seen[asked.model] += 1
        if asked.model not in (self.served_name, VIRTUAL_NAME):
            return _error(404, f"this pool serves {self.served_name}")
        await self._until_first_byte()
        return await self._stream(request, asked) if asked.stream else self._answer(asked)

    async def _continue(self, request: web.Request) -> web.StreamResponse:
        try:
            continued = read_completion_request(self.name, orjson.loads(await request.read()))
        except orjson.JSONDecodeError:
            continued = None
        if continued is None:
            return _error(400, "not a completion request")
        self.seen[continued.asked.model] += 1
        if continued.asked.model not in (self.served_name, VIRTUAL_NAME):
            return _error(404, f"this pool serves {self.served_name}")
        await self._until_first_byte()
        head = self._head(continued.asked, "text_completion", prefix="cmpl")
        if not continued.asked.stream:
            return _json(completion(head, continued))
        events = (b"data: " + orjson.dumps(event) + b"\n\n" for event in completion_events(head, continued))
        return await self._send(request, chain(events, [b"data: [DONE]\n\n"]))

    async def _message(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = read_message_request(orjson.loads(await request.read()))
        except orjson.JSONDecodeError:
            asked = None
        if asked is None:
            return _json(message_error(400, "not a Messages request"), status=400)
        self.seen[asked.model] += 1
        if asked.model not in (self.served_name, VIRTUAL_NAME):
            return _json(message_error(404, f"this pool serves {self.served_name}"), status=404)
        await self._until_first_byte()
        whole = message(f"msg_demo_{self._digest(asked)}", self.served_name, self.name, asked)
        if not asked.stream:
            return _json(whole)
        return await self._send(request, map(_named, message_events(whole)))

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = read_response_request(orjson.loads(await request.read()))
        except orjson.JSONDecodeError:
            asked = None
        if asked is None:
            return _error(400, "not a Responses request")
        self.seen[asked.model] += 1
        if asked.model not in (self.served_name, VIRTUAL_NAME):
            return _error(404, f"this pool serves {self.served_name}")
        await self._until_first_byte()
        identity, made = f"resp_demo{self._digest(asked)}", int(time.time())
        head: JsonObject = {"id": identity, "created_at": made, "model": self.served_name}
        whole = response(head, self.name, asked)
        return (
            await self._send(request, map(_named, response_events(whole))) if asked.stream else _json(whole)
        )

    async def _until_first_byte(self) -> None:
        await asyncio.sleep(self._latency_s)
        await self.may_answer.wait()

    def _answer(self, asked: Asked) -> web.Response:
        message = message_of(self.name, asked)
        reason = "stop" if asked.tool is None else "tool_calls"
        choices: list[JsonValue] = [
            {"index": index, "message": message, "logprobs": None, "finish_reason": reason}
            for index in range(asked.choices)
        ]
        return _json(
            self._head(asked, "chat.completion") | {"choices": choices, "usage": _usage(asked, message)}
        )

    async def _stream(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        events = (b"data: " + orjson.dumps(event) + b"\n\n" for event in self._events(asked))
        return await self._send(request, chain(events, [b"data: [DONE]\n\n"]))

    async def _send(self, request: web.Request, events: Iterable[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for event in events:
            await self.may_answer.wait()
            await response.write(event)
            await asyncio.sleep(self._word_s)
        await response.write_eof()
        return response

    def _events(self, asked: Asked) -> Iterator[JsonObject]:
        head, message = self._head(asked, "chat.completion.chunk"), message_of(self.name, asked)
        reason = "stop" if asked.tool is None else "tool_calls"
        for delta in _deltas(message):
            for index in range(asked.choices):
                yield head | {"choices": [{"index": index, "delta": delta, "finish_reason": None}]}
        for index in range(asked.choices):
            yield head | {"choices": [{"index": index, "delta": {}, "finish_reason": reason}]}
        if asked.stream_usage:
            yield head | {"choices": [], "usage": _usage(asked, message)}

    def _head(self, asked: Asked, kind: str, *, prefix: str = "chatcmpl") -> JsonObject:
        return {
            "id": f"{prefix}-demo-{self._digest(asked)}",
            "object": kind,
            "created": int(time.time()),
            "model": self.served_name,
            "system_fingerprint": f"demo-{self.name}",
        }

    def _digest(self, asked: Asked) -> str:
        """The same question to the same pool has the same answer, and so the same id."""
        question = f"{self.name}\0{asked.question}"
        return hashlib.sha256(question.encode(errors="replace")).hexdigest()[:16]


def _named(event: JsonObject) -> bytes:
    """An event of an API whose events have names."""
    return b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), orjson.dumps(event))


def _deltas(message: JsonObject) -> Iterator[JsonObject]:
    yield {"role": "assistant", "content": ""}
    match message:
        case {
            "tool_calls": [{"id": call_id, "type": kind, "function": {"name": name, "arguments": arguments}}]
        }:
            first: JsonObject = {"name": name, "arguments": ""}
            yield {"tool_calls": [{"index": 0, "id": call_id, "type": kind, "function": first}]}
            yield {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}
        case {"content": str(content)}:
            for piece in pieces(content):
                yield {"content": piece}


def _usage(asked: Asked, message: JsonObject) -> JsonObject:
    completion = asked.choices * count_tokens(str(message["content"] or asked.tool))
    return {
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": asked.prompt_tokens + completion,
    }


def _error(status: int, message: str) -> web.Response:
    error: JsonObject = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _json({"error": error}, status=status)


def _json(value: JsonObject, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
