"""Embeddings: guarded like every text, never routed by what they say, and matched exactly only."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from router_extproc.admin.explained import explained_whole
from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.llm.request import InferenceRequest
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.routing.actions import AnswerText, Block, LocalAction, Redaction
from router_extproc.routing.failover import Failovers
from router_extproc.routing.policy import RoutingDecision
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.signals.base import Reading, Subject
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import Client, Sent
from router_extproc.testing.router import LARGE, SEMANTIC, SMALL, fake_router, send_to

pytestmark = pytest.mark.asyncio

PATH = "/v1/embeddings"
URGENT = KeywordsSignal("urgent", ["bomb"])
ROUTED = send_to(LARGE, name="urgent", rule=read_rule({"urgent": True}))


def embed(given: object = "A bomb.", model: str = "auto", **members: object) -> bytes:
    return json.dumps({"model": model, "input": given, **members}).encode()


def vectors(count: int = 1) -> bytes:
    data = [{"object": "embedding", "index": place, "embedding": [0.5, place]} for place in range(count)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    return json.dumps({"object": "list", "data": data, "model": "tiny-small", "usage": usage}).encode()


async def ask(client: Client, body: bytes, answer: bytes | None = None) -> Sent:
    sent = await client.send(body, path=PATH)
    if not isinstance(sent.to_body, ImmediateResponse):
        client.answer(sent, answer or vectors())
    return sent


def acting(action: LocalAction) -> RoutingDecision:
    return RoutingDecision(
        "special", 5, read_rule({"urgent": True}), (), None, action=action, takes_pinned=True
    )


@pytest.mark.parametrize("model", ["auto", ""])
async def test_no_rule_chooses_the_model_of_a_vector(model: str) -> None:
    """Vectors of two models cannot be compared, so one index must not get both."""
    client = Client(fake_router(signals=(URGENT,), decisions=(ROUTED,)))
    sent = await client.send(embed(model=model), path=PATH)
    names = ("x-router-cluster", "x-router-model", "x-router-decision")
    assert [sent.sent_header(name) for name in names] == ["vllm_small", "small", "default"]


async def test_a_named_model_embeds_itself() -> None:
    sent = await Client(fake_router()).send(embed(model="large"), path=PATH)
    assert (sent.sent_header("x-router-model"), sent.sent_header("x-router-decision")) == ("large", "pinned")
    assert sent.forwarded.body == embed(model="tiny-large")


class Counting:
    """Counts its readings. Fits Signal."""

    name, needs_encoding, needs_tasks = "urgent", False, False

    def __init__(self) -> None:
        self.read_count = 0

    def read(self, subject: Subject) -> Reading:
        """See Signal."""
        assert isinstance(subject.request, InferenceRequest)
        self.read_count += 1
        return Reading("urgent", None, 0.0)


async def test_signals_that_only_choose_a_model_are_not_read() -> None:
    signal = Counting()
    client = Client(fake_router(signals=(signal,), decisions=(ROUTED,)))
    await client.send(embed(), path=PATH)
    assert signal.read_count == 0


async def test_a_block_holds_for_texts_to_be_embedded() -> None:
    client = Client(fake_router(signals=(URGENT,), decisions=(acting(Block("Not here.", 451)),)))
    for given in ("A bomb.", ["A house.", "A bomb."]):
        sent = await client.send(embed(given), path=PATH)
        assert sent.immediate.status == 451
    assert (await client.send(embed("A house."), path=PATH)).sent_header("x-router-model") == "small"


async def test_a_fixed_text_is_no_vector() -> None:
    client = Client(fake_router(signals=(URGENT,), decisions=(acting(AnswerText("Run.")),)))
    assert (await client.send(embed(), path=PATH)).immediate.status == 422


async def test_every_text_of_a_batch_is_redacted() -> None:
    private = replace(
        send_to(LARGE, name="private", rule=ALWAYS),
        redaction=Redaction(("EMAIL_ADDRESS",)),
        takes_pinned=True,
    )
    off = {"private": replace(SEMANTIC, mode="off")}
    client = Client(fake_router(decisions=(private,), own_cache_policies=off))
    sent = await client.send(embed(["jo@example.com", "x", "al@example.com"]), path=PATH)
    body = json.loads(sent.forwarded.body or b"")
    assert body["input"] == ["[EMAIL_ADDRESS_1]", "x", "[EMAIL_ADDRESS_2]"]
    assert sent.sent_header("x-router-model") == "small"


@pytest.mark.parametrize("model", ["auto", "large"])
async def test_the_same_request_is_answered_from_the_cache(model: str) -> None:
    client = Client(fake_router())
    first = await ask(client, embed(["a", "b"], model, user="u1"), vectors(2))
    assert first.cache == "miss"
    again = await ask(client, embed(["a", "b"], model, user="u2"))
    assert again.cache == "hit-exact"
    usage = {"prompt_tokens": 4, "total_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}}
    assert json.loads(again.immediate.body) == json.loads(vectors(2)) | {"usage": usage}


@pytest.mark.parametrize("model", ["auto", "large"])
async def test_a_hit_needs_no_signal(model: str) -> None:
    """What was not refused once is not read again, as long as the rules are the same."""
    signal = Counting()
    client = Client(fake_router(signals=(signal,), decisions=(acting(Block("Not here.", 451)),)))
    await ask(client, embed(model=model))
    assert (await ask(client, embed(model=model))).cache == "hit-exact"
    assert signal.read_count == 1


@pytest.mark.parametrize(
    "other",
    [
        embed(["a"]),
        embed(["b", "a"]),
        embed("a\nb"),
        embed(["a", "b"], dimensions=2),
        embed(["a", "b"], "large"),
    ],
)
async def test_another_request_is_not(other: bytes) -> None:
    client = Client(fake_router())
    await ask(client, embed(["a", "b"]), vectors(2))
    assert (await ask(client, other)).cache == "miss"


async def test_texts_that_mean_the_same_have_vectors_of_their_own() -> None:
    """The fake encoder finds any two texts alike, and the verifier accepts all."""
    client = Client(fake_router())
    await ask(client, embed("What is a cat?"))
    assert (await ask(client, embed("What is a cat"))).cache == "miss"


@pytest.mark.parametrize("answer", [b"{}", vectors()[:-1], vectors(0), b'{"error": {"message": "x"}}'])
async def test_what_is_no_whole_answer_is_not_stored(answer: bytes) -> None:
    client = Client(fake_router())
    await ask(client, embed(), answer)
    assert (await ask(client, embed())).cache == "miss"


async def test_no_other_model_embeds_while_a_pool_is_down() -> None:
    router = fake_router(fallbacks={"large": "small"})
    for _ in range(9):
        router.traffic.heard("vllm_large", "upstream_reset_before_response_started{connection_failure}")
    sent = await Client(router).send(embed(model="large"), path=PATH)
    assert sent.sent_header("x-router-model") == "large"


async def test_no_other_model_is_asked_after_the_first() -> None:
    """An answer of the next one would be a vector in another space."""
    failovers = Failovers({("", "large"): (SMALL,), ("", "small"): (LARGE,)}, 2)
    client = Client(fake_router(failovers=failovers))
    for path in (PATH, "/v2/embed", "/rerank"):
        for model in ("auto", "large"):
            sent = await client.send(embed(model=model), path=path)
            assert "x-router-failover" not in dict(sent.forwarded.mutation.overwrite)


async def test_a_cache_that_is_off_for_a_decision_is_off_for_its_vectors() -> None:
    off: CachePolicy = replace(SEMANTIC, mode="off")
    client = Client(fake_router(cache_policy=off))
    await ask(client, embed())
    assert (await ask(client, embed())).cache == "bypass"


async def test_a_vector_costs_no_answer() -> None:
    router = fake_router()
    whole = await router.application.explain_whole("POST", PATH, Headers(()), embed("x" * 400))
    assert whole is not None
    assert whole.answer_tokens == 0
    assert whole.costs == {"small": whole.prompt_tokens / 1e6, "large": 0.0}
    assert explained_whole(whole)["answer_tokens"] == 0


async def test_usage_and_model_are_reported() -> None:
    client = Client(fake_router())
    await ask(client, embed())
    (report,) = client.router.reports.answers
    assert (report.dialect, report.model, report.stored) == ("openai_embeddings", SMALL.model, "stored")
    assert report.usage is not None
    assert report.usage.prompt_tokens == 4
