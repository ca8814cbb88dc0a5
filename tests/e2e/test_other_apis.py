"""The official clients on the APIs beside conversations, through a real Envoy."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from router_extproc.testing.pools import RecordingPool
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: As 32-bit floats, of which base64 keeps every bit.
VECTORS = [[0.5, -0.25, 3.0], [1.0, 0.125, -2.0]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path_factory.mktemp("apis")) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="module")
async def stack(module_stack: Stack) -> Stack:
    await module_stack.quiet()
    module_stack.reset()
    return module_stack


@pytest_asyncio.fixture(loop_scope="module")
async def client(stack: Stack) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{stack.envoy.url}/v1", api_key="k", max_retries=0) as made:
        yield made


def say(pool: RecordingPool, answer: object) -> None:
    pool.answer.pieces = (json.dumps(answer).encode(),)


def embeddings(*, coded: bool) -> dict[str, Any]:
    def spelled(vector: list[float]) -> object:
        return base64.b64encode(struct.pack("<3f", *vector)).decode() if coded else vector

    data = [
        {"object": "embedding", "index": place, "embedding": spelled(vector)}
        for place, vector in enumerate(VECTORS)
    ]
    usage = {"prompt_tokens": 6, "total_tokens": 6}
    return {"object": "list", "data": data, "model": "tiny-large", "usage": usage}


async def test_a_batch_is_embedded_once(stack: Stack, client: openai.AsyncOpenAI) -> None:
    """The client asks for base64 by default, and decodes it."""
    say(stack.large, embeddings(coded=True))
    first = await client.embeddings.create(model="large", input=["a tree", "a\nhouse"])
    assert [each.embedding for each in first.data] == VECTORS
    assert json.loads(stack.large.requests[0].body)["encoding_format"] == "base64"
    await stack.until(stack.observer_closed)
    raw = await client.embeddings.with_raw_response.create(model="large", input=["a tree", "a\nhouse"])
    assert raw.headers["x-router-cache"] == "hit-exact"
    again = raw.parse()
    assert (again.data, again.usage.prompt_tokens) == (first.data, 6)
    assert len(stack.large.requests) == 1


async def test_inputs_of_earlier_batches_are_not_embedded_again(
    stack: Stack, client: openai.AsyncOpenAI
) -> None:
    """Vector stores send the same texts in other batches, after every restart and for every change."""
    say(stack.large, embeddings(coded=True))
    await client.embeddings.create(model="large", input=["an elm", "a barn"])
    await stack.until(stack.observer_closed)
    for given, expected in (
        (["a barn", "an elm", "a barn"], [VECTORS[1], VECTORS[0], VECTORS[1]]),
        ("a barn", [VECTORS[1]]),
    ):
        for more in ({}, {"encoding_format": "float"}):
            raw = await client.embeddings.with_raw_response.create(model="large", input=given, **more)
            found = raw.parse()
            assert (raw.headers["x-router-cache"], found.object, found.model) == (
                "hit-exact",
                "list",
                "tiny-large",
            )
            assert [each.embedding for each in found.data] == expected
            assert [each.index for each in found.data] == list(range(len(expected)))
            assert found.usage.prompt_tokens == found.usage.total_tokens == 3 * len(expected)
    assert len(stack.large.requests) == 1
    miss = await client.embeddings.with_raw_response.create(model="large", input=["a barn", "a mill"])
    assert miss.headers["x-router-cache"] == "miss"
    assert json.loads(stack.large.requests[1].body)["input"] == ["a barn", "a mill"]


async def test_a_batch_of_another_default_model_is_another_answer(
    stack: Stack, client: openai.AsyncOpenAI
) -> None:
    say(stack.small, embeddings(coded=False))
    asked = {"model": "auto", "input": ["a tree", "a\nhouse"], "encoding_format": "float"}
    first = await client.embeddings.create(**asked)
    assert [each.embedding for each in first.data] == VECTORS
    assert first.usage.prompt_tokens == 6
    await stack.until(stack.observer_closed)
    raw = await client.embeddings.with_raw_response.create(**asked)
    assert (raw.headers["x-router-cache"], raw.headers["x-router-model"]) == ("hit-exact", "small")
    assert raw.parse().data == first.data


async def test_a_recording_is_transcribed_by_the_model_it_names(
    stack: Stack, client: openai.AsyncOpenAI
) -> None:
    say(stack.large, {"text": "Good morning."})
    sound = b"RIFF" + bytes(range(256)) * 64
    heard = await client.audio.transcriptions.create(model="large", file=("a.wav", sound), language="en")
    assert heard.text == "Good morning."
    (request,) = stack.large.requests
    assert b'name="model"\r\n\r\ntiny-large\r\n' in request.body
    assert sound in request.body


async def test_a_recording_for_a_virtual_name_is_the_default_models(
    stack: Stack, client: openai.AsyncOpenAI
) -> None:
    say(stack.small, {"text": "Good morning."})
    raw = await client.audio.transcriptions.with_raw_response.create(model="auto", file=("a.wav", b"RIFF"))
    assert (raw.headers["x-router-model"], raw.headers["x-router-decision"]) == ("small", "default")
    assert raw.parse().text == "Good morning."


async def test_a_moderation_is_its_models(stack: Stack, client: openai.AsyncOpenAI) -> None:
    say(stack.large, {"id": "modr-1", "model": "tiny-large", "results": []})
    judged = await client.moderations.create(model="large", input="x")
    assert (judged.model, judged.results) == ("tiny-large", [])
    say(stack.small, {"id": "modr-2", "model": "tiny-small", "results": []})
    assert (await client.moderations.create(input="x")).model == "tiny-small"
    assert json.loads(stack.small.requests[0].body) == {"input": "x"}


async def test_tokens_of_a_message_are_counted_by_the_model_it_names(stack: Stack) -> None:
    say(stack.large, {"input_tokens": 12})
    async with anthropic.AsyncAnthropic(base_url=stack.envoy.url, api_key="k", max_retries=0) as client:
        counted = await client.messages.count_tokens(
            model="large", messages=[{"role": "user", "content": "x"}]
        )
        assert counted.input_tokens == 12
        with pytest.raises(anthropic.NotFoundError) as refused:
            await client.messages.count_tokens(model="none", messages=[{"role": "user", "content": "x"}])
    assert json.loads(stack.large.requests[0].body)["model"] == "tiny-large"
    assert refused.value.body == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "The requested model does not exist here."},
    }


async def test_an_unknown_model_is_the_clients_own_exception(
    client: openai.AsyncOpenAI, tmp_path: Path
) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF")
    with pytest.raises(openai.NotFoundError) as refused:
        await client.embeddings.create(model="none", input="x")
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        await client.audio.transcriptions.create(model="none", file=sound)
