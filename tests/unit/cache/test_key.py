"""Keys: nothing that changes an answer's meaning is left out, and no two requests share one by a trick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache import key
from router_extproc.cache.base import Scope
from router_extproc.cache.digest import digest
from router_extproc.cache.ignore import IgnoreRule
from router_extproc.cache.key import Delivery, context_digest
from router_extproc.llm.request import ContextField, InferenceRequest

SCOPE = Scope("a" * 64)
REQUEST = InferenceRequest(
    dialect="openai_chat",
    model="auto",
    prompt="What are the main renewable energy sources?",
    system="Be brief.",
    history=(),
    context=(ContextField("messages", b"[]"), ContextField("temperature", b"0.7")),
    stream=False,
    stream_usage=False,
    prompt_is_last=True,
)

OTHER_REQUESTS = {
    "dialect": replace(REQUEST, dialect="other"),
    "model": replace(REQUEST, model="small"),
    "context value": replace(REQUEST, context=(ContextField("messages", b"[1]"), REQUEST.context[1])),
    "context name": replace(REQUEST, context=(ContextField("tools", b"[]"), REQUEST.context[1])),
    "context order": replace(REQUEST, context=REQUEST.context[::-1]),
    "one field less": replace(REQUEST, context=REQUEST.context[:1]),
    "prompt inside the conversation": replace(REQUEST, prompt_is_last=False),
}


def fingerprint(
    scope: Scope, request: InferenceRequest, *, routing_facts: Sequence[tuple[str, str]] = ()
) -> str:
    return key.fingerprint(scope, context_digest(request), request.prompt, routing_facts=routing_facts)


def partition(scope: Scope, request: InferenceRequest, *, decision: str, encoder: str) -> str:
    return key.partition(scope, context_digest(request), decision=decision, answerer="a", encoder=encoder)


def partition_of(request: InferenceRequest, **changes: str) -> str:
    return partition(SCOPE, request, **{"decision": "default", "encoder": "minilm", **changes})


@pytest.mark.parametrize("other", OTHER_REQUESTS.values(), ids=OTHER_REQUESTS)
def test_every_part_of_the_context_splits_both_keys(other: InferenceRequest) -> None:
    assert fingerprint(SCOPE, other) != fingerprint(SCOPE, REQUEST)
    assert partition_of(other) != partition_of(REQUEST)


def test_prompt_splits_the_fingerprint_and_not_the_partition() -> None:
    other = replace(REQUEST, prompt="Another question")
    assert fingerprint(SCOPE, other) != fingerprint(SCOPE, REQUEST)
    assert partition_of(other) == partition_of(REQUEST)


def test_streamed_or_not_is_no_part_of_either_key() -> None:
    """An answer is stored once and rendered either way."""
    streamed = replace(REQUEST, stream=True, stream_usage=True)
    assert fingerprint(SCOPE, streamed) == fingerprint(SCOPE, REQUEST)
    assert partition_of(streamed) == partition_of(REQUEST)


def test_scope_splits_both_keys() -> None:
    other = Scope("b" * 64)
    assert fingerprint(other, REQUEST) != fingerprint(SCOPE, REQUEST)
    assert partition(other, REQUEST, decision="d", encoder="e") != partition(
        SCOPE, REQUEST, decision="d", encoder="e"
    )


@pytest.mark.parametrize("change", [{"decision": "maths"}, {"encoder": "other"}])
def test_decision_and_encoder_split_the_partition(change: dict[str, str]) -> None:
    assert partition_of(REQUEST, **change) != partition_of(REQUEST)


def test_who_answers_splits_the_partition() -> None:
    """After an upgrade of a model its old answers are not found."""
    context = context_digest(REQUEST)
    one, other = (
        key.partition(SCOPE, context, decision="d", answerer=answerer, encoder="e")
        for answerer in ("v1", "v2")
    )
    assert one != other


DELIVERIES = {
    "none": Delivery(),
    "query": Delivery("tenant=a"),
    "another query": Delivery("tenant=b"),
    "header": Delivery(headers=(("x-tenant", "=a"),)),
    "another value": Delivery(headers=(("x-tenant", "=b"),)),
    "absent": Delivery(headers=(("x-tenant", ""),)),
    "empty": Delivery(headers=(("x-tenant", "="),)),
    "query that looks like a header": Delivery("x-tenant=a"),
}


def test_what_reaches_the_pool_beside_the_body_splits_every_key() -> None:
    assert len({context_digest(REQUEST, each) for each in DELIVERIES.values()}) == len(DELIVERIES)


def test_system_prompts_split_every_key() -> None:
    texts: list[tuple[str, ...]] = [(), ("",), ("a",), ("a", ""), ("a\nb",), ("a", "b"), ("ab",)]
    assert len({context_digest(replace(REQUEST, system_texts=each)) for each in texts}) == len(texts)


def test_what_is_left_out_of_a_system_prompt_splits_no_key() -> None:
    rule = IgnoreRule(("at \\d{2}:\\d{2}",))
    one, other = (replace(REQUEST, system_texts=(f"Be brief at {time}.",)) for time in ("10:00", "10:01"))
    assert context_digest(one, ignore=rule) == context_digest(other, ignore=rule)
    assert context_digest(one) != context_digest(other)
    assert context_digest(one, ignore=rule) != context_digest(one)


def test_decision_and_encoder_cannot_run_into_each_other() -> None:
    assert partition_of(REQUEST, decision="ab", encoder="c") != partition_of(
        REQUEST, decision="a", encoder="bc"
    )


def test_routing_facts_split_the_fingerprint() -> None:
    """Header signals decide without inference; a fingerprint that ignored them would mix decisions."""
    plain = fingerprint(SCOPE, REQUEST)
    gold = fingerprint(SCOPE, REQUEST, routing_facts=[("x-tier", "gold")])
    assert len({plain, gold, fingerprint(SCOPE, REQUEST, routing_facts=[("x-tier", "")])}) == 3


def test_prompt_cannot_pose_as_a_routing_fact() -> None:
    one = fingerprint(SCOPE, replace(REQUEST, prompt="q"), routing_facts=[("x-tier", "gold")])
    other = fingerprint(SCOPE, replace(REQUEST, prompt="x-tier"), routing_facts=[("gold", "q")])
    assert one != other


def test_lone_surrogates_have_keys_of_their_own() -> None:
    keys = {fingerprint(SCOPE, replace(REQUEST, prompt=text)) for text in ("\ud800", "\ud801", "?")}
    assert len(keys) == 3


FIELDS = st.lists(st.binary(max_size=12), max_size=6)


@given(FIELDS, FIELDS)
def test_different_field_lists_never_share_a_digest(one: list[bytes], other: list[bytes]) -> None:
    assert (digest(b"p", one) == digest(b"p", other)) == (one == other)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=5), st.integers(min_value=1, max_value=4))
def test_moving_a_border_between_fields_changes_the_digest(fields: list[bytes], cut: int) -> None:
    joined = fields[0] + fields[1]
    moved = [joined[: len(fields[0]) + cut], joined[len(fields[0]) + cut :], *fields[2:]]
    assert (digest(b"p", fields) == digest(b"p", moved)) == (fields == moved)


def test_purposes_never_meet() -> None:
    assert digest(b"one", [b"x"]) != digest(b"two", [b"x"])


REQUESTS = st.builds(
    replace,
    st.just(REQUEST),
    context=st.lists(
        st.builds(ContextField, st.sampled_from(["messages", "tools", "a"]), st.binary(max_size=4)),
        max_size=3,
    ).map(tuple),
    prompt=st.text(max_size=4),
    model=st.text(max_size=4),
)


@given(REQUESTS, REQUESTS)
def test_fingerprints_are_equal_only_for_equal_requests(
    one: InferenceRequest, other: InferenceRequest
) -> None:
    assert (fingerprint(SCOPE, one) == fingerprint(SCOPE, other)) == (one == other)
