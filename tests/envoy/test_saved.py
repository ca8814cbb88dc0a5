"""What answers save, through a real Envoy: the client's header, and the accounts of tenants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json, chat
from router_extproc.testing.pools import PoolAnswer, RecordingPool
from router_extproc.testing.served_product import Product, clusters_of, running_product

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAVED = "x-router-saved"
SOON_S = 30.0
#: Of the small model, and of the large one, against the large one.
SMALL, LARGE = "input_per_mtok=9, output_per_mtok=18", "input_per_mtok=0, output_per_mtok=0"


def sections(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    return {
        "models": {
            "small": {"cluster": "vllm_small", "cost": {"input_per_mtok": 1, "output_per_mtok": 2}},
            "large": {"cluster": "vllm_large", "cost": {"input_per_mtok": 10, "output_per_mtok": 20}},
        },
        "default_model": "small",
        "decisions": [{"name": "every", "models": ["large", "small"], "tags": ["paid"]}],
        "savings": {"header": True, "by_header": "x-team", "tenants": ["search", "ads"]},
        "envoy": {"clusters": clusters_of(small, large, health=False, outliers=False)},
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("saved"), sections=sections) as product:
        for pool in (product.small, product.large):
            # A pool has no say in what we tell.
            pool.answer = PoolAnswer((answer_json(),), headers={SAVED: "amount=1000000"})
        yield product


async def ask(product: Product, model: str, prompt: str, **headers: str) -> dict[str, str]:
    """The headers of an answer."""
    url, body = f"{product.url}/v1/chat/completions", {**chat(prompt), "model": model}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with product.session.post(url, json=body, headers=named) as reply:
        await reply.read()
        return dict(reply.headers)


async def counted(product: Product, tokens: int) -> Any:
    """What was saved, once so many tokens of answers are counted."""
    async with asyncio.timeout(SOON_S):
        while True:
            told = json.loads(await product.admin("/savings"))
            if told["total"]["completion_tokens"] >= tokens:
                return told
            await asyncio.sleep(0.05)


def spent(told: Any, group: str, name: str) -> float:
    return float(told[group].get(name, {"spent": 0.0})["spent"])


async def test_tenants_and_tags_have_their_accounts(product: Product) -> None:
    """Of 4 tokens in and 3 out: small 10 millionths, large 100."""
    before = await counted(product, 0)
    for number, team in enumerate(("search", "ads", "ads", "somebody")):
        await ask(product, "small", f"asks {number}", x_team=team)
    await ask(product, "auto", "asks the large one", x_team="search")
    after = await counted(product, before["total"]["completion_tokens"] + 5 * 3)
    accounts = (("tenants", "search"), ("tenants", "ads"), ("tenants", "other"), ("tags", "paid"))
    told = [spent(after, *account) - spent(before, *account) for account in accounts]
    assert told == pytest.approx([110e-6, 20e-6, 10e-6, 100e-6])
    assert "somebody" not in await product.admin("/metrics")


@pytest.mark.parametrize(("model", "rates"), [("small", SMALL), ("large", LARGE), ("auto", LARGE)])
async def test_an_answer_says_what_its_models_tokens_save(product: Product, model: str, rates: str) -> None:
    assert (await ask(product, model, f"rates of {model}"))[SAVED] == rates


async def test_a_hit_says_what_it_has_saved(product: Product) -> None:
    """4 tokens in at 10 and 3 out at 20, of a million each."""
    async with asyncio.timeout(SOON_S):
        while (told := await ask(product, "small", "twice"))["x-router-cache"] == "miss":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (told["x-router-cache"], told[SAVED]) == ("hit-exact", "amount=0.0001")


async def test_where_another_model_answers_the_rates_are_its_own(product: Product) -> None:
    product.large.answer.status = 503
    told = await ask(product, "auto", "moves on")
    product.large.answer.status = 200
    assert (told["x-router-model"], told[SAVED]) == ("small", SMALL)


async def test_a_client_and_a_pool_cannot_write_it(product: Product) -> None:
    """Of an endpoint that is none of ours, neither."""
    assert (await ask(product, "small", "forged", x_router_saved="amount=5"))[SAVED] == SMALL
    async with product.session.get(f"{product.url}/v1/files", headers={SAVED: "amount=5"}) as reply:
        assert SAVED not in reply.headers
