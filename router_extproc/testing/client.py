"""A client and a pool in words, for tests against a FakeRouter: what goes in, what comes out.

It hands the driver the events that the protocol core would have made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from router_extproc.dialects import DIALECTS
from router_extproc.llm.stored import encode_answer
from router_extproc.protocol.driver import DeferredReply, ExchangeDriver
from router_extproc.protocol.events import AnswerChunk, AnswerStarted, BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import CACHE_HEADER, CACHE_KEY, METADATA_NAMESPACE, TOKEN_KEY
from router_extproc.testing.router import FakeRouter

PATH = "/v1/chat/completions"


def chat(prompt: str = "What is a cat?", **members: object) -> dict[str, Any]:  # Any: JSON
    """The body of a chat completion request."""
    return {"model": "auto", "messages": [{"role": "user", "content": prompt}], **members}


def answer_json(content: str = "An animal.", **choice: object) -> bytes:
    """The body of a chat completion answer."""
    message = {"role": "assistant", "content": content}
    first = {"index": 0, "message": message, "finish_reason": "stop", **choice}
    usage = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}
    return json.dumps(
        {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [first],
            "usage": usage,
        }
    ).encode()


def stored_answer(content: str) -> bytes:
    """The answer of an entry that holds this text."""
    chat = DIALECTS["openai_chat"]
    return encode_answer(chat.restore(chat.compose(content, model="m", now_s=5)))


@dataclass(frozen=True, slots=True)
class Sent:
    """What Envoy was told."""

    to_headers: HeadersReply | ImmediateResponse
    to_body: BodyReply | ImmediateResponse | None
    #: Of the deciding stream.
    driver: ExchangeDriver

    @property
    def immediate(self) -> ImmediateResponse:
        """Our own answer; TypeError when the request went on."""
        reply = self.to_body or self.to_headers
        if isinstance(reply, ImmediateResponse):
            return reply
        raise TypeError("forwarded, not answered")

    @property
    def forwarded(self) -> BodyReply:
        """The reply that sends the request on; TypeError when we answered."""
        if isinstance(self.to_body, BodyReply):
            return self.to_body
        raise TypeError("answered, not forwarded")

    @property
    def cache(self) -> str:
        """What the client reads in x-router-cache."""
        if isinstance(self.to_body, BodyReply):
            return self.to_body.dynamic_metadata[METADATA_NAMESPACE][CACHE_KEY]
        return dict(self.immediate.headers)[CACHE_HEADER]

    def sent_header(self, name: str) -> str:
        """A header that the pool gets from us."""
        return dict(self.forwarded.mutation.overwrite)[name]


class Client:
    """Sends requests to one router, as Envoy would."""

    def __init__(self, router: FakeRouter) -> None:
        self.router = router

    async def send(
        self,
        body: object,
        *,
        path: str = PATH,
        method: str = "POST",
        role: Role = Role.DECIDE,
        anonymous: bool = False,
        **headers: str,
    ) -> Sent:
        """Send a request; `x_name="value"` is the header x-name. It has a key, unless it is `anonymous`."""
        headers = headers if anonymous else {"authorization": "Bearer test-client", **headers}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        pairs = ((":method", method), (":path", path), *named)
        driver = self.router.parts.drive(role)
        first = await driver.on_request_headers(RequestStarted(Headers(pairs), last=False))
        if isinstance(first, ImmediateResponse):
            return Sent(first, None, driver)
        reply = await driver.on_request_body(BodyReceived(raw, last=True))
        if isinstance(reply, DeferredReply):
            last = reply.now if isinstance(reply.now, BodyReply) else await reply.then()
            return Sent(first, last, driver)
        return Sent(first, reply, driver)

    def answer(self, sent: Sent, body: bytes, *, status: int = 200, end: bool = True, **headers: str) -> None:
        """Play the pool: the observing filter sees this answer to what was forwarded."""
        token = sent.forwarded.dynamic_metadata[METADATA_NAMESPACE][TOKEN_KEY]
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = Headers(tuple({"content-type": "application/json", **named}.items()))
        driver = self.router.parts.drive(Role.OBSERVE)
        metadata = {METADATA_NAMESPACE: {TOKEN_KEY: token}}
        driver.on_answer_headers(AnswerStarted(status, pairs, last=False, metadata=metadata))
        driver.on_answer_chunk(AnswerChunk(body, last=end))
        driver.on_closed(clean=end)

    async def ask(self, body: object, **headers: Any) -> Sent:  # Any: as for send
        """Send, and answer what was forwarded."""
        sent = await self.send(body, **headers)
        if isinstance(sent.to_body, BodyReply):
            self.answer(sent, answer_json())
        return sent
