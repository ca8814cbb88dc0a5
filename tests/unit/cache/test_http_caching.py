"""The cache's rules: directives of a request, freshness, storing, and what the client is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache.admission import NoStore, Received, Store, may_store
from router_extproc.cache.decision_policy import StoreRules
from router_extproc.cache.freshness import Freshness, age_s, is_fresh, ttl_left_s
from router_extproc.cache.http_caching import (
    DELTA_SECONDS_MAX,
    Directives,
    read_directives,
    render_forward,
    render_hit,
)
from router_extproc.llm.answer import AnswerFacts, Choice, Incomplete, ToolCall
from router_extproc.testing.check_cache_backend import made_entry

NOW_S = 1000.0
ENTRY = made_entry("entry", now_s=NOW_S)  # lives 60 s
RULES = StoreRules(ttl_s=60.0, store_tool_calls=False)
ANSWER = AnswerFacts("id", "small", (Choice("Wind and sun.", "stop"),))
CALL = replace(ANSWER, choices=(Choice("", "tool_calls", (ToolCall("f", "{}"),)),))
RECEIVED = Received(200, {"content-type": "application/json"}, ANSWER, answer_bytes=10, asked_s=NOW_S)


# ── directives ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "directives"),
    [
        ([], Directives()),
        ([""], Directives()),
        (["no-cache"], Directives(no_cache=True)),
        (["NO-STORE"], Directives(no_store=True)),
        (["only-if-cached"], Directives(only_if_cached=True)),
        (["max-age=60"], Directives(freshness=Freshness(60))),
        (['max-age="60"'], Directives(freshness=Freshness(60))),
        (["max-age=0"], Directives(freshness=Freshness(0))),
        (
            ["no-cache, no-store , max-age=5"],
            Directives(no_cache=True, no_store=True, freshness=Freshness(5)),
        ),
        (["no-cache", "max-age=5"], Directives(no_cache=True, freshness=Freshness(5))),
        (['ext="no-cache, no-store", max-age=7'], Directives(freshness=Freshness(7))),
        (["min-fresh=60"], Directives(freshness=Freshness(min_fresh_s=60))),
        (["min-fresh=6, min-fresh=9"], Directives(freshness=Freshness(min_fresh_s=9))),
        (["min-fresh"], Directives(freshness=Freshness(min_fresh_s=DELTA_SECONDS_MAX))),
        (["max-stale=60, max-stale, no-transform"], Directives()),
        (['ext="a\\"b, no-store"'], Directives()),
        (["no-cached, xno-store, max-age-ish=3"], Directives()),
        ([",,;=,\x00, no-store"], Directives(no_store=True)),
    ],
)
def test_directives_are_read(values: list[str], directives: Directives) -> None:
    assert read_directives(values) == directives


@pytest.mark.parametrize("age", ["", "x", "-1", "1.5", "٣", "1e3", " 5"])
def test_unreadable_max_age_is_the_strictest(age: str) -> None:
    """The client meant to limit the age: passing over its words would give it a stale answer."""
    assert read_directives([f"max-age={age}"]).freshness.max_age_s == 0


def test_smallest_of_several_ages_counts() -> None:
    assert read_directives(["max-age=9", "max-age=3, max-age=5"]).freshness.max_age_s == 3


def test_huge_age_is_capped() -> None:
    assert read_directives(["max-age=" + "9" * 300]).freshness.max_age_s == DELTA_SECONDS_MAX


@given(st.lists(st.text(), max_size=3))
def test_no_header_value_breaks_the_reading(values: list[str]) -> None:
    assert isinstance(read_directives(values), Directives)


# ── freshness ─────────────────────────────────────────────────────────────────────────────────


def test_age_counts_whole_seconds() -> None:
    assert age_s(ENTRY, NOW_S + 5.9) == 5


def test_age_is_never_negative() -> None:
    """The clock may have gone back since the entry was stored."""
    assert age_s(ENTRY, NOW_S - 100) == 0


def test_ttl_left_counts_down_to_zero() -> None:
    assert [ttl_left_s(ENTRY, NOW_S + after) for after in (0, 59.5, 60, 99)] == [60, 0, 0, 0]


@pytest.mark.parametrize(("after_s", "fresh"), [(0, True), (59.9, True), (60, False), (61, False)])
def test_entry_is_fresh_until_its_expiry(after_s: float, *, fresh: bool) -> None:
    assert is_fresh(ENTRY, NOW_S + after_s) is fresh


@pytest.mark.parametrize(
    ("max_age_s", "fresh"), [(None, True), (11, True), (10, True), (9, False), (0, False)]
)
def test_max_age_limits_what_may_be_used(max_age_s: int | None, *, fresh: bool) -> None:
    assert is_fresh(ENTRY, NOW_S + 10.5, Freshness(max_age_s)) is fresh


@pytest.mark.parametrize(("min_fresh_s", "fresh"), [(0, True), (9, True), (10, True), (11, False)])
def test_min_fresh_limits_what_may_be_used(min_fresh_s: int, *, fresh: bool) -> None:
    now_s = ENTRY.expires_s - 10
    assert is_fresh(ENTRY, now_s, Freshness(min_fresh_s=min_fresh_s)) is fresh


# ── storing ───────────────────────────────────────────────────────────────────────────────────


def storing(received: Received, rules: StoreRules = RULES) -> Store | NoStore:
    return may_store(received, rules, now_s=NOW_S, answer_bytes_max=100)


def test_complete_answer_is_stored_for_its_ttl() -> None:
    assert storing(RECEIVED) == Store(expires_s=NOW_S + 60)


def with_headers(**headers: str) -> Received:
    return replace(RECEIVED, headers={name.replace("_", "-"): value for name, value in headers.items()})


def with_finish(reason: str) -> Received:
    return replace(RECEIVED, answer=replace(ANSWER, choices=(Choice("cut", reason),)))


@pytest.mark.parametrize(
    ("received", "reason"),
    [
        (replace(RECEIVED, status=199), "status"),
        (replace(RECEIVED, status=300), "status"),
        (replace(RECEIVED, status=500), "status"),
        (with_headers(set_cookie="a=b"), "set-cookie"),
        (with_headers(cache_control="no-cache"), "response-directive"),
        (with_headers(cache_control="max-age=0, must-revalidate"), "stale"),
        (with_headers(cache_control="max-age=5, No-Store"), "response-directive"),
        (with_headers(cache_control="private"), "response-directive"),
        (with_headers(cache_control='private="x"'), "response-directive"),
        (replace(RECEIVED, answer=Incomplete("aborted")), "aborted"),
        (replace(RECEIVED, answer=replace(ANSWER, choices=())), "empty"),
        (replace(RECEIVED, answer=CALL), "tool-calls"),
        (with_finish("length"), "finish-reason"),
        (with_finish("content_filter"), "finish-reason"),
        (with_finish("tool_calls"), "finish-reason"),
        (with_finish("function_call"), "finish-reason"),
        (replace(RECEIVED, answer_bytes=101), "too-large"),
    ],
)
def test_unfit_answer_is_not_stored(received: Received, reason: str) -> None:
    assert storing(received) == NoStore(reason)


def test_one_unfinished_choice_spoils_the_answer() -> None:
    choices = (*ANSWER.choices, Choice("cut", "length"))
    assert storing(replace(RECEIVED, answer=replace(ANSWER, choices=choices))) == NoStore("finish-reason")


@pytest.mark.parametrize(
    "received",
    [
        replace(RECEIVED, status=299),
        with_headers(cache_control="must-revalidate, public"),
        replace(RECEIVED, answer_bytes=100),
    ],
)
def test_harmless_circumstances_do_not_hinder(received: Received) -> None:
    assert isinstance(storing(received), Store)


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
def test_tool_calls_are_stored_if_configured(finish: str) -> None:
    answer = replace(CALL, choices=(replace(CALL.choices[0], finish_reason=finish),))
    rules = replace(RULES, store_tool_calls=True)
    assert isinstance(storing(replace(RECEIVED, answer=answer), rules), Store)


def test_cut_tool_call_is_never_stored() -> None:
    answer = replace(CALL, choices=(replace(CALL.choices[0], finish_reason="length"),))
    rules = replace(RULES, store_tool_calls=True)
    assert storing(replace(RECEIVED, answer=answer), rules) == NoStore("finish-reason")


# ── what the client is told ───────────────────────────────────────────────────────────────────


def test_exact_hit_says_its_ttl() -> None:
    assert render_hit(kind="exact", similarity=1.0, ttl_s=59) == 'router-extproc; hit; ttl=59; detail="exact"'


def test_semantic_hit_says_its_similarity() -> None:
    told = render_hit(kind="semantic", similarity=0.93456, ttl_s=0)
    assert told == 'router-extproc; hit; ttl=0; detail="semantic similarity=0.935"'


def test_forwarded_request_says_why() -> None:
    assert render_forward("uri-miss") == "router-extproc; fwd=uri-miss"
    assert (
        render_forward("request", similarity=0.5) == 'router-extproc; fwd=request; detail="similarity=0.500"'
    )
