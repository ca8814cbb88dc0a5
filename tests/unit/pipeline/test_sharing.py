"""Who shares with whom, and what of a request may not be shared: as a client sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any  # JSON bodies

import pytest

from router_extproc.cache.base import EVERYTHING
from router_extproc.cache.ignore import IgnoreRule
from router_extproc.cache.scope import ClientScope, SharedScope
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.token import WriteToken
from router_extproc.pipeline.upstream import Answerers
from router_extproc.protocol.names import CACHE_STATUS_KEY, METADATA_NAMESPACE, TOKEN_KEY
from router_extproc.routing.catalogue import Catalogue, Target
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import read_rule
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import Client, Sent, answer_json, chat
from router_extproc.testing.router import LARGE, SEMANTIC, SMALL, FakeRouter, fake_router, send_to

ASKED = chat("What did I order?")
CLOCK = r"It is \d{4}-\d{2}-\d{2} \d{2}:\d{2}\."


def shared(**settings: Any) -> Client:
    policy = replace(SEMANTIC, scope=SharedScope(), **settings)
    return Client(fake_router(cache_policy=policy))


def status_of(sent: Sent) -> str:
    return sent.forwarded.dynamic_metadata[METADATA_NAMESPACE][CACHE_STATUS_KEY]


# ── credentials ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    ["x-api-key", "api-key", "cookie", "authorization", "proxy-authorization", "x-goog-api-key",
     "ocp-apim-subscription-key", "x-amz-security-token", "x-auth-token", "x-access-token"],
)  # fmt: skip
async def test_another_credential_is_another_client(name: str) -> None:
    client = Client(fake_router())
    await client.ask(ASKED, anonymous=True, **{name: "tenant-a"})
    assert (await client.send(ASKED, anonymous=True, **{name: "tenant-b"})).cache == "miss"
    assert (await client.send(ASKED, anonymous=True, **{name: "tenant-a"})).cache == "hit-exact"


async def test_a_question_without_a_credential_is_neither_answered_nor_stored() -> None:
    client = Client(fake_router())
    for _ in range(2):
        sent = await client.ask(ASKED, anonymous=True)
        assert sent.cache == "bypass"
        assert status_of(sent) == 'router-extproc; fwd=bypass; detail="no credential"'
    assert [entry async for entry in client.router.cache.entries(EVERYTHING)] == []


async def test_a_question_without_a_credential_is_not_answered_with_that_of_another() -> None:
    client = Client(fake_router())
    await client.ask(ASKED)
    assert (await client.send(ASKED, anonymous=True)).cache == "bypass"


async def test_a_question_without_a_credential_needs_no_encoder() -> None:
    client = Client(fake_router())
    await client.send(ASKED, anonymous=True)
    decision = client.router.reports.decisions[-1].decision
    assert isinstance(decision, Forward)
    assert [note.stage for note in decision.explanation.stages] == []


async def test_nobody_is_told_apart_in_a_shared_scope() -> None:
    client = shared()
    await client.ask(ASKED, anonymous=True)
    assert (await client.send(ASKED, anonymous=True)).cache == "hit-exact"
    assert (await client.send(ASKED)).cache == "hit-exact"


async def test_equal_requests_without_a_credential_do_not_wait_for_each_other() -> None:
    client = Client(fake_router())
    sent = await client.send(ASKED, anonymous=True)
    decision = client.router.reports.decisions[-1].decision
    assert isinstance(decision, Forward)
    assert decision.coalescing is None
    assert WriteToken.decode(sent.forwarded.dynamic_metadata[METADATA_NAMESPACE][TOKEN_KEY]).plan is None


# ── members of the body ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"user": "alice"}, {"user": "bob"}),
        ({"safety_identifier": "alice"}, {"safety_identifier": "bob"}),
        ({"metadata": {"user_id": "alice"}}, {"metadata": {"user_id": "bob"}}),
        ({"user": "alice"}, {"safety_identifier": "alice"}),
        ({"user": "alice"}, {}),
    ],
)
async def test_a_named_member_tells_clients_apart(first: dict[str, Any], then: dict[str, Any]) -> None:
    members = (("user",), ("safety_identifier",), ("metadata", "user_id"))
    client = Client(fake_router(cache_policy=replace(SEMANTIC, scope=ClientScope(body=members))))
    await client.ask(ASKED | first)
    assert (await client.send(ASKED | then)).cache == "miss"
    assert (await client.send(ASKED | first)).cache == "hit-exact"


async def test_a_member_that_is_not_named_changes_nothing() -> None:
    client = Client(fake_router())
    await client.ask(ASKED | {"user": "alice", "metadata": {"run": "1"}})
    assert (await client.send(ASKED | {"user": "bob"})).cache == "hit-exact"


# ── what reaches the pool ─────────────────────────────────────────────────────────────────────


async def test_another_query_is_another_request() -> None:
    client = Client(fake_router())
    path = "/v1/chat/completions"
    await client.ask(ASKED, path=f"{path}?api-version=1")
    assert (await client.send(ASKED, path=f"{path}?api-version=2")).cache == "miss"
    assert (await client.send(ASKED, path=path)).cache == "miss"
    assert (await client.send(ASKED, path=f"{path}?api-version=1")).cache == "hit-exact"


@pytest.mark.parametrize("name", ["openai-organization", "openai-beta", "anthropic-version"])
async def test_headers_that_choose_another_behaviour_are_part_of_the_request(name: str) -> None:
    client = Client(fake_router())
    await client.ask(ASKED, **{name: "a"})
    assert (await client.send(ASKED, **{name: "b"})).cache == "miss"
    assert (await client.send(ASKED)).cache == "miss"


async def ask_varying(client: Client, vary: str, **headers: str) -> Sent:
    sent = await client.send(ASKED, **headers)
    if sent.cache in {"miss", "bypass"}:
        client.answer(sent, answer_json(), vary=vary)
    return sent


async def test_an_answer_is_reused_only_for_equal_headers_that_its_pool_names() -> None:
    client = Client(fake_router())
    await ask_varying(client, "Accept-Language", accept_language="de")
    await ask_varying(client, "Accept-Language", accept_language="de")
    assert (await client.send(ASKED, accept_language="fr")).cache == "miss"
    assert (await client.send(ASKED)).cache == "miss"
    assert (await client.send(ASKED, accept_language="de")).cache == "hit-exact"


async def test_variants_are_stored_beside_each_other() -> None:
    client = Client(fake_router())
    for language in ("de", "de", "fr"):
        await ask_varying(client, "Accept-Language", accept_language=language)
    for language in ("de", "fr"):
        assert (await client.send(ASKED, accept_language=language)).cache == "hit-exact"


async def test_the_first_answer_that_names_a_header_is_not_stored() -> None:
    """Its request's keys do not have the header: another client would get it."""
    client = Client(fake_router())
    await ask_varying(client, "X-Tenant", x_tenant="a")
    assert client.router.reports.answers[-1].stored == "vary"
    assert (await client.send(ASKED, x_tenant="b")).cache == "miss"


async def test_an_answer_that_hangs_on_anything_is_never_stored() -> None:
    client = Client(fake_router())
    for _ in range(3):
        assert (await ask_varying(client, "*")).cache == "miss"


@pytest.mark.parametrize("vary", ["", "Accept-Encoding", "accept-encoding, Accept-Encoding"])
async def test_compression_kills_no_sharing(vary: str) -> None:
    client = Client(fake_router())
    await ask_varying(client, vary, accept_encoding="gzip")
    assert (await client.send(ASKED, accept_encoding="br")).cache == "hit-exact"


async def test_a_pool_that_begins_to_vary_has_none_of_its_old_answers_replayed() -> None:
    client = Client(fake_router())
    await ask_varying(client, "", x_tenant="a")
    client.answer(await client.send(chat("Another question")), answer_json(), vary="X-Tenant")
    assert (await client.send(ASKED, x_tenant="b")).cache == "miss"


# ── who answers ───────────────────────────────────────────────────────────────────────────────


def upgraded(router: FakeRouter, target: Target) -> Client:
    """The same cache behind a configuration in which a model is served otherwise."""
    targets = [target if each.model == target.model else each for each in (SMALL, LARGE)]
    catalogue, policy = Catalogue.of(("auto",), tuple(targets)), Policy((), default=targets[0])
    pipeline = router.parts.pipeline
    assert pipeline.cache_stage is not None
    entries = replace(pipeline.cache_stage.entries, answerers=Answerers(catalogue, policy))
    stage = replace(pipeline.cache_stage, entries=entries)
    reader = replace(pipeline.reader, catalogue=catalogue)
    pipeline = replace(pipeline, cache_stage=stage, policy=policy, reader=reader)
    return Client(replace(router, parts=replace(router.parts, pipeline=pipeline, coalescing=None)))


@pytest.mark.parametrize(
    "change", [{"served_name": "tiny-small-v2"}, {"cluster": "vllm_small_v2"}], ids=["served name", "cluster"]
)
@pytest.mark.parametrize("model", ["auto", "small"])
async def test_after_an_upgrade_old_answers_are_not_replayed(model: str, change: dict[str, str]) -> None:
    before = Client(fake_router())
    await before.ask(ASKED | {"model": model})
    after = upgraded(before.router, replace(SMALL, **change))
    assert (await after.ask(ASKED | {"model": model})).cache == "miss"
    assert (await after.send(ASKED | {"model": model})).cache == "hit-exact"
    assert (await after.send(chat("What did I order"))).cache != "hit-exact"


async def test_another_models_upgrade_changes_nothing() -> None:
    before = Client(fake_router())
    await before.ask(ASKED)
    after = upgraded(before.router, replace(LARGE, served_name="tiny-large-v2"))
    assert (await after.send(ASKED)).cache == "hit-exact"


async def test_a_decision_that_sends_elsewhere_replays_no_old_answer() -> None:
    """Same decision, other model: the fingerprint is the same, who answered is not."""
    signals, rule = [KeywordsSignal("shop", ["order"])], read_rule({"shop": True})
    decisions = [send_to(target, name="shop", rule=rule) for target in (SMALL, LARGE)]
    before = Client(fake_router(signals=signals, decisions=decisions[:1]))
    await before.ask(ASKED)
    kept = [entry async for entry in before.router.cache.entries(EVERYTHING)]
    after = Client(fake_router(signals=signals, decisions=decisions[1:]))
    await after.router.cache.keep(kept)
    assert (await after.send(ASKED)).cache == "miss"


async def test_a_decision_that_asks_in_another_way_replays_no_old_answer() -> None:
    signals, rule = [KeywordsSignal("shop", ["order"])], read_rule({"shop": True})
    thinking = [send_to(LARGE, name="shop", rule=rule, reasoning=value) for value in (False, True)]
    before = Client(fake_router(signals=signals, decisions=thinking[:1]))
    await before.ask(ASKED)
    kept = [entry async for entry in before.router.cache.entries(EVERYTHING)]
    after = Client(fake_router(signals=signals, decisions=thinking[1:]))
    await after.router.cache.keep(kept)
    assert (await after.send(ASKED)).cache == "miss"


# ── what keys leave out ───────────────────────────────────────────────────────────────────────


def at(time: str, question: str = "What are the benefits of walking?") -> dict[str, Any]:
    system = f"Be helpful. It is 2026-11-28 {time}."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return {"model": "auto", "messages": messages}


@pytest.fixture
def ignoring() -> Client:
    return Client(fake_router(cache_policy=replace(SEMANTIC, ignore=IgnoreRule((CLOCK,)))))


async def test_a_clock_in_the_system_prompt_makes_every_request_new_by_default() -> None:
    client = Client(fake_router())
    await client.ask(at("19:11"))
    assert (await client.send(at("19:12"))).cache == "miss"


async def test_a_clock_that_an_operator_names_is_left_out(ignoring: Client) -> None:
    await ignoring.ask(at("19:11"))
    assert (await ignoring.send(at("19:12"))).cache == "hit-exact"
    decision: Any = ignoring.router.reports.decisions[-1].decision
    assert decision.explanation.ignored == 1


async def test_a_question_in_other_words_is_found_behind_another_clock(ignoring: Client) -> None:
    await ignoring.ask(at("19:11", "What are the main renewable energy sources?"))
    near = at("19:12", "What are the main renewable energy sources now?")
    assert (await ignoring.send(near)).cache == "hit-semantic"


@pytest.mark.parametrize(
    "other",
    [
        at("19:12") | {"messages": [{"role": "system", "content": "Be rude. It is 2026-11-28 19:12."},
                                    {"role": "user", "content": "What are the benefits of walking?"}]},
        at("half past seven"),
    ],
)  # fmt: skip
async def test_all_else_of_the_system_prompt_counts(ignoring: Client, other: dict[str, Any]) -> None:
    await ignoring.ask(at("19:11"))
    assert (await ignoring.send(other)).cache == "miss"


async def test_a_clock_in_the_question_is_not_left_out(ignoring: Client) -> None:
    await ignoring.ask(chat("It is 2026-11-28 19:11. Is the shop open?"))
    assert (await ignoring.send(chat("It is 2026-11-28 23:11. Is the shop open?"))).cache != "hit-exact"


async def test_a_clock_in_an_earlier_turn_is_not_left_out(ignoring: Client) -> None:
    def after(time: str) -> dict[str, Any]:
        turns = [
            {"role": "user", "content": f"It is 2026-11-28 {time}."},
            {"role": "assistant", "content": "I see."},
            {"role": "user", "content": "Is the shop open?"},
        ]
        return {"model": "auto", "messages": turns}

    await ignoring.ask(after("19:11"))
    assert (await ignoring.send(after("23:11"))).cache == "miss"


async def test_a_decision_may_leave_out_what_others_keep() -> None:
    signals, decision = (
        [KeywordsSignal("walk", ["walking"])],
        send_to(SMALL, name="walk", rule=read_rule({"walk": True})),
    )
    own = {"walk": replace(SEMANTIC, ignore=IgnoreRule((CLOCK,)))}
    client = Client(fake_router(signals=signals, decisions=[decision], own_cache_policies=own))
    await client.ask(at("19:11"))
    assert (await client.send(at("19:12"))).cache == "hit-exact"
    await client.ask(at("19:11", "What is a cat?"))
    assert (await client.send(at("19:12", "What is a cat?"))).cache == "miss"


# ── spelling ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"temperature": 1}, {"temperature": 1.0}),
        ({"stop": None}, {}),
        ({"tools": []}, {}),
        ({}, {"logit_bias": {}}),
    ],
)
async def test_the_same_in_another_spelling_is_an_exact_hit(
    first: dict[str, Any], then: dict[str, Any]
) -> None:
    client = Client(fake_router())
    await client.ask(chat("Name a forest.", **first))
    assert (await client.send(chat("Name a forest.", **then))).cache == "hit-exact"
