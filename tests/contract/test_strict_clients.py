"""Every replay is a valid object for the official clients' own types, read strictly; no network.

Strict: no number for a string, no string for a number, no kind that the API does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any  # JSON trees

import anthropic
import openai
import orjson
import pytest
from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import Rendered
from router_extproc.dialects.sse import SseReader
from router_extproc.llm.answer import Answer
from router_extproc.llm.request import InferenceRequest

SAMPLES = Path(__file__).parents[1] / "samples"
TYPES = {".json": "application/json", ".sse": "text/event-stream"}
#: Folders of answers to their dialect.
FOLDERS = {
    "openai_chat": "openai_chat",
    "vllm": "openai_chat",
    "openai_completions": "openai_completions",
    "anthropic_messages": "anthropic_messages",
    "openai_responses": "openai_responses",
}
#: Of a dialect: its whole objects, and its events.
MODELS: Mapping[str, tuple[TypeAdapter[Any], TypeAdapter[Any]]] = {
    "openai_chat": (TypeAdapter(ChatCompletion), TypeAdapter(ChatCompletionChunk)),
    "openai_completions": (TypeAdapter(openai.types.Completion), TypeAdapter(openai.types.Completion)),
    "anthropic_messages": (TypeAdapter(anthropic.types.Message), TypeAdapter(RawMessageStreamEvent)),
    "openai_responses": (TypeAdapter(Response), TypeAdapter(ResponseStreamEvent)),
}
NOW_S = 1_800_000_000.0


def read(dialect: str, file: Path) -> Answer | None:
    reader = DIALECTS[dialect].read_answer(TYPES[file.suffix], max_answer_bytes=1 << 20)
    reader.feed(file.read_bytes())
    answer = reader.finish()
    return answer if isinstance(answer, Answer) else None


ANSWERS = [
    pytest.param(dialect, answer, id=f"{folder}/{file.name}")
    for folder, dialect in FOLDERS.items()
    for file in sorted((SAMPLES / folder).iterdir())
    if file.suffix in TYPES and not file.name.endswith(".request.json")
    if (answer := read(dialect, file)) is not None
]


def replays(dialect: str, answer: Answer) -> Iterator[Rendered]:
    """The answer as hits send it, in every form in which they may be asked for."""
    speaks = DIALECTS[dialect]
    hit = speaks.mark_cached(speaks.renew(answer, now_s=NOW_S))
    asked = InferenceRequest(
        dialect, "auto", "?", "", (), (), stream=False, stream_usage=False, prompt_is_last=True
    )
    yield speaks.render(hit, asked)
    yield speaks.render(hit, replace(asked, stream=True))
    yield speaks.render(hit, replace(asked, stream=True, stream_usage=True))


def events(rendered: Rendered) -> list[bytes]:
    found = [event.data for event in SseReader(max_event_bytes=1 << 20).feed(rendered.body)]
    return [data for data in found if data != b"[DONE]"]


def test_there_are_answers_of_every_kind() -> None:
    """Calls of three kinds, refusals, reasoning, log probabilities, several choices."""
    kinds = (
        b'"tool_calls"',
        b'"function_call"',
        b'"custom"',
        b'"refusal"',
        b'"reasoning',
        b'"thinking"',
        b'"tool_use"',
    )
    documents = [orjson.dumps(param.values[1].document) for param in ANSWERS]  # type: ignore[union-attr] # answers
    assert [kind for kind in kinds if not any(kind in document for document in documents)] == []


@pytest.mark.parametrize(("dialect", "answer"), ANSWERS)
def test_a_hit_is_valid_for_a_strict_client(dialect: str, answer: Answer) -> None:
    whole, event = MODELS[dialect]
    unstreamed, *streams = replays(dialect, answer)
    whole.validate_json(unstreamed.body, strict=True)
    for stream in streams:
        for data in events(stream):
            # The client's type of an event knows calls of functions alone.
            if b'"type":"custom"' not in data:
                event.validate_json(data, strict=True)


@pytest.mark.parametrize(("dialect", "answer"), ANSWERS)
def test_a_hit_begins_as_a_new_answer_does(dialect: str, answer: Answer) -> None:
    """Its first event has the role, and every event the same new id and date."""
    unstreamed, *streams = replays(dialect, answer)
    assert orjson.loads(unstreamed.body)["id"] != answer.facts.id
    for stream in streams:
        first, *others = [orjson.loads(data) for data in events(stream)]
        match dialect:
            case "openai_chat":
                assert first["choices"][0]["delta"]["role"] == "assistant"
            case "openai_responses":
                assert (first["type"], first["response"]["created_at"]) == ("response.created", NOW_S)
                return
            case "anthropic_messages":
                assert (first["type"], first["message"]["role"]) == ("message_start", "assistant")
                return
        assert {(each["id"], each["created"]) for each in (first, *others)} == {(first["id"], int(NOW_S))}
        assert first["id"] != answer.facts.id
