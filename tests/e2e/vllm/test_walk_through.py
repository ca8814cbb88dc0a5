"""The guide's walk-through in front of two real vLLM servers, streamed and not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from router_extproc.testing.demo_process import Demo, Reply

pytestmark = pytest.mark.vllm

SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
QUESTION = {"role": "user", "content": "What are the main renewable energy sources?"}
GUIDE = [SYSTEM, QUESTION]
REPHRASED = [SYSTEM, {"role": "user", "content": "Which are the main sources of renewable energy?"}]
OPPOSITE = [SYSTEM, {"role": "user", "content": "What are the main non-renewable energy sources?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo", "Lima"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
PLAIN: dict[str, Any] = {}  # Any: JSON
STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}  # Any: JSON
Answered = Callable[[], dict[str, int]]

both_ways = pytest.mark.parametrize("way", [PLAIN, STREAMED], ids=["json", "streamed"])


def counts(reply: Reply) -> dict[str, Any] | None:
    """Its tokens; a hit also says that those of the prompt were cached."""
    told = {"prompt_tokens_details", "completion_tokens_details"}
    return reply.usage and {name: value for name, value in reply.usage.items() if name not in told}


def is_same_answer(one: Reply, other: Reply) -> bool:
    """Random models never say the same twice: what is equal came from the cache."""
    return (one.choice["message"]["content"], one.choice["message"].get("reasoning"), counts(one)) == (
        other.choice["message"]["content"],
        other.choice["message"].get("reasoning"),
        counts(other),
    )


@both_ways
def test_the_same_question_is_answered_from_the_cache(
    router: Demo, answered: Answered, way: dict[str, Any]
) -> None:
    first = router.ask_and_store(GUIDE, **way)
    before = answered()
    second = router.ask(GUIDE, **way)
    assert (first.cache, second.cache) == ("miss", "hit-exact")
    assert int(second.headers["age"]) >= 0
    assert first.choice["finish_reason"] == "stop"
    assert first.content
    assert is_same_answer(first, second)
    assert answered() == before


@both_ways
def test_a_rephrased_question_is_answered_from_the_cache(
    router: Demo, answered: Answered, way: dict[str, Any]
) -> None:
    first = router.ask_and_store(GUIDE, **way)
    before = answered()
    second = router.ask(REPHRASED, **way)
    assert second.cache == "hit-semantic"
    assert is_same_answer(first, second)
    assert answered() == before


@both_ways
def test_the_opposite_question_reaches_a_pool(router: Demo, way: dict[str, Any]) -> None:
    """Its similarity is above most thresholds; the guard for negation must see it."""
    first = router.ask_and_store(GUIDE, **way)
    second = router.ask(OPPOSITE, **way)
    assert second.cache == "miss"
    assert not is_same_answer(first, second)


@both_ways
@pytest.mark.parametrize(
    ("messages", "more"),
    [
        ([{"role": "system", "content": "You are a pirate."}, QUESTION], {}),
        ([QUESTION], {}),
        (
            [
                SYSTEM,
                {"role": "user", "content": "Only in Norway."},
                {"role": "assistant", "content": "Yes."},
                QUESTION,
            ],
            {},
        ),
        (GUIDE, {"tools": [WEATHER], "tool_choice": "none"}),
        (GUIDE, {"temperature": 0.9}),
    ],
    ids=["other system prompt", "no system prompt", "earlier turn", "tools", "temperature"],
)
def test_another_context_reaches_a_pool(
    router: Demo, way: dict[str, Any], messages: list[dict[str, str]], more: dict[str, Any]
) -> None:
    first = router.ask_and_store(GUIDE, **way)
    second = router.ask(messages, **way, **more)
    assert second.cache == "miss"
    assert not is_same_answer(first, second)


@both_ways
def test_another_authorization_reaches_a_pool(router: Demo, way: dict[str, Any]) -> None:
    first = router.ask_and_store(GUIDE, **way)
    second = router.as_another().ask(GUIDE, **way)
    assert second.cache == "miss"
    assert not is_same_answer(first, second)


@pytest.mark.parametrize(
    ("stored", "asked"), [(STREAMED, PLAIN), (PLAIN, STREAMED)], ids=["streamed as json", "json streamed"]
)
@pytest.mark.parametrize("model", ["small", "large"])
def test_an_answer_is_replayed_either_way(
    router: Demo, model: str, stored: dict[str, Any], asked: dict[str, Any]
) -> None:
    """Content, reasoning and usage stay: spaces, line breaks and emoji of a real answer included."""
    first = router.ask_and_store(GUIDE, model=model, **stored)
    second = router.ask(GUIDE, model=model, **asked)
    assert second.cache == "hit-exact"
    assert is_same_answer(first, second)
    assert bool(first.choice["message"].get("reasoning")) == (model == "large")


@both_ways
@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Compute the integral of x^2 * exp(x) and prove that it converges.", ("large", "exact-sciences")),
        ("Hello there, how are you today?", ("small", "small-talk")),
    ],
    ids=["maths", "small talk"],
)
def test_meaning_picks_the_pool(
    router: Demo, answered: Answered, way: dict[str, Any], prompt: str, expected: tuple[str, str]
) -> None:
    """The servers themselves count it; a client's own x-router-cluster changes nothing."""
    pool, decision = expected
    before = answered()
    other = "small" if pool == "large" else "large"
    reply = router.ask(prompt, headers={"x-router-cluster": other, "x-router-model": other}, **way)
    assert reply.headers["x-router-model"] == pool
    assert reply.headers["x-router-decision"] == decision
    assert reply.answer["model"] == pool
    after = answered()
    assert {name: after[name] - before[name] for name in after} == {pool: 1, other: 0}


@both_ways
def test_an_answer_cut_at_its_length_is_not_stored(router: Demo, way: dict[str, Any]) -> None:
    first = router.ask(GUIDE, max_tokens=2, min_tokens=2, **way)
    assert first.choice["finish_reason"] == "length"
    assert router.ask(GUIDE, max_tokens=2, min_tokens=2, **way).cache == "miss"


def test_a_tool_call_reaches_the_client_and_is_not_stored(router: Demo) -> None:
    members: dict[str, Any] = {"model": "large", "tools": [WEATHER], "tool_choice": "required"}
    first = router.ask(GUIDE, **members)
    call = first.choice["message"]["tool_calls"][0]["function"]
    assert call["name"] == "get_weather"
    assert router.ask(GUIDE, **members).cache == "miss"


def test_an_error_of_the_pool_passes_and_is_not_stored(router: Demo) -> None:
    members: dict[str, Any] = {"max_tokens": 1_000_000}
    first = router.ask(GUIDE, **members)
    assert (first.status, first.answer["error"]["param"]) == (400, "max_tokens")
    assert router.ask(GUIDE, **members).cache == "miss"
