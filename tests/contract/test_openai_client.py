"""The official OpenAI client takes replays and errors for a provider's own; no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.errors import ModelNotFound
from router_extproc.llm.answer import Answer

CHAT = DIALECTS["openai_chat"]
SAMPLES = Path(__file__).parents[1] / "samples" / "openai_chat"
TYPES = {".json": "application/json", ".sse": "text/event-stream"}
QUESTION = [{"role": "user", "content": "Which tree grows fastest?"}]


def stored(name: str) -> Answer:
    file = SAMPLES / name
    reader = CHAT.read_answer(TYPES[file.suffix], max_answer_bytes=1 << 20)
    reader.feed(file.read_bytes())
    answer = reader.finish()
    assert isinstance(answer, Answer)
    return answer


def client_of(answer: Answer) -> openai.OpenAI:
    """A client whose every request is answered from the cache."""

    def replay(request: httpx.Request) -> httpx.Response:
        asked = CHAT.parse(request.read())
        rendered = CHAT.render(answer, asked)
        return httpx.Response(200, headers={"content-type": rendered.content_type}, content=rendered.body)

    transport = httpx.MockTransport(replay)
    return openai.OpenAI(
        api_key="made-up", base_url="http://replay/v1", http_client=httpx.Client(transport=transport)
    )


@pytest.fixture
def openai_client() -> Iterator[openai.OpenAI]:
    with client_of(stored("openai.answer.sse")) as client:
        yield client


def test_client_reads_a_replay(openai_client: openai.OpenAI) -> None:
    completion = openai_client.chat.completions.create(model="auto", messages=QUESTION)  # type: ignore[arg-type]
    answer = stored("openai.answer.sse")
    assert completion.choices[0].message.content == answer.facts.choices[0].text
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 65
    assert completion.system_fingerprint == "fp_06737a9306"


def test_client_reads_a_streamed_replay(openai_client: openai.OpenAI) -> None:
    stream = openai_client.chat.completions.create(
        model="auto",
        messages=QUESTION,  # type: ignore[arg-type]
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == stored("openai.answer.sse").facts.choices[0].text
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 65


@pytest.mark.parametrize("name", ["vllm-tools.answer.sse", "legacy-function-call.answer.sse"])
def test_client_puts_streamed_calls_together_as_in_json(name: str) -> None:
    """The client's own accumulation of deltas must come out as the JSON replay says."""
    with client_of(stored(name)) as client:
        whole = client.chat.completions.create(model="auto", messages=QUESTION)  # type: ignore[arg-type]
        with client.chat.completions.stream(model="auto", messages=QUESTION) as stream:  # type: ignore[arg-type]
            streamed = stream.get_final_completion()
    assert calls_of(streamed) == calls_of(whole)
    assert any(calls_of(whole))


def calls_of(completion: openai.types.chat.ChatCompletion) -> list[tuple[str, str, str]]:
    """Id, name and arguments of every call, of both forms."""
    message = completion.choices[0].message
    calls = [(call.id, call.function) for call in message.tool_calls or [] if call.type == "function"]
    legacy = [("", message.function_call)] if message.function_call else []
    return [(identity, call.name, call.arguments) for identity, call in [*calls, *legacy]]


def test_client_reads_a_custom_call() -> None:
    with client_of(stored("custom-tool.answer.json")) as client:
        completion = client.chat.completions.create(model="auto", messages=QUESTION)  # type: ignore[arg-type]
    (call,) = completion.choices[0].message.tool_calls or []
    assert call.type == "custom"
    assert call.custom.input == "select 1;\n"


def test_client_reads_several_choices() -> None:
    with (
        client_of(stored("vllm-two-choices.answer.sse")) as client,
        client.chat.completions.stream(model="auto", messages=QUESTION, n=2) as stream,  # type: ignore[arg-type]
    ):
        final = stream.get_final_completion()
    assert [choice.message.content for choice in final.choices] == ["Poplar", "Bamboo"]
    assert final.choices[0].logprobs is not None
    assert [token.token for token in final.choices[0].logprobs.content or []] == ["Pop", "lar"]


def test_client_raises_the_error_by_its_kind() -> None:
    rendered = CHAT.render_error(ModelNotFound("No model of that name.", param="model"))

    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, headers={"content-type": rendered.content_type}, content=rendered.body)

    http = httpx.Client(transport=httpx.MockTransport(refuse))
    with (
        openai.OpenAI(api_key="made-up", base_url="http://replay/v1", http_client=http) as client,
        pytest.raises(openai.NotFoundError) as refused,
    ):
        client.chat.completions.create(model="x", messages=QUESTION)  # type: ignore[arg-type]
    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
