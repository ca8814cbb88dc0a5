"""Embeddings: guarded like every text, never routed by what they say, and matched exactly only."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from typing import Any

import pytest

from router_extproc.admin.explained import explained_whole
from router_extproc.cache.base import EVERYTHING, Selector
from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.llm.changes import ParameterChanges, RequestChanges
from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.parsed_request import PIECES_MAX
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.routing.actions import AnswerText, Block, LocalAction, Redaction
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import Failovers
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.routing.selection.base import Candidate
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
        embed(["a", "c"]),
        embed("a\nb"),
        embed(["a", "b"], dimensions=2),
        embed(["a", "b"], "large"),
    ],
)
async def test_another_request_is_not(other: bytes) -> None:
    client = Client(fake_router())
    await ask(client, embed(["a", "b"]), vectors(2))
    assert (await ask(client, other)).cache == "miss"


def vectors_of(*numbers: float, coded: bool = False, **members: object) -> bytes:
    """One vector for each number; the second number of it is 0.5."""
    data = [
        {"object": "embedding", "index": place, "embedding": in_form([number, 0.5], coded=coded)}
        for place, number in enumerate(numbers)
    ]
    usage = {"prompt_tokens": 10 * len(numbers), "total_tokens": 10 * len(numbers)}
    told = {"object": "list", "data": data, "model": "tiny-small", "usage": usage, **members}
    return json.dumps(told).encode()


def in_form(vector: list[float], *, coded: bool) -> object:
    packed = struct.pack(f"<{len(vector)}f", *vector)
    return base64.b64encode(packed).decode() if coded else vector


def told(sent: Sent) -> tuple[list[object], int]:
    """What a replay holds: the vectors in their order, and the tokens."""
    document = json.loads(sent.immediate.body)
    assert [each["index"] for each in document["data"]] == list(range(len(document["data"])))
    assert (document["object"], document["model"]) == ("list", "tiny-small")
    usage = document["usage"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": usage["prompt_tokens"]}
    assert usage["total_tokens"] == usage["prompt_tokens"]
    return [each["embedding"] for each in document["data"]], usage["prompt_tokens"]


async def test_a_request_is_answered_from_several_batches_in_any_order() -> None:
    client = Client(fake_router())
    await ask(client, embed(["a", "b"]), vectors_of(1.0, 2.0))
    await ask(client, embed([[5, 6], [7]]), vectors_of(3.0, 4.0))
    every = [[7], "b", [5, 6], "a", "b"]
    sent = await ask(client, embed(every))
    assert sent.cache == "hit-exact"
    assert told(sent) == ([[4.0, 0.5], [2.0, 0.5], [3.0, 0.5], [1.0, 0.5], [2.0, 0.5]], 6 + 10 + 14 + 10 + 10)
    for alone, vector in (("a", 1.0), (["a"], 1.0), ([5, 6], 3.0), ([[5, 6]], 3.0)):
        sent = await ask(client, embed(alone))
        assert (sent.cache, told(sent)[0]) == ("hit-exact", [[vector, 0.5]])


async def test_one_unknown_input_sends_the_whole_batch_to_the_pool() -> None:
    client = Client(fake_router())
    await ask(client, embed(["a", "b"]), vectors_of(1.0, 2.0))
    sent = await ask(client, embed(["b", "new", "a"]), vectors_of(2.0, 9.0, 1.0))
    assert (sent.cache, sent.forwarded.body) == ("miss", embed(["b", "new", "a"], "tiny-small"))
    assert told(await ask(client, embed("new")))[0] == [[9.0, 0.5]]


@pytest.mark.parametrize("first", ["float", "base64", None])
@pytest.mark.parametrize("second", ["float", "base64", None])
async def test_a_vector_is_stored_once_for_both_forms(first: str | None, second: str | None) -> None:
    client = Client(fake_router())
    asked = embed(["a", "b"], encoding_format=first)
    await ask(client, asked, vectors_of(1.0, 0.1, coded=first == "base64"))
    sent = await ask(client, embed(["b", "a"], encoding_format=second))
    assert sent.cache == "hit-exact"
    (tenth, one), _ = told(sent)
    coded = second == "base64"
    assert one == in_form([1.0, 0.5], coded=coded)
    # As a 32-bit float it is a little more.
    exact = [0.10000000149011612, 0.5] if first == "base64" else [0.1, 0.5]
    assert tenth == in_form(exact, coded=coded)


async def test_numbers_that_base64_would_round_are_found_in_their_own_form_only() -> None:
    client = Client(fake_router())
    await ask(client, embed(["a"], encoding_format="float"), vectors_of(0.1234567890123))
    assert (await ask(client, embed(["a"], encoding_format="float"))).cache == "hit-exact"
    assert (await ask(client, embed(["a"], encoding_format="base64"))).cache == "miss"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dimensions": 2}, {"dimensions": 3}),
        ({}, {"dimensions": 2}),
        ({}, {"input_type": "query"}),
        ({}, {"model": "large"}),
        ({}, {"some_future_member": 1}),
        ({"some_future_member": 1}, {"some_future_member": 2}),
    ],
)
async def test_inputs_asked_in_another_way_share_nothing(one: dict[str, Any], other: dict[str, Any]) -> None:
    client = Client(fake_router())
    await ask(client, embed(["a"], **one), vectors_of(1.0))
    assert (await ask(client, embed(["a"], **other))).cache == "miss"


async def test_inputs_that_may_hang_on_each_other_are_stored_together() -> None:
    client = Client(fake_router())
    late = {"late_chunking": True}
    await ask(client, embed(["a", "b"], **late), vectors_of(1.0, 2.0))
    assert (await ask(client, embed(["b", "a"], **late))).cache == "miss"
    assert (await ask(client, embed(["a", "b"], **late))).cache == "hit-exact"


@pytest.mark.parametrize("count", [PIECES_MAX, PIECES_MAX + 1])
async def test_a_large_batch_is_stored_as_a_whole(count: int) -> None:
    """The write token has a key for each input, and travels with every piece of the answer."""
    inputs = [f"text {number}" for number in range(count)]
    client = Client(fake_router())
    await ask(client, embed(inputs), vectors_of(*map(float, range(count))))
    assert (await ask(client, embed(inputs))).cache == "hit-exact"
    assert (await ask(client, embed(inputs[0]))).cache == ("hit-exact" if count == PIECES_MAX else "miss")


NAN = base64.b64encode(struct.pack("<f", float("nan"))).decode()


ONE = {"index": 0, "embedding": [1.0]}


@pytest.mark.parametrize("members", [{}, {"some_future_member": 1}])
@pytest.mark.parametrize(
    "answer",
    [
        vectors_of(1.0),
        vectors_of(1.0, 2.0, 3.0),
        vectors_of(1.0, 2.0, data=[ONE, ONE]),
        vectors_of(1.0, 2.0, data=[ONE, {**ONE, "index": 2}]),
        vectors_of(1.0, 2.0, data=[ONE, {"index": 1}]),
        vectors_of(1.0, float("nan")),
    ],
)
async def test_an_answer_that_does_not_fit_its_inputs_is_not_stored(
    answer: bytes, members: dict[str, Any]
) -> None:
    client = Client(fake_router())
    await ask(client, embed(["a", "b"], **members), answer)
    for given in (["a", "b"], "a", "b"):
        assert (await client.send(embed(given, **members), path=PATH)).cache == "miss"


@pytest.mark.parametrize("vector", [[1.0, 2.0], NAN])
async def test_a_vector_of_another_length_or_without_a_number_spoils_its_batch(vector: object) -> None:
    client = Client(fake_router())
    await ask(client, embed(["a", "b"]), vectors_of(1.0, 2.0, data=[ONE, {"index": 1, "embedding": vector}]))
    for given in (["a", "b"], "a", "b"):
        assert (await client.send(embed(given), path=PATH)).cache == "miss"


async def test_one_tenants_inputs_are_nobody_elses() -> None:
    client = Client(fake_router())
    await ask(client, embed(["a"]), vectors_of(1.0))
    other = await client.send(embed(["a"]), path=PATH, authorization="Bearer another")
    assert other.cache == "miss"
    assert (await client.send(embed(["a"]), path=PATH, anonymous=True)).cache == "bypass"


async def test_what_a_batch_is_refused_for_holds_though_its_inputs_are_known() -> None:
    """Each text alone is harmless to this rule, and their vectors are stored."""
    both = RoutingDecision(
        "special", 5, read_rule({"all": [{"urgent": True}, {"house": True}]}), (), None,
        action=Block("Not here.", 451), takes_pinned=True,
    )  # fmt: skip
    signals = (URGENT, KeywordsSignal("house", ["house"]))
    client = Client(fake_router(signals=signals, decisions=(both,)))
    await ask(client, embed("A bomb."), vectors_of(1.0))
    await ask(client, embed("A house."), vectors_of(2.0))
    assert (await client.send(embed(["A bomb.", "A house."]), path=PATH)).immediate.status == 451
    await ask(client, embed(["A bomb.", "A tree."]), vectors_of(1.0, 3.0))
    assert (await ask(client, embed(["A tree.", "A house."]))).cache == "hit-exact"


async def test_a_text_that_is_refused_alone_is_so_though_a_batch_has_stored_it() -> None:
    signals = (URGENT, KeywordsSignal("house", ["house"]))
    alone = RoutingDecision(
        "special", 5, read_rule({"all": [{"urgent": True}, {"not": {"house": True}}]}), (), None,
        action=Block("Not here.", 451), takes_pinned=True,
    )  # fmt: skip
    client = Client(fake_router(signals=signals, decisions=(alone,)))
    await ask(client, embed(["A bomb.", "A house."]), vectors_of(1.0, 2.0))
    assert (await client.send(embed("A bomb."), path=PATH)).immediate.status == 451


async def test_an_input_that_another_decision_has_stored_is_asked_anew() -> None:
    """What a decision changes in a request changes the vectors of all that stands in it."""
    short = RequestChanges(parameters=ParameterChanges(set=(("dimensions", b"2"),)))
    changing = RoutingDecision(
        "short", 5, read_rule({"urgent": True}), (Candidate(SMALL),), short, takes_pinned=True
    )
    client = Client(fake_router(signals=(URGENT,), decisions=(changing,)))
    await ask(client, embed(["A bomb.", "A tree."]), vectors_of(1.0, 2.0))
    assert (await ask(client, embed("A tree."), vectors_of(3.0))).cache == "miss"
    assert told(await ask(client, embed("A tree.")))[0] == [[3.0, 0.5]]


async def test_a_redacted_batch_shares_nothing_with_its_inputs() -> None:
    """Placeholders are numbered through the batch, so a text's vector hangs on what stands before it."""
    private = replace(
        send_to(LARGE, name="private", rule=ALWAYS),
        redaction=Redaction(("EMAIL_ADDRESS",)),
        takes_pinned=True,
    )
    client = Client(fake_router(decisions=(private,)))
    batch = embed(["jo@example.com", "al@example.com"])
    await ask(client, batch, vectors_of(1.0, 2.0))
    assert (await ask(client, embed("al@example.com"))).cache == "miss"
    assert (await ask(client, batch)).cache == "hit-exact"


async def test_a_purge_of_one_input_makes_its_batch_a_miss() -> None:
    client = Client(fake_router())
    cache = client.router.cache
    await ask(client, embed(["a", "b"]), vectors_of(1.0, 2.0))
    entries = [entry async for entry in cache.entries(EVERYTHING)]
    assert len(entries) == 2
    await cache.purge(Selector(entries[0].fingerprint))
    assert (await ask(client, embed(["a", "b"]), vectors_of(1.0, 2.0))).cache == "miss"


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
