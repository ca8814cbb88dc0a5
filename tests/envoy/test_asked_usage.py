"""Usage asked for on a client's behalf, through a real Envoy: clients see the stream that they asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import openai
import orjson
import pytest
import pytest_asyncio

from router_extproc.testing.pools import PoolAnswer, PoolRequest, RecordingPool
from router_extproc.testing.served_product import LIMIT_S, Product, clusters_of, running_product

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTS = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}
ASKED = {"include_usage": True}
TEXT = ("Beech ", "trees ", "are green. ", "☘")
#: Where a network cuts a stream.
STEP = 41


def sections(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    """The pool of `small` is asked; `large` must not be."""
    cost = {"input_per_mtok": 1.0, "output_per_mtok": 1.0}
    models = {
        "small": {"cluster": "vllm_small", "ask_usage": True, "cost": cost},
        "large": {"cluster": "vllm_large"},
    }
    envoy = {"profile": "inline", "clusters": clusters_of(small, large)}
    words = {"up": "upward", "down": "downward"}
    return {
        "models": models,
        "default_model": "small",
        "signals": {name: {"type": "keywords", "any": [word]} for name, word in words.items()},
        "decisions": [
            {"name": "up", "when": {"up": True}, "models": ["small", "large"]},
            {"name": "down", "when": {"down": True}, "models": ["large", "small"]},
        ],
        "envoy": envoy,
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("usage"), sections=sections) as running:
        for pool in (running.small, running.large):
            pool.answer_by = answer
        yield running


def stream_of(body: dict[str, Any]) -> bytes:
    """As OpenAI streams it: where usage is asked for, every chunk has the member."""
    usage = (body.get("stream_options") or {}).get("include_usage") is True
    is_chat = "messages" in body
    kind = "chat.completion.chunk" if is_chat else "text_completion"
    own = {"usage": None} if usage else {}
    head = {"id": "c-1", "object": kind, "created": 5, "model": body["model"], **own}

    def choice(text: str, finish: str | None = None) -> dict[str, Any]:
        said = {"delta": {"content": text}} if is_chat else {"text": text}
        return {"index": 0, **said, "logprobs": None, "finish_reason": finish}

    events: list[dict[str, Any]] = [{**head, "choices": [choice(piece)]} for piece in TEXT]
    events.append({**head, "choices": [choice("", "stop")]})
    if usage:
        events.append({**head, "choices": [], "usage": COUNTS})
    frames = (b"data: " + orjson.dumps(event) + b"\r\n\r\n" for event in events)
    return b"".join((b": hello\r\n\r\n", *frames, b"data: [DONE]\r\n\r\n"))


def answer(request: PoolRequest) -> PoolAnswer:
    """Cut anywhere, and in letters."""
    whole = stream_of(json.loads(request.body))
    pieces = tuple(whole[start : start + STEP] for start in range(0, len(whole), STEP))
    return PoolAnswer(pieces, "text/event-stream", pause_s=0.002)


def client(product: Product) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{product.url}/v1", api_key="mine", timeout=LIMIT_S, max_retries=0)


def question() -> str:
    return f"Which tree is {uuid4().hex}?"


async def streamed(product: Product, body: dict[str, Any], path: str = "/v1/chat/completions") -> bytes:
    headers = {"authorization": "Bearer mine"}
    async with product.session.post(f"{product.url}{path}", json=body, headers=headers) as reply:
        assert reply.status == 200
        return await reply.read()


def asked_of(pool: RecordingPool) -> dict[str, Any]:
    body = json.loads(pool.requests[-1].body)
    assert isinstance(body, dict)
    return body


def chat(prompt: str, **members: Any) -> dict[str, Any]:
    return {"model": "small", "stream": True, "messages": [{"role": "user", "content": prompt}], **members}


async def chunks(product: Product, prompt: str, **members: Any) -> Sequence[Any]:  # Any: of the client
    """As the official client reads them."""
    messages = [{"role": "user", "content": prompt}]
    async with client(product) as asking:
        read = await asking.chat.completions.create(
            model="small",
            messages=messages,
            stream=True,
            **members,  # type: ignore[arg-type]  # plain dicts
        )
        return [chunk async for chunk in read]


async def test_the_client_gets_byte_for_byte_the_stream_it_asked_for(product: Product) -> None:
    got = await streamed(product, chat(question()))
    asked = asked_of(product.small)
    assert asked["stream_options"] == ASKED
    assert got == stream_of({**asked, "stream_options": None})


async def test_so_it_does_in_completions(product: Product) -> None:
    body = {"model": "small", "stream": True, "prompt": question()}
    got = await streamed(product, body, "/v1/completions")
    asked = asked_of(product.small)
    assert asked["stream_options"] == ASKED
    assert got == stream_of({**asked, "stream_options": None})


async def test_an_official_client_reads_a_choice_in_every_chunk(product: Product) -> None:
    """Many programs read `chunk.choices[0]` without looking."""
    read = await chunks(product, question())
    assert "".join(chunk.choices[0].delta.content or "" for chunk in read) == "".join(TEXT)
    assert not any("usage" in chunk.model_fields_set for chunk in read)


async def test_an_official_client_that_asks_gets_its_usage(product: Product) -> None:
    read = await chunks(product, question(), stream_options=ASKED)
    assert (read[-1].choices, read[-1].usage.total_tokens) == ([], 7)


async def test_its_stored_answer_serves_every_form(product: Product) -> None:
    """It was streamed to a client that did not ask for usage."""
    prompt = question()
    await chunks(product, prompt)
    asked = len(product.small.requests)
    async with client(product) as asking:
        whole = await asking.chat.completions.create(
            model="small", messages=[{"role": "user", "content": prompt}]
        )
    assert whole.usage is not None
    assert (whole.choices[0].message.content, whole.usage.total_tokens) == ("".join(TEXT), 7)
    unasked = await chunks(product, prompt)
    assert not any(chunk.usage for chunk in unasked)
    wanted = await chunks(product, prompt, stream_options=ASKED)
    assert wanted[-1].usage.total_tokens == 7
    assert len(product.small.requests) == asked


async def test_what_it_cost_is_counted(product: Product) -> None:
    lines = (await product.admin("/metrics")).splitlines()

    def tokens(kind: str) -> float:
        told = [line for line in lines if line.startswith("router_extproc_tokens_total{") and kind in line]
        return sum(float(line.rpartition(" ")[2]) for line in told)

    before = tokens("prompt")
    await streamed(product, chat(question()))
    lines = (await product.admin("/metrics")).splitlines()
    assert tokens("prompt") == before + 4


async def test_the_pool_of_another_model_is_not_asked(product: Product) -> None:
    got = await streamed(product, {**chat(question()), "model": "large"})
    asked = asked_of(product.large)
    assert "stream_options" not in asked
    assert got == stream_of(asked)


async def test_when_a_pool_fails_the_next_one_is_asked_as_its_own_model_says(product: Product) -> None:
    """The client sees no more than it asked for, whoever answers."""
    for first, next_, word in (
        (product.small, product.large, "upward"),
        (product.large, product.small, "downward"),
    ):
        first.answer_by = lambda _: PoolAnswer(status=503)
        try:
            got = await streamed(product, {**chat(f"{word} {question()}"), "model": "auto"})
        finally:
            first.answer_by = answer
        asked = asked_of(next_)
        assert ("stream_options" in asked_of(first), "stream_options" in asked) == (
            first is product.small,
            next_ is product.small,
        )
        assert got == stream_of({**asked, "stream_options": None})


async def test_a_pool_that_refuses_to_be_asked_says_so_to_the_client(product: Product) -> None:
    """Nothing else would be true; which pools are asked is configured."""
    refusal = b'{"error":{"message":"Unknown field: stream_options","code":400}}'
    product.small.answer_by = lambda _: PoolAnswer((refusal,), status=400)
    try:
        with pytest.raises(openai.BadRequestError, match="stream_options"):
            await chunks(product, question())
    finally:
        product.small.answer_by = answer


async def test_envoy_rejects_no_mutation(product: Product) -> None:
    await streamed(product, chat(question()))
    assert product.envoy is not None
    counters = product.envoy.counters("http.clients.ext_proc.inline.")
    bad = ("spurious_msgs_received", "rejected_header_mutations", "failure_mode_allowed", "streams_failed")
    assert not {name: count for name, count in counters.items() if name.endswith(bad) and count}
