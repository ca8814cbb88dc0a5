"""Sessions as clients see them, through real Envoy: `cheapest` by the encoder's complexity, one worker."""

from __future__ import annotations

import asyncio
import io
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer, RecordingPool
from router_extproc.testing.served_product import LIMIT_S, Product, clusters_of, running_product

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_HEADERS: Mapping[str, str] = {}
EASY, OTHER = "What is the capital of Norway?", "What is the capital of Peru?"


def sections(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    """One decision between two models; a rule that is asked for by its word sends to the large one."""
    price = {"small": 0.1, "large": 10.0}
    return {
        "models": {
            name: {
                "cluster": f"vllm_{name}",
                "cost": {"input_per_mtok": each, "output_per_mtok": each},
            }
            for name, each in price.items()
        },
        "default_model": "large",
        "signals": {"strong": {"type": "keywords", "any": ["strong"]}},
        "sessions": {"headers": ["x-session-id"], "by_claim": "sid"},
        "decisions": [
            {"name": "strong", "priority": 2, "when": {"strong": True}, "model": "large"},
            {
                "name": "plain",
                "models": ["small", "large"],
                "selection": {"by": "cheapest", "quality_min": 0.3},
            },
        ],
        "envoy": {"clusters": clusters_of(small, large)},
        "workers": 1,
        "semantic_cache": {"enabled": False},
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("product"), sections=sections) as running:
        for pool in (running.small, running.large):
            pool.answer = PoolAnswer((answer_json("hi"),))
        yield running


async def model(product: Product, *texts: str, headers: Mapping[str, str] = NO_HEADERS) -> str:
    """Who answers the last of these texts, between which the model said something."""
    turns = [{"role": "user", "content": texts[0]}]
    for text in texts[1:]:
        turns += [{"role": "assistant", "content": "So it is."}, {"role": "user", "content": text}]
    body = io.BytesIO(json.dumps({"model": "auto", "messages": turns}).encode())
    told = {"content-type": "application/json", **headers}
    async with product.session.post(f"{product.url}/v1/chat/completions", data=body, headers=told) as reply:
        assert reply.status == 200
        return reply.headers["x-router-model"]


async def answers(product: Product) -> float:
    """How many the observer has seen to the end."""
    lines = (await product.admin("/metrics")).splitlines()
    told = [line for line in lines if line.startswith("router_extproc_answers_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in told)


async def until_more(product: Product, seen: float) -> None:
    """Wait until it has seen another one: a client has its answer before."""
    give_up_s = time.monotonic() + LIMIT_S
    while await answers(product) <= seen:
        assert time.monotonic() < give_up_s
        await asyncio.sleep(0.02)


def session() -> dict[str, str]:
    """Headers that name a session of its own."""
    return {"x-session-id": str(uuid4())}


@pytest.mark.parametrize(
    "text",
    [
        "That's wrong.",
        "No, it still fails.",
        "no that's not right",
        "Sorry, but that didn't help",
        "Das stimmt nicht, es ist eine andere Stadt.",
        "ça ne marche toujours pas",
    ],
)
async def test_a_human_who_says_that_it_was_wrong_gets_the_dearer_model(product: Product, text: str) -> None:
    named, before = session(), await product.metric('session_moves_up_total{reason="complaint"') or 0
    assert await model(product, EASY, headers=named) == "small"
    assert await model(product, EASY, text, headers=named) == "large"
    assert await product.metric('session_moves_up_total{reason="complaint"') == before + 1
    assert await model(product, EASY, text, "why?", headers=named) == "large"


@pytest.mark.parametrize(
    "text",
    ["Is that wrong?", "What is wrong with it?", '"That\'s wrong" in French?', "No, thanks.", "Thanks!"],
)
async def test_who_only_asks_stays(product: Product, text: str) -> None:
    named = session()
    assert await model(product, EASY, headers=named) == "small"
    assert await model(product, EASY, text, headers=named) == "small"


def token(sub: str, sid: str) -> dict[str, str]:
    """As Envoy's JWT filter forwards it; each has a credential of its own."""
    claims = json.dumps({"iss": "https://issuer", "sub": sub, "sid": sid}).encode()
    payload = urlsafe_b64encode(claims).decode().rstrip("=")
    return {"x-jwt-payload": payload, "authorization": f"Bearer {uuid4()}"}


async def test_a_session_by_claim_survives_its_token_and_is_nobody_elses(product: Product) -> None:
    assert await model(product, f"strong {EASY}", headers=token("ann", "1")) == "large"
    assert await model(product, EASY, headers=token("ann", "1")) == "small"
    assert await model(product, EASY, "That's wrong.", headers=token("ann", "1")) == "large"
    assert await model(product, EASY, headers=token("bob", "1")) == "small"
    assert await model(product, EASY, "why?", headers=token("bob", "1")) == "small"
    assert await model(product, EASY, "That's wrong.", "why?", headers=token("ann", "1")) == "large"


@pytest.mark.parametrize(("cached", "to"), [(0, "small"), (90_000, "large")])
async def test_a_prefix_that_the_pool_has_lost_holds_no_session(
    product: Product, cached: int, to: str
) -> None:
    """What its usage says at the last answer decides whether a new topic moves the session down."""
    named, long = session(), f"{EASY} {'word ' * 60_000}"
    texts = [long, "That's wrong.", "why?", "and then?"]
    for count, told in zip(range(1, 5), (0, 0, 90_000, cached), strict=True):
        usage = {
            "prompt_tokens": 90_000,
            "completion_tokens": 400,
            "total_tokens": 90_400,
            "prompt_tokens_details": {"cached_tokens": told},
        }
        body = json.loads(answer_json("hi")) | {"usage": usage}
        for pool in (product.small, product.large):
            pool.answer = PoolAnswer((json.dumps(body).encode(),))
        seen = await answers(product)
        await model(product, *texts[:count], headers=named)
        await until_more(product, seen)
    assert await model(product, *texts, OTHER, headers=named) == to
