"""`x-router-saved`, for a client's status line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.scope import SharedScope
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.more_headers import all_headers
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.pipeline.saved_header import SavedHeader
from router_extproc.protocol.names import SAVED_HEADER
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import SEMANTIC, fake_router

PRICES = {"small": Price(0.05, 0.10), "large": Price(0.40, 0.80), "odd": Price(0.1, 30)}
LARGE = Baseline("large", PRICES)
#: What a million tokens cost more with the large model.
RATES = "input_per_mtok=0.35, output_per_mtok=0.7"


def client(baseline: Baseline = LARGE, *, hide_timing: bool = False, old: bool = False) -> Client:
    return Client(
        fake_router(
            baseline=baseline,
            saved_header=SavedHeader(baseline),
            cache_policy=replace(SEMANTIC, scope=SharedScope(), hide_timing=hide_timing),
            old_headers=OldHeaders(()) if old else None,
        )
    )


async def hit(one: Client) -> dict[str, str]:
    """The headers of an answer that is replayed: 4 tokens in, 3 out."""
    one.answer(await one.send(chat()), answer_json())
    return dict((await one.send(chat())).immediate.headers)


async def test_a_forwarded_request_carries_what_a_million_tokens_save() -> None:
    assert (await client().send(chat())).sent_header(SAVED_HEADER) == RATES


async def test_a_hit_tells_what_it_saved() -> None:
    """4 x 0.40 and 3 x 0.80 are 4 millionths."""
    assert (await hit(client()))[SAVED_HEADER] == "amount=0.000004"


async def test_a_hidden_hit_looks_like_an_answer_of_a_pool() -> None:
    assert (await hit(client(hide_timing=True)))[SAVED_HEADER] == RATES


async def test_a_hit_without_usage_says_nothing() -> None:
    one, without = client(), answer_json().replace(b'"usage"', b'"unused"')
    one.answer(await one.send(chat()), without)
    assert SAVED_HEADER not in dict((await one.send(chat())).immediate.headers)


async def test_nobody_asked_for_the_header() -> None:
    one = Client(fake_router(baseline=LARGE))
    sent = await one.send(chat())
    assert SAVED_HEADER not in dict(sent.forwarded.mutation.overwrite)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("large", "input_per_mtok=0, output_per_mtok=0"),
        ("odd", "input_per_mtok=0.3, output_per_mtok=-29.2"),
        ("unknown", ""),
    ],
)
def test_each_model_has_its_own_rates(model: str, told: str) -> None:
    """Those of another one must not be left where a request moves on."""
    assert SavedHeader(LARGE).naming(model) == ((SAVED_HEADER, told),)


async def test_a_refusal_has_none() -> None:
    refused = await client().send(b"{")
    assert SAVED_HEADER not in dict(refused.immediate.headers)


async def test_it_stands_beside_the_headers_of_another_router() -> None:
    one = client(old=True)
    sent = await one.send(chat())
    assert (sent.sent_header(SAVED_HEADER), sent.sent_header("x-selected-model")) == (RATES, "small")
    one.answer(sent, answer_json())
    headers = dict((await one.send(chat())).immediate.headers)
    assert headers["x-vsr-selected-model"] == "small"
    assert headers[SAVED_HEADER] == "amount=0.000004"


def test_headers_of_several_are_named_together() -> None:
    both = all_headers(OldHeaders(()), SavedHeader(LARGE), None)
    assert both is not None
    assert dict(both.naming("small")) == {"x-selected-model": "small", SAVED_HEADER: RATES}
    assert all_headers(None) is None
