"""The contract of dialects has teeth: each rule catches a dialect that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest

from router_extproc.dialects.base import AnswerProgress, AnswerReader, Endpoint, Rendered
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.errors import MalformedRequest, RequestError
from router_extproc.llm.answer import Answer, Incomplete, JsonObject
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import ContextField, InferenceRequest
from router_extproc.testing.check_dialect import check_dialect
from router_extproc.testing.dialect_samples import DialectSamples

EVENT = (
    b'data: {"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\xc3\xa9"},'
    b'"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"a","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1}}\n\ndata: [DONE]\n\n'
)
OBJECT = (
    b'{"id":"a","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"content":"\xc3\xa9"}}],"usage":{"prompt_tokens":1}}'
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


class Twice(OpenAIChat):
    endpoints = OpenAIChat.endpoints * 2


class Sloped(OpenAIChat):
    endpoints = (Endpoint("POST", "/v1/chat/completions/"),)


class Lowercase(OpenAIChat):
    endpoints = (Endpoint("post", "/v1/chat/completions"),)


class OnlyLists(OpenAIChat):
    endpoints = (Endpoint("POST", "/v1/chat/completions", "listing"),)


class AlsoByGet(OpenAIChat):
    endpoints = (*OpenAIChat.endpoints, Endpoint("GET", "/v1/chat/completions"))


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
        return answer if isinstance(answer, Answer) else OpenAIChat().restore(orjson.loads(OBJECT))


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
        return super().render(Answer(answer.facts, {**answer.document, "model": "other"}), request)


class Changing(OpenAIChat):
    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        rendered = super().render(answer, request)
        answer.document["replayed"] = True
        return rendered


class Unsorted(OpenAIChat):
    def restore(self, document: JsonObject) -> Answer:
        answer = super().restore(document)
        return Answer(answer.facts, dict(reversed(answer.document.items())))


class Renaming(OpenAIChat):
    def restore(self, document: JsonObject) -> Answer:
        answer = super().restore(document)
        return Answer(replace(answer.facts, model="other"), document)


class Trusting(OpenAIChat):
    def restore(self, document: JsonObject) -> Answer:
        try:
            return super().restore(document)
        except ValueError:
            return super().restore(orjson.loads(OBJECT))


class Telling(OpenAIChat):
    def restore(self, document: JsonObject) -> Answer:
        try:
            return super().restore(document)
        except ValueError:
            raise ValueError(str(document)) from None


class Old(OpenAIChat):
    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        del now_s
        return answer


class Clone(OpenAIChat):
    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        new = super().renew(answer, now_s=now_s)
        return Answer(replace(new.facts, id="same"), {**new.document, "id": "same"})


class Halfway(OpenAIChat):
    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        return Answer(super().renew(answer, now_s=now_s).facts, answer.document)


class Remade(OpenAIChat):
    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        new = super().renew(answer, now_s=now_s)
        return Answer(replace(new.facts, model="other"), new.document)


class Mute(OpenAIChat):
    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:
        del text
        return super().compose("Something else.", model=model, now_s=now_s)


class Misnamed(OpenAIChat):
    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:
        return super().compose(text, model=model + "!", now_s=now_s)


class Silent(OpenAIChat):
    def render_error(self, error: RequestError) -> Rendered:
        del error
        return Rendered("application/json", b"{}")


def test_incomplete_sample_is_named() -> None:
    cut = replace(SAMPLES, answers={"text/event-stream": EVENT[:-3]})
    with pytest.raises(AssertionError, match="cut_off"):
        check_dialect(OpenAIChat(), cut)


def test_sound_dialect_passes() -> None:
    check_dialect(OpenAIChat(), SAMPLES)


@pytest.mark.parametrize(
    ("sample", "other", "rule"),
    [
        (b'"created":1', b'"created":2', "streamed or not"),
        (b'"\xc3\xa9"', b'null,"refusal":"No."', "facts tell the text"),
    ],
)
def test_answers_of_other_samples_are_caught(sample: bytes, other: bytes, rule: str) -> None:
    answers = {"application/json": OBJECT.replace(sample, other)}
    if rule == "streamed or not":
        answers["text/event-stream"] = EVENT
    with pytest.raises(AssertionError, match=rule):
        check_dialect(OpenAIChat(), replace(SAMPLES, answers=answers))


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Renamed, "metric label"),
        (Twice, "endpoints differ"),
        (Sloped, "no slash at its end"),
        (Lowercase, "in capitals"),
        (OnlyLists, "asks an endpoint for inference"),
        (AlsoByGet, "by POST"),
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
        (Changing, "leaves the document"),
        (Renaming, "stored is restored"),
        (Unsorted, "same to the byte"),
        (Trusting, "only a complete answer"),
        (Telling, "repeats nothing of the document"),
        (Old, "an id of its own"),
        (Clone, "no two renewed"),
        (Halfway, "is still one"),
        (Remade, "nothing else of it is new"),
        (Mute, "says the text"),
        (Misnamed, "names the model"),
        (Silent, "says what is wrong"),
    ],
)
def test_broken_dialect_is_caught(broken: Callable[[], OpenAIChat], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_dialect(broken(), SAMPLES)
