"""What the cache may answer, told through the pipeline as a client would see it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any  # fields of a cache policy

import pytest

from router_extproc.cache.base import EVERYTHING
from router_extproc.cache.scope import ClientScope, SharedScope
from router_extproc.models.base import Verdict
from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.routing.rules import read_rule
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.claim import ClaimSettings
from router_extproc.signals.header import HeaderSettings
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.signals.time_window import TimeWindowSettings
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import SEMANTIC, SMALL, fake_router, send_to

PROMPT = "What are the main renewable energy sources?"
NEAR = "What are the main renewable energy sources now?"
TIER = HeaderSettings(type="header", header="X-Tier")
HOUR_S = 3600.0


def reading(settings: SignalSettings, **cache: Any) -> Client:
    """A router that reads one signal; `cache`: of every decision."""
    signal = settings.open("sample", EncoderClassifiers(None))
    policy = replace(SEMANTIC, **cache)
    return Client(fake_router(signals=[signal], signal_settings={"sample": settings}, cache_policy=policy))


@pytest.fixture
def client() -> Client:
    return Client(fake_router())


async def test_same_request_twice_is_an_exact_hit_with_its_age(client: Client) -> None:
    await client.ask(chat(PROMPT))
    client.router.clock.advance(5)
    again = await client.send(chat(PROMPT))
    assert again.cache == "hit-exact"
    assert dict(again.immediate.headers)["age"] == "5"
    hit, first = json.loads(again.immediate.body), json.loads(answer_json())
    assert {**hit, "id": 0, "created": 0, "usage": 0} == {**first, "id": 0, "created": 0, "usage": 0}


async def test_a_hit_is_an_answer_of_its_own_and_says_what_it_did_not_compute(client: Client) -> None:
    """An id or a date of another answer would be a second object of that name in a client's records."""
    await client.ask(chat(PROMPT))
    client.router.clock.advance(5)
    hits = [json.loads((await client.send(chat(PROMPT))).immediate.body) for _ in range(2)]
    assert len({json.loads(answer_json())["id"], *(hit["id"] for hit in hits)}) == 3
    assert all(hit["id"].startswith("chatcmpl-") for hit in hits)
    assert {hit["created"] for hit in hits} == {int(client.router.clock.wall_s())}
    usage = json.loads(answer_json())["usage"]
    assert hits[0]["usage"] == {**usage, "prompt_tokens_details": {"cached_tokens": usage["prompt_tokens"]}}


async def test_near_question_is_a_semantic_hit(client: Client) -> None:
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"


async def test_refused_by_the_verifier_is_a_miss() -> None:
    """Similarity alone is never permission to answer."""

    class Refusing:
        def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002 - the port
            return Verdict(accepted=False, score=0.0, reason="negation")

    client = Client(fake_router(verifier=Refusing()))
    await client.ask(chat(PROMPT))
    sent = await client.send(chat(NEAR))
    assert sent.cache == "miss"
    report = client.router.reports.decisions[-1].decision
    assert [each.reason for each in report.explanation.candidates] == ["negation"]


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    "other",
    [
        chat(PROMPT, tools=[TOOL]),
        chat(PROMPT, temperature=0.1),
        chat(PROMPT, response_format={"type": "json_object"}),
        chat(PROMPT, model="small"),
        chat(PROMPT, unheard_of=1),
        {"model": "auto", "messages": [{"role": "system", "content": "Rhyme."}, *chat(PROMPT)["messages"]]},
        {
            "model": "auto",
            "messages": [
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi"},
                *chat(PROMPT)["messages"],
            ],
        },
    ],
    ids=["tools", "sampling", "format", "model", "unknown field", "system prompt", "history"],
)
async def test_same_question_in_another_context_is_a_miss(client: Client, other: object) -> None:
    await client.ask(chat(PROMPT))
    assert (await client.send(other)).cache == "miss"


async def test_another_authorization_is_a_miss(client: Client) -> None:
    """One tenant's answer never reaches another."""
    await client.ask(chat(PROMPT), authorization="Bearer a")
    assert (await client.send(chat(PROMPT), authorization="Bearer b")).cache == "miss"
    assert (await client.send(chat(PROMPT))).cache == "miss"
    assert (await client.send(chat(PROMPT), authorization="Bearer a")).cache == "hit-exact"


async def test_streamed_or_not_shares_one_entry(client: Client) -> None:
    await client.ask(chat(PROMPT))
    sent = await client.send(chat(PROMPT, stream=True))
    assert sent.cache == "hit-exact"
    assert dict(sent.immediate.headers)["content-type"].startswith("text/event-stream")
    assert sent.immediate.body.endswith(b"data: [DONE]\n\n")


async def test_expired_entry_is_a_miss(client: Client) -> None:
    await client.ask(chat(PROMPT))
    client.router.clock.advance(SEMANTIC.ttl_s)
    assert (await client.send(chat(PROMPT))).cache == "miss"


async def test_no_cache_asks_the_pool_and_stores_what_it_says(client: Client) -> None:
    await client.ask(chat(PROMPT))
    sent = await client.ask(chat(PROMPT), cache_control="no-cache")
    assert sent.cache == "bypass"
    assert (await client.send(chat(PROMPT))).cache == "hit-exact"


async def test_no_store_is_not_stored(client: Client) -> None:
    assert (await client.ask(chat(PROMPT), cache_control="no-store")).cache == "miss"
    assert (await client.send(chat(PROMPT))).cache == "miss"


async def test_older_than_max_age_is_a_miss(client: Client) -> None:
    await client.ask(chat(PROMPT))
    client.router.clock.advance(10)
    assert (await client.send(chat(PROMPT), cache_control="max-age=9")).cache == "miss"
    assert (await client.send(chat(PROMPT), cache_control="max-age=10")).cache == "hit-exact"


async def test_too_near_its_expiry_for_min_fresh_is_a_miss(client: Client) -> None:
    await client.ask(chat(PROMPT))
    client.router.clock.advance(SEMANTIC.ttl_s - 10)
    assert (await client.send(chat(PROMPT), cache_control="min-fresh=11")).cache == "miss"
    assert (await client.send(chat(NEAR), cache_control="min-fresh=11")).cache == "miss"
    assert (await client.send(chat(PROMPT), cache_control="min-fresh=10")).cache == "hit-exact"


async def test_max_stale_brings_nothing_expired_back(client: Client) -> None:
    await client.ask(chat(PROMPT))
    client.router.clock.advance(SEMANTIC.ttl_s)
    assert (await client.send(chat(PROMPT), cache_control="max-stale")).cache == "miss"


async def test_only_if_cached_never_reaches_the_pool(client: Client) -> None:
    sent = await client.send(chat(PROMPT), cache_control="only-if-cached")
    assert (sent.immediate.status, sent.cache) == (504, "miss")
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(PROMPT), cache_control="only-if-cached")).cache == "hit-exact"


async def test_decision_without_cache_is_bypassed_and_not_stored() -> None:
    client = Client(fake_router(cache_policy=replace(SEMANTIC, mode="off")))
    assert (await client.ask(chat(PROMPT))).cache == "bypass"
    assert (await client.send(chat(PROMPT))).cache == "bypass"


async def test_exact_only_decision_gives_no_semantic_hit() -> None:
    client = Client(fake_router(cache_policy=replace(SEMANTIC, mode="exact")))
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR))).cache == "miss"
    assert (await client.send(chat(PROMPT))).cache == "hit-exact"


async def test_text_longer_than_the_encoders_window_is_matched_exactly_only(client: Client) -> None:
    """The vector is of the beginning only: two long texts that differ at the end look the same."""
    long = "energy " * 300
    await client.ask(chat(long + "first"))
    assert (await client.send(chat(long + "second"))).cache == "miss"
    assert (await client.send(chat(long + "first"))).cache == "hit-exact"


async def test_question_before_tool_results_is_matched_exactly_only(client: Client) -> None:
    """The conversation goes on behind it: the question alone does not say what is asked."""

    def body(prompt: str) -> dict[str, object]:
        call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return chat() | {
            "messages": [
                {"role": "user", "content": prompt},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "1", "content": "42"},
            ]
        }

    await client.ask(body(PROMPT))
    assert (await client.send(body(NEAR))).cache == "miss"
    assert (await client.send(body(PROMPT))).cache == "hit-exact"


async def test_routing_header_splits_exact_entries() -> None:
    """A header signal may choose another model for the same body."""
    client = reading(TIER, mode="exact")
    await client.ask(chat(PROMPT), x_tier="gold")
    assert (await client.send(chat(PROMPT), x_tier="gold")).cache == "hit-exact"
    assert (await client.send(chat(PROMPT), x_tier="free")).cache == "miss"


async def test_a_claim_splits_exact_entries_and_the_rest_of_the_token_does_not() -> None:
    """Every new token has another time of expiry; an answer must not be lost with it."""
    client = reading(ClaimSettings(type="claim", claim="tier"), mode="exact")

    def token(**claims: object) -> str:
        return urlsafe_b64encode(json.dumps(claims).encode()).decode()

    await client.ask(chat(PROMPT), x_jwt_payload=token(tier="gold", exp=1))
    assert (await client.send(chat(PROMPT), x_jwt_payload=token(tier="gold", exp=2))).cache == "hit-exact"
    assert (await client.send(chat(PROMPT), x_jwt_payload=token(tier="free", exp=1))).cache == "miss"
    assert (await client.send(chat(PROMPT), x_jwt_payload=token(tier=["gold", "beta"]))).cache == "miss"


async def test_an_exact_hit_of_the_day_does_not_answer_for_a_decision_of_the_night() -> None:
    hours = TimeWindowSettings.model_validate({"type": "time_window", "from": "08:00", "to": "18:00"})
    client = reading(hours, mode="exact", ttl_s=10**9)
    clock = client.router.clock
    clock.advance(12 * HOUR_S - clock.wall_s() % (24 * HOUR_S))
    await client.ask(chat(PROMPT))
    clock.advance(5 * HOUR_S)
    assert (await client.send(chat(PROMPT))).cache == "hit-exact"
    clock.advance(HOUR_S)
    assert (await client.send(chat(PROMPT))).cache == "miss"
    clock.advance(14 * HOUR_S)
    assert (await client.send(chat(PROMPT))).cache == "hit-exact"


async def test_router_without_cache_bypasses() -> None:
    client = Client(fake_router(cached=False))
    assert (await client.ask(chat(PROMPT))).cache == "bypass"


# ── scopes ────────────────────────────────────────────────────────────────────────────────────

FAQ = send_to(SMALL, name="faq", rule=read_rule({"faq": True}))


def with_shared_faq() -> Client:
    """Answers to what has the word "renewable" in it are shared by all, other answers by nobody."""
    shared = {"faq": replace(SEMANTIC, scope=SharedScope())}
    signals = [KeywordsSignal("faq", ["renewable"])]
    return Client(fake_router(signals=signals, decisions=[FAQ], own_cache_policies=shared))


async def test_decision_may_share_what_others_keep_apart() -> None:
    client = with_shared_faq()
    await client.ask(chat(PROMPT), authorization="Bearer a")
    assert (await client.send(chat(PROMPT), authorization="Bearer b")).cache == "hit-exact"
    assert (await client.send(chat(NEAR), authorization="Bearer b")).cache == "hit-semantic"


async def test_sharing_decision_shares_nothing_of_other_decisions() -> None:
    client = with_shared_faq()
    await client.ask(chat("What is a cat?"), authorization="Bearer a")
    assert (await client.send(chat("What is a cat?"), authorization="Bearer b")).cache == "miss"
    assert (await client.send(chat("What is a cat?"), authorization="Bearer a")).cache == "hit-exact"


async def test_answer_stored_for_all_is_not_replayed_once_its_decision_shares_no_more() -> None:
    """A restart with another configuration, and a backend that kept the entries."""
    before = with_shared_faq()
    await before.ask(chat(PROMPT), authorization="Bearer a")
    kept = [entry async for entry in before.router.cache.entries(EVERYTHING)]
    signals = [KeywordsSignal("faq", ["renewable"])]
    shared = replace(SEMANTIC, scope=SharedScope())
    own = {"faq": replace(SEMANTIC, scope=ClientScope())}
    after = Client(fake_router(signals=signals, decisions=[FAQ], cache_policy=shared, own_cache_policies=own))
    await after.router.cache.keep(kept)
    assert (await after.send(chat(PROMPT), authorization="Bearer b")).cache == "miss"


# ── earlier turns ─────────────────────────────────────────────────────────────────────────────


def conversation(*turns: str, last: str = "And how long does it take?") -> dict[str, object]:
    """Turns of user and assistant in their order, and a last question of the user's."""
    messages = [
        {"role": ("user", "assistant")[number % 2], "content": turn} for number, turn in enumerate(turns)
    ]
    return {"model": "auto", "messages": [*messages, {"role": "user", "content": last}]}


BASE = ("How do I boil an egg?", "In hot water.")


@pytest.mark.parametrize(
    "turns",
    [
        ("How do I get to Rome?", "By train."),
        ("How do I boil an egg?", "In a steamer."),
        ("How do I boil an egg? ", "In hot water."),
        (),
        (*BASE, "Is it hard?", "No."),
        ("How do I boil an egg?In hot water.", ""),
        ("How do I boil an egg?",),
    ],
    ids=["question", "answer", "white space", "none", "more", "run together", "no answer"],
)
@pytest.mark.parametrize("last", ["And how long does it take?", "And how long does it take now?"])
async def test_the_same_last_message_behind_other_turns_is_a_miss(
    client: Client, turns: tuple[str, ...], last: str
) -> None:
    """What "it" is, only the earlier turns tell: exactly and by meaning they must be equal."""
    await client.ask(conversation(*BASE))
    assert (await client.send(conversation(*turns, last=last))).cache == "miss"


async def test_behind_equal_turns_the_last_message_is_matched_by_meaning(client: Client) -> None:
    await client.ask(conversation(*BASE))
    near = conversation(*BASE, last="And how long does it take now?")
    assert (await client.send(near)).cache == "hit-semantic"


async def test_behind_earlier_turns_nothing_is_matched_by_meaning_if_so_configured() -> None:
    client = Client(fake_router(cache_policy=replace(SEMANTIC, multi_turn="exact")))
    await client.ask(conversation(*BASE))
    near = conversation(*BASE, last="And how long does it take now?")
    assert (await client.send(near)).cache == "miss"
    assert (await client.send(conversation(*BASE))).cache == "hit-exact"
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"


# ── wordings ──────────────────────────────────────────────────────────────────────────────────


async def test_semantic_hit_makes_the_same_request_an_exact_hit(client: Client) -> None:
    """The second time needs no inference; age and expiry stay those of the answer."""
    await client.ask(chat(PROMPT))
    client.router.clock.advance(5)
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"
    client.router.clock.advance(5)
    again = await client.send(chat(NEAR))
    assert (again.cache, dict(again.immediate.headers)["age"]) == ("hit-exact", "10")
    client.router.clock.advance(SEMANTIC.ttl_s - 10)
    assert (await client.send(chat(NEAR))).cache == "miss"


async def test_purge_of_the_answer_is_felt_by_every_wording(client: Client) -> None:
    await client.ask(chat(PROMPT))
    await client.send(chat(NEAR))
    assert (await client.send(chat(NEAR))).cache == "hit-exact"
    await client.router.cache.purge(EVERYTHING)
    assert (await client.send(chat(NEAR))).cache == "miss"


async def test_wording_of_a_no_store_request_is_not_noted(client: Client) -> None:
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR), cache_control="no-store")).cache == "hit-semantic"
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"


async def test_wording_noted_for_one_client_is_nothing_to_another(client: Client) -> None:
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"
    assert (await client.send(chat(NEAR), authorization="Bearer other")).cache == "miss"


# ── damaged entries ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("asked", [PROMPT, NEAR], ids=["exact", "semantic"])
async def test_an_entry_that_cannot_be_read_is_a_miss_for_the_client(client: Client, asked: str) -> None:
    """Written by another version, or damaged at rest: no header may say that it answered."""
    await client.ask(chat(PROMPT))
    (entry,) = [entry async for entry in client.router.cache.entries(EVERYTHING)]
    await client.router.cache.keep([replace(entry, answer=b"damaged")])
    sent = await client.send(chat(asked))
    assert (sent.cache, sent.sent_header("x-router-model")) == ("miss", "small")
    assert client.router.reports.decisions[-1].decision.explanation.cache_reason == "unreadable"
    client.answer(sent, answer_json())
    assert (await client.send(chat(asked))).cache == "hit-exact"
