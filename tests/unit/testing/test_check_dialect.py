"""The contract of dialects has teeth: each rule catches a dialect that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest

from router_extproc.dialects.base import AnswerProgress, AnswerReader, Rendered
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.errors import MalformedRequest, RequestError
from router_extproc.llm.answer import Answer, Choice, Incomplete
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import ContextField, InferenceRequest
from router_extproc.testing.check_dialect import DialectSamples, check_dialect

EVENT = (
    b'data: {"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\xc3\xa9"},'
    b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
OBJECT = (
    b'{"id":"a","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"content":"\xc3\xa9"}}]}'
)
SAMPLES = DialectSamples(
    method="POST",
    path="/v1/chat/completions",
    request=b'{"model": "auto", "messages":[{"role":"user","content":"tree?"}]}',
    streamed_request=(
        b'{"model":"auto","messages":[{"role":"user","content":"tree?"}],'
        b'"stream":true,"stream_options":{"include_usage":true}}'
    ),
    answers={"application/json": OBJECT, "text/event-stream": EVENT},
)


class Renamed(OpenAIChat):
    name = "Open AI"


class Greedy(OpenAIChat):
    def matches(self, method: str, path: str) -> bool:
        return method == "POST" and path.startswith("/v1/chat/completions")


class AnyMethod(OpenAIChat):
    def matches(self, method: str, path: str) -> bool:
        return super().matches(method.upper(), path) or super().matches("POST", path)


class Leaky(OpenAIChat):
    def parse(self, body: bytes) -> InferenceRequest:
        return replace(super().parse(body), context=(ContextField("body", body),))


class StreamSplits(OpenAIChat):
    def parse(self, body: bytes) -> InferenceRequest:
        request = super().parse(body)
        return replace(request, context=(ContextField("stream", b"%d" % request.stream),))


class Lenient(OpenAIChat):
    def parse(self, body: bytes) -> InferenceRequest:
        try:
            return super().parse(body)
        except MalformedRequest:
            return super().parse(SAMPLES.request)


class Chatty(OpenAIChat):
    def parse(self, body: bytes) -> InferenceRequest:
        try:
            return super().parse(body)
        except MalformedRequest:
            raise MalformedRequest(f"Wrong: {body.decode(errors='replace')}") from None


class Rewriting(OpenAIChat):
    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        return orjson.dumps(orjson.loads(super().edit(body, edits)))


class PerChunk:
    """Parses chunks, as if they were events."""

    def __init__(self, inner: AnswerReader) -> None:
        self._inner = inner

    def feed(self, chunk: bytes) -> AnswerProgress:
        return self._inner.feed(chunk.decode(errors="replace").encode())

    def finish(self) -> Answer | Incomplete:
        return self._inner.finish()


class Unbounded(OpenAIChat):
    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        return super().read_answer(content_type, max_answer_bytes=max_answer_bytes + 1)


class CutsMatter(OpenAIChat):
    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        return PerChunk(super().read_answer(content_type, max_answer_bytes=max_answer_bytes))


class Hopeful:
    """Calls everything complete."""

    def __init__(self, inner: AnswerReader) -> None:
        self._inner = inner

    def feed(self, chunk: bytes) -> AnswerProgress:
        return self._inner.feed(chunk)

    def finish(self) -> Answer | Incomplete:
        answer = self._inner.finish()
        return answer if isinstance(answer, Answer) else Answer("a", "m", 1, (Choice(0, "é", "stop"),))


class TakesHalf(OpenAIChat):
    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        return Hopeful(super().read_answer(content_type, max_answer_bytes=max_answer_bytes))


class Unstarted:
    """Never says that the answer has begun."""

    def __init__(self, inner: AnswerReader) -> None:
        self._inner = inner

    def feed(self, chunk: bytes) -> AnswerProgress:
        self._inner.feed(chunk)
        return AnswerProgress(started=False)

    def finish(self) -> Answer | Incomplete:
        return self._inner.finish()


class NeverStarts(OpenAIChat):
    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        return Unstarted(super().read_answer(content_type, max_answer_bytes=max_answer_bytes))


class Forgetful(OpenAIChat):
    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        return super().render(replace(answer, model="other"), request)


class Silent(OpenAIChat):
    def render_error(self, error: RequestError) -> Rendered:
        del error
        return Rendered("application/json", b"{}")


def test_incomplete_sample_is_named() -> None:
    cut = replace(SAMPLES, answers={"text/event-stream": EVENT[:-1]})
    with pytest.raises(AssertionError, match="cut_off"):
        check_dialect(OpenAIChat(), cut)


def test_sound_dialect_passes() -> None:
    check_dialect(OpenAIChat(), SAMPLES)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Renamed, "metric label"),
        (Greedy, "only its own path"),
        (AnyMethod, "only its own method"),
        (Leaky, "prompt is no context"),
        (StreamSplits, "streamed or not"),
        (Lenient, "no request is malformed"),
        (Chatty, "repeats nothing"),
        (Rewriting, "every other byte"),
        (Unbounded, "too large"),
        (CutsMatter, "same"),
        (TakesHalf, "cut off"),
        (NeverStarts, "begins once"),
        (Forgetful, "replay reads"),
        (Silent, "says what is wrong"),
    ],
)
def test_broken_dialect_is_caught(broken: Callable[[], OpenAIChat], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_dialect(broken(), SAMPLES)
