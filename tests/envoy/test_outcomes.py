"""What people say of answers, and what shadow evaluations show, moves `bandit`: real Envoy, two workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer, RecordingPool
from router_extproc.testing.served_product import LIMIT_S, Product, clusters_of, running_product

pytestmark = pytest.mark.asyncio(loop_scope="module")

EASY = "What is the capital of Norway?"
SAID = "It is Oslo."


def sections_in(folder: Path) -> Any:
    """The sections of a configuration whose state is in this folder."""

    def sections(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
        price = {"small": 0.1, "large": 10.0}
        selection = {"by": "bandit", "quality_min": 0.5, "explore_share": 0, "prior_weight": 5}
        return {
            "models": {
                name: {
                    "cluster": f"vllm_{name}",
                    "cost": {"input_per_mtok": each, "output_per_mtok": each},
                }
                for name, each in price.items()
            },
            "default_model": "large",
            "decisions": [
                {
                    "name": "plain",
                    "models": ["small", "large"],
                    "selection": {**selection, "outcomes_per_client": 1},
                    "shadow": {"model": "small", "rate": 1.0, "per_hour_max": 1000},
                }
            ],
            "envoy": {"clusters": clusters_of(small, large)},
            "workers": 2,
            "state_dir": str(folder / "state"),
            "semantic_cache": {"enabled": False},
        }

    return sections


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    async with running_product(folder, sections=sections_in(folder)) as running:
        for pool in (running.small, running.large):
            pool.answer = PoolAnswer((answer_json(SAID),))
        yield running


async def model(product: Product, client: str, *texts: str) -> str:
    """Who answers the last of these texts, between which the model said something."""
    turns = [{"role": "user", "content": texts[0]}]
    for text in texts[1:]:
        turns += [{"role": "assistant", "content": SAID}, {"role": "user", "content": text}]
    told = {"content-type": "application/json", "authorization": f"Bearer {client}"}
    body = {"model": "auto", "messages": turns}
    async with product.session.post(f"{product.url}/v1/chat/completions", json=body, headers=told) as reply:
        assert reply.status == 200
        return reply.headers["x-router-model"]


async def complain(product: Product, client: str) -> str:
    """A conversation about one answer, which is wrong if the small model gave it; who did."""
    begins = f"{EASY} {uuid4()}"
    first = await model(product, client, begins)
    await asyncio.sleep(1)  # the other worker hears of the session
    await model(product, client, begins, "That's wrong." if first == "small" else "why?")
    return first


async def both(product: Product, source: str, outcome: str) -> list[float]:
    """What each worker knows of the small model."""
    labels = f'decision="plain",model="small",outcome="{outcome}",source="{source}"'
    told = [await product.metric(f'model_outcomes{{{labels},worker="{worker}"') for worker in (0, 1)]
    return [each or 0.0 for each in told]


async def until(product: Product, source: str, outcome: str, least: float) -> None:
    """Wait until both workers know of so many."""
    give_up_s = time.monotonic() + LIMIT_S
    while min(await both(product, source, outcome)) < least:
        assert time.monotonic() < give_up_s, await known(product)
        await asyncio.sleep(0.1)


async def known(product: Product) -> dict[str, list[float]]:
    """All that each worker knows of the small model."""
    kinds = [(source, outcome) for source in ("heard", "judged") for outcome in ("good", "bad")]
    return {" ".join(kind): await both(product, *kind) for kind in kinds}


async def asked_first(product: Product) -> set[str]:
    """Who answers new conversations, in either worker."""
    return {await model(product, "other", f"{EASY} {uuid4()}") for _ in range(6)}


async def test_what_several_clients_say_moves_the_choice_and_shadow_answers_bring_it_back(
    product: Product,
) -> None:
    """One client's flood counts once, in whichever worker it is heard."""
    assert await asyncio.gather(*(complain(product, "flood") for _ in range(4))) == ["small"] * 4
    await until(product, "heard", "bad", 0.9)
    assert max(await both(product, "heard", "bad")) < 1.1
    assert await asked_first(product) == {"small"}
    product.small.answer = PoolAnswer((answer_json("Nobody can say that."),))
    give_up_s = time.monotonic() + LIMIT_S
    while await asked_first(product) != {"large"}:
        assert time.monotonic() < give_up_s, await known(product)
        await asyncio.gather(*(complain(product, str(uuid4())) for _ in range(8)))
    assert min(await both(product, "heard", "bad")) > 1
    product.small.answer = PoolAnswer((answer_json(SAID),))
    give_up_s = time.monotonic() + LIMIT_S
    while await model(product, str(uuid4()), f"{EASY} {uuid4()}") != "small":
        assert time.monotonic() < give_up_s, await known(product)
        await asyncio.sleep(0.1)
