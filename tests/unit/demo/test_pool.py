from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from router_extproc.demo.pool import DemoPool
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.dialects.openai_completions import OpenAICompletions
from router_extproc.dialects.openai_responses import OpenAIResponses
from router_extproc.llm.answer import Answer

#: No wait is longer, whatever the machine does.
PATIENCE_S = 20.0
QUESTION = {"role": "user", "content": "What are the main renewable energy sources?"}


@pytest.fixture
async def pool() -> AsyncIterator[DemoPool]:
    pool = DemoPool("small", "demo-small", latency_s=0, word_s=0)
    yield pool
    await pool.aclose()


@pytest.fixture
async def url(pool: DemoPool) -> str:
    return f"http://127.0.0.1:{await pool.start()}"


async def ask(url: str, **members: object) -> tuple[int, bytes]:
    body = {"model": "demo-small", "messages": [QUESTION], **members}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=body) as answer,
    ):
        return answer.status, await answer.read()


async def get(url: str, path: str) -> dict[str, object]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}{path}") as answer:
        found: dict[str, object] = await answer.json()
        return found


def read(content_type: str, body: bytes) -> Answer:
    reader = OpenAIChat().read_answer(content_type, max_answer_bytes=2**20)
    reader.feed(body)
    answer = reader.finish()
    assert isinstance(answer, Answer)
    return answer


async def test_an_answer_says_that_it_is_a_stand_ins(url: str) -> None:
    _, body = await ask(url)
    content = orjson.loads(body)["choices"][0]["message"]["content"]
    assert content.startswith("[demo pool 'small': a stand-in, not a language model]")


async def test_the_same_question_has_the_same_answer(url: str) -> None:
    first, second = [orjson.loads((await ask(url))[1]) for _ in range(2)]
    assert (first["id"], first["choices"]) == (second["id"], second["choices"])


async def test_a_streamed_answer_has_the_same_content(url: str) -> None:
    plain = read("application/json", (await ask(url))[1])
    streamed = read("text/event-stream", (await ask(url, stream=True))[1])
    assert streamed.facts.choices[0].text == plain.facts.choices[0].text


async def test_usage_ends_a_stream_that_asked_for_it(url: str) -> None:
    _, body = await ask(url, stream=True, stream_options={"include_usage": True})
    usage = read("text/event-stream", body).facts.usage
    assert usage is not None
    assert usage.prompt_tokens == 7


@pytest.mark.parametrize("stream", [True, False])
async def test_a_demanded_tool_is_called(url: str, stream: bool) -> None:  # noqa: FBT001
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    _, body = await ask(url, tools=tools, tool_choice="required", stream=stream)
    answer = read("text/event-stream" if stream else "application/json", body)
    assert [call.name for call in answer.facts.choices[0].tool_calls] == ["weather"]
    assert answer.facts.choices[0].finish_reason == "tool_calls"


async def test_a_tool_may_be_demanded_by_name(url: str) -> None:
    choice = {"type": "function", "function": {"name": "clock"}}
    _, body = await ask(url, tools=[], tool_choice=choice)
    assert read("application/json", body).facts.choices[0].tool_calls[0].name == "clock"


async def test_several_choices_come_as_asked(url: str) -> None:
    _, body = await ask(url, n=3, stream=True)
    assert len(read("text/event-stream", body).facts.choices) == 3


async def test_parts_of_a_message_are_read(url: str) -> None:
    parts = [{"type": "text", "text": "Hello"}, {"type": "image_url", "image_url": {"url": "x"}}]
    _, body = await ask(url, messages=[{"role": "user", "content": parts}])
    assert "👋" in orjson.loads(body)["choices"][0]["message"]["content"]


async def test_an_unknown_question_is_echoed(url: str) -> None:
    _, body = await ask(
        url, messages=[{"role": "user", "content": "Why?"}, {"role": "assistant", "content": None}]
    )
    assert '"Why?"' in orjson.loads(body)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("members", [{"messages": None}, {"model": 5}])
async def test_what_is_no_chat_request_is_refused(url: str, members: dict[str, object]) -> None:
    assert (await ask(url, **members))[0] == 400


async def test_a_body_that_is_no_json_is_refused(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/v1/chat/completions", data=b"{") as answer:
            assert answer.status == 400
        async with session.post(f"{url}/v1/chat/completions", data=b"[]") as answer:
            assert answer.status == 400


async def test_a_model_that_it_does_not_serve_is_not_found(url: str) -> None:
    assert (await ask(url, model="demo-large"))[0] == 404


async def test_the_virtual_name_is_served_while_the_sidecar_is_away(url: str) -> None:
    assert (await ask(url, model="auto"))[0] == 200


async def test_the_pool_tells_what_it_saw(url: str) -> None:
    await ask(url)
    await ask(url)
    assert await get(url, "/demo/seen") == {"pool": "small", "requests": 2, "models": {"demo-small": 2}}


async def test_the_models_name_their_owner_a_stand_in(url: str) -> None:
    models = await get(url, "/v1/models")
    assert "stand-in" in str(models["data"])
    assert "stand-in" in str(await get(url, "/health"))


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("What is a tree?", 1),
        (["What is a tree?", [1, 2]], 2),
        ([1, 2, 3], 1),
    ],
)
async def test_prompts_are_completed_in_both_forms(url: str, prompt: object, texts: int) -> None:
    body = {"model": "demo-small", "prompt": prompt, "n": 2, "stream_options": {"include_usage": True}}
    said = []
    for stream in (False, True):
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/v1/completions", json={**body, "stream": stream}) as answer,
        ):
            reader = OpenAICompletions().read_answer(answer.content_type, max_answer_bytes=2**20)
            reader.feed(await answer.read())
        found = reader.finish()
        assert isinstance(found, Answer)
        said.append((found.facts.choices, found.facts.usage))
    assert said[0] == said[1]
    assert len(said[0][0]) == 2 * texts


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no", 400),
        (b'{"model":"demo-small"}', 400),
        (b"[]", 400),
        (b'{"model":5,"prompt":"a"}', 400),
        (b'{"model":"other","prompt":"a"}', 404),
    ],
)
async def test_what_is_no_completion_request_is_refused(url: str, body: bytes, status: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/completions", data=body) as answer,
    ):
        assert answer.status == status


LIST: dict[str, object] = {"type": "function", "name": "ls"}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"input": [QUESTION, {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}]},
        {"tools": [LIST], "tool_choice": "required"},
        {"tool_choice": LIST},
    ],
)
async def test_questions_are_answered_in_both_forms_of_a_response(
    url: str, members: dict[str, object]
) -> None:
    body, said = {"model": "demo-small", "input": QUESTION["content"], **members}, []
    for stream in (False, True):
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/v1/responses", json={**body, "stream": stream}) as answer,
        ):
            reader = OpenAIResponses().read_answer(answer.content_type, max_answer_bytes=2**20)
            reader.feed(await answer.read())
        found = reader.finish()
        assert isinstance(found, Answer)
        said.append((found.facts.choices, found.facts.usage, found.document["output"]))
    assert said[0] == said[1]
    assert bool(said[0][0][0].tool_calls) == ("tool_choice" in members)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no", 400),
        (b"[]", 400),
        (b'{"model":"demo-small"}', 400),
        (b'{"model":"other","input":"a"}', 404),
    ],
)
async def test_what_is_no_responses_request_is_refused(url: str, body: bytes, status: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/responses", data=body) as answer,
    ):
        assert answer.status == status


async def test_a_request_waits_for_its_answer_while_it_may_not_answer(pool: DemoPool, url: str) -> None:
    """A test makes a failure meanwhile, in time on any machine."""
    pool.may_answer.clear()
    asking = asyncio.create_task(ask(url))
    async with asyncio.timeout(PATIENCE_S):
        while not pool.seen:  # noqa: ASYNC110 - a pool tells nobody
            await asyncio.sleep(0.01)
    for _ in range(100):
        await asyncio.sleep(0)
    assert not asking.done()
    pool.may_answer.set()
    assert (await asking)[0] == 200


async def test_a_stream_waits_in_the_middle_while_it_may_not_go_on(pool: DemoPool, url: str) -> None:
    body = {"model": "demo-small", "messages": [QUESTION], "stream": True}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=body) as answer,
    ):
        received = await answer.content.readuntil(b"\n\n")
        pool.may_answer.clear()
        # As often as a whole answer would need, and more.
        for _ in range(2000):
            await asyncio.sleep(0)
            received += answer.content.read_nowait()
        assert b"[DONE]" not in received
        pool.may_answer.set()
        received += await answer.read()
    assert received.endswith(b"data: [DONE]\n\n")
