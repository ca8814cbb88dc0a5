"""Requests that are asked of another model, too: which, how, and what is told of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from router_extproc.clock import Budget
from router_extproc.dialects import DIALECTS
from router_extproc.llm.changes import RequestChanges
from router_extproc.pipeline.evaluation.asking import PoolFailed, PoolReply
from router_extproc.pipeline.evaluation.outcomes import Evaluated
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules
from router_extproc.pipeline.evaluation.sampling import BODY_BYTES_MAX, may_ask
from router_extproc.pipeline.parsed_request import ParsedRequest, RawRequest
from router_extproc.pipeline.token import EvaluationAsk, WriteToken
from router_extproc.protocol.events import Origin
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.names import METADATA_NAMESPACE, TOKEN_KEY
from router_extproc.routing.accepts import NO_DEMANDS
from router_extproc.routing.actions import Redaction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.route import Route
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.testing.client import PATH, Client, Sent, answer_json, chat
from router_extproc.testing.router import LARGE, SMALL, fake_router

TOOLS = [{"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}]


@dataclass(slots=True)
class Pool:
    """The other model's pool; keeps what it was asked."""

    reply: PoolReply = field(default_factory=lambda: PoolReply(200, "application/json", answer_json()))
    asked: list[tuple[str, EvaluationAsk]] = field(default_factory=list)
    told: list[Evaluated] = field(default_factory=list)

    async def ask(self, cluster: str, ask: EvaluationAsk) -> PoolReply:
        self.asked.append((cluster, ask))
        if not self.reply.status:
            raise PoolFailed("connection")
        return self.reply

    @property
    def body(self) -> Any:
        """Of the only request, as JSON."""
        ((_, ask),) = self.asked
        return json.loads(ask.body)


@pytest.fixture
def pool() -> Pool:
    return Pool()


def rules(
    target: Target = LARGE, rate: float = 1.0, per_hour: int = 9, *, allow_tools: bool = False
) -> EvaluationRules:
    """Every decision's requests are asked of this target, too."""
    return EvaluationRules(EvaluationRule("", target, rate, per_hour, allow_tools))


def shadowed(pool: Pool, evaluation: EvaluationRules | None = None, **parts: Any) -> Client:
    """A client whose requests the small model answers, and another one, too."""
    return Client(
        fake_router(
            evaluation=rules() if evaluation is None else evaluation,
            ask_pool=pool.ask,
            evaluated=pool.told.append,
            **parts,
        )
    )


def _token(sent: Sent) -> WriteToken:
    return WriteToken.decode(sent.forwarded.dynamic_metadata[METADATA_NAMESPACE][TOKEN_KEY])


def sampled(sent: Sent) -> EvaluationAsk | None:
    """What the answer's observer is to send."""
    return _token(sent).evaluation


async def asked(client: Client, body: object, answer: bytes | None = None, **how: Any) -> None:
    """A request, its answer, and what follows from it."""
    sent = await client.send(body, **how.pop("headers", {}))
    client.answer(sent, answer_json() if answer is None else answer, **how)
    await client.router.background.finish()


async def test_the_other_model_gets_the_request_once_as_it_is_meant_for_it(pool: Pool) -> None:
    """With the client's credential and no other header; at once, for usage comes with a whole answer."""
    streamed = chat(stream=True, stream_options={"include_usage": True}, temperature=0.5)
    headers = {"cookie": "c", "openai_project": "p"}
    await asked(shadowed(pool), streamed, headers=headers)
    ((cluster, ask),) = pool.asked
    assert (cluster, ask.model, ask.path) == ("vllm_large", "large", "/v1/chat/completions")
    assert ask.headers == (("authorization", "Bearer test-client"), ("openai-project", "p"))
    assert pool.body == chat(model="tiny-large", stream=False, temperature=0.5)


@pytest.mark.parametrize(
    ("content", "outcome"), [("An animal.", "same"), ("Nobody can say that.", "different")]
)
async def test_both_answers_are_compared_and_their_costs_told(pool: Pool, content: str, outcome: str) -> None:
    pool.reply = PoolReply(200, "application/json", answer_json(content))
    await asked(shadowed(pool), chat())
    (told,) = pool.told
    assert (told.decision, told.model, told.shadow_model, told.outcome) == (
        "default", "small", "large", outcome,
    )  # fmt: skip
    # 4 tokens at 1, 3 at 2 for a million; the large model has no price here.
    assert told.costs == pytest.approx((10e-6, 0.0))


@pytest.mark.parametrize(
    "reply",
    [
        PoolReply(0, "", b""),
        PoolReply(500, "application/json", b"{}"),
        PoolReply(302, "application/json", answer_json()),
        PoolReply(200, "application/json", b'{"error": {"message": "no"}}'),
        PoolReply(200, "application/json", answer_json(finish_reason="length")),
        PoolReply(200, "text/html", b"<html>"),
    ],
)
async def test_what_is_no_whole_answer_is_not_compared(pool: Pool, reply: PoolReply) -> None:
    pool.reply = reply
    await asked(shadowed(pool), chat())
    assert [told.outcome for told in pool.told] == ["failed"]


async def test_usage_that_a_pool_keeps_to_itself_costs_nothing_that_is_known(pool: Pool) -> None:
    answer = json.loads(answer_json())
    del answer["usage"]
    await asked(shadowed(pool), chat(), json.dumps(answer).encode())
    assert [(told.outcome, told.costs) for told in pool.told] == [("same", None)]


@pytest.mark.parametrize(
    "how", [{"answer": b'{"choices": []}'}, {"status": 500}, {"answer": answer_json(finish_reason="length")}]
)
async def test_without_a_whole_answer_of_the_own_pool_nobody_is_asked(pool: Pool, how: Any) -> None:
    await asked(shadowed(pool), chat(), **how)
    assert (pool.asked, pool.told) == ([], [])


async def test_the_other_model_is_asked_after_the_answer_and_not_before(pool: Pool) -> None:
    client = shadowed(pool)
    await client.send(chat())
    await client.router.background.finish()
    assert pool.asked == []


@pytest.mark.parametrize(
    "body",
    [
        chat() | {"model": "small"},
        chat() | {"model": "tiny-small"},
        chat(tools=TOOLS),
        chat(functions=[{"name": "pay"}]),
        chat("x" * BODY_BYTES_MAX),
    ],
)
async def test_some_requests_are_never_asked_twice(pool: Pool, body: object) -> None:
    """Those that name their model, offer tools, or are too large."""
    await asked(shadowed(pool), body)
    assert pool.asked == []


async def test_tools_are_offered_to_the_other_model_where_that_is_allowed(pool: Pool) -> None:
    await asked(shadowed(pool, rules(allow_tools=True)), chat(tools=TOOLS))
    assert pool.body["tools"] == TOOLS


@pytest.mark.parametrize("members", [{}, {"store": True}, {"store": False}])
async def test_no_other_pool_keeps_a_response(pool: Pool, members: dict[str, object]) -> None:
    client = shadowed(pool)
    path = "/v1/responses"
    ask = sampled(await client.send({"model": "auto", "input": "What is a cat?", **members}, path=path))
    assert ask is not None
    assert (ask.path, json.loads(ask.body)["store"]) == (path, False)


@pytest.mark.parametrize(
    "members",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"tools": [{"type": "web_search"}]},
    ],
)
async def test_what_a_server_remembers_or_does_is_not_asked_twice(
    pool: Pool, members: dict[str, object]
) -> None:
    client = shadowed(pool, rules(allow_tools=True))
    sent = await client.send({"model": "auto", "input": "And now?", **members}, path="/v1/responses")
    assert sampled(sent) is None


async def test_vectors_are_not_compared(pool: Pool) -> None:
    client = shadowed(pool)
    sent = await client.send({"model": "auto", "input": "cat"}, path="/v1/embeddings")
    assert sampled(sent) is None


async def test_what_the_cache_answers_is_not_asked(pool: Pool) -> None:
    client = shadowed(pool)
    await asked(client, chat())
    assert (await client.send(chat())).cache == "hit-exact"
    await client.router.background.finish()
    assert len(pool.asked) == 1


@pytest.mark.parametrize(("chance", "count"), [(0.1, 1), (0.2, 0)])
async def test_a_share_of_the_requests_is_sampled(pool: Pool, chance: float, count: int) -> None:
    await asked(shadowed(pool, rules(rate=0.2), chance=lambda: chance), chat())
    assert len(pool.asked) == count


async def test_the_budget_ends_it_until_the_hour_is_over(pool: Pool) -> None:
    client = shadowed(pool, rules(per_hour=1))
    for prompt in ("one?", "two?"):
        await asked(client, chat(prompt))
    client.router.clock.advance(3600)
    await asked(client, chat("three?"))
    assert [told.outcome for told in pool.told] == ["same", "over-budget", "same"]
    assert len(pool.asked) == 2


async def test_a_full_queue_drops_what_is_new_and_spends_nothing(pool: Pool) -> None:
    client = shadowed(pool)
    for _ in range(300):
        client.router.background.offer(_done)
    client.answer(await client.send(chat()), answer_json())
    assert [told.outcome for told in pool.told] == ["busy"]
    await client.router.background.finish()
    assert pool.asked == []


async def _done() -> bool:
    return True


def decided(**fields: Any) -> RoutingDecision:
    return RoutingDecision("own", 1, ALWAYS, (Candidate(SMALL),), **fields)


async def test_texts_that_are_replaced_go_to_one_pool_only(pool: Pool) -> None:
    redacting = decided(changes=None, redaction=Redaction(("EMAIL_ADDRESS",)))
    await asked(shadowed(pool, decisions=[redacting]), chat("mail to a@example.com"))
    assert pool.asked == []


async def test_a_decision_has_its_own_rule_or_none(pool: Pool) -> None:
    plain = decided(changes=None)
    none = EvaluationRules(rules().default, {"own": None})
    await asked(shadowed(pool, none, decisions=[plain]), chat())
    assert pool.asked == []
    own = EvaluationRules(None, {"own": rules().default})
    await asked(shadowed(pool, own, decisions=[plain]), chat())
    assert [told.decision for told in pool.told] == ["own"]


async def test_headers_of_a_decision_are_sent_and_no_byte_that_is_no_text(pool: Pool) -> None:
    changing = decided(changes=RequestChanges(headers=(("authorization", "Bearer pool"),)))
    headers = {"openai_project": "\udcff", "x_api_key": "k\r\nx: y"}
    await asked(shadowed(pool, decisions=[changing]), chat(), headers=headers)
    assert pool.asked[0][1].headers == (("authorization", "Bearer pool"),)


TEXTS = Target("large", "vllm_large", "tiny-large", None, frozenset({"text"}))
SHORT = Target("large", "vllm_large", "tiny-large", None, context_tokens=1)


@pytest.mark.parametrize("target", [SMALL, TEXTS, SHORT])
async def test_a_model_that_cannot_answer_or_has_answered_is_not_asked(pool: Pool, target: Target) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    body = chat() | {"messages": [{"role": "user", "content": [{"type": "text", "text": "a?"}, image]}]}
    # Lengths are counted where some candidate has a window.
    other = RoutingDecision("other", 0, ALWAYS, (Candidate(target),), None)
    await asked(shadowed(pool, rules(target), decisions=[decided(changes=None), other]), body)
    assert pool.asked == []


async def test_an_answer_of_another_pool_is_not_compared(pool: Pool) -> None:
    client = shadowed(pool)
    token = _token(await client.send(chat()))
    for cluster in ("vllm_large", "vllm_small"):
        observation = client.router.parts.observer.open(
            token, 200, {"content-type": "application/json"}, Origin(cluster, "via_upstream")
        )
        assert observation is not None
        observation.feed(answer_json())
        observation.finish()
        await client.router.background.finish()
        assert len(pool.asked) == (cluster == "vllm_small")


async def test_a_rule_that_is_gone_ends_what_was_sampled_under_it(pool: Pool) -> None:
    client = shadowed(pool)
    sent = await client.send(chat())
    own = client.router.application.policy
    client.router = client.router.swapped(
        replace(own, evaluation=EvaluationRules(None, {"x": rules().default}))
    )
    client.answer(sent, answer_json())
    await client.router.background.finish()
    assert client.router.background.counts() == {}


async def test_what_is_answered_in_a_paused_models_place_is_not_compared(pool: Pool) -> None:
    """Least of all with an answer of the pool that is down."""
    client = shadowed(pool, rules(SMALL), fallbacks={"small": "large"})
    client.router.traffic.heard("vllm_small", "no_healthy_upstream")
    sent = await client.send(chat())
    assert sent.sent_header("x-router-model") == "large"
    assert sampled(sent) is None


async def test_what_might_have_had_to_be_redacted_goes_to_one_pool_only(pool: Pool) -> None:
    """A signal that was late leaves it open whether the request holds what must not leave."""
    route = Route("default", SMALL, None)
    parsed = client_parsed(shadowed(pool))
    rule = rules().default
    assert rule is not None
    assert may_ask(rule, parsed, route, NO_DEMANDS)
    assert not may_ask(rule, parsed, replace(route, may_act=True), NO_DEMANDS)


def client_parsed(client: Client) -> ParsedRequest:
    """A request as the router reads it."""
    body = json.dumps(chat()).encode()
    raw = RawRequest(DIALECTS["openai_chat"], Headers(((":path", PATH),)), body)
    return client.router.parts.pipeline.reader.read(raw, Budget.of(client.router.clock, 1.0))


async def test_who_explains_a_request_asks_nobody(pool: Pool) -> None:
    client = shadowed(pool)
    assert client.router.parts.pipeline.evaluations is not None
    assert client.router.parts.pipeline.read_only().evaluations is None
