"""How long the pool's own words let an answer be reused."""

from __future__ import annotations

import pytest

from router_extproc.cache.admission import NoStore, Received, Store, may_store
from router_extproc.cache.decision_policy import StoreRules
from router_extproc.cache.pool_freshness import forbids_reuse, fresh_s
from router_extproc.llm.answer import AnswerFacts, Choice

#: Sun, 06 Nov 1994 08:49:37 GMT.
NOW_S = 784111777.0
NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
IN_A_MINUTE = "Sun, 06 Nov 1994 08:50:37 GMT"
A_MINUTE_AGO = "Sun, 06 Nov 1994 08:48:37 GMT"


@pytest.mark.parametrize(
    ("headers", "left_s"),
    [
        ({}, None),
        ({"cache-control": "public, must-revalidate"}, None),
        ({"date": A_MINUTE_AGO, "age": "60"}, None),
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": 'Max-Age="60"'}, 60),
        ({"cache-control": "max-age=60, s-maxage=5"}, 5),
        ({"cache-control": "max-age=5, s-maxage=60"}, 60),
        ({"cache-control": "max-age=60, max-age=7"}, 7),
        ({"cache-control": "max-age=0"}, 0),
        ({"cache-control": "max-age"}, 0),
        ({"cache-control": "max-age=-5"}, 0),
        ({"cache-control": "max-age=1.5"}, 0),
        ({"cache-control": "max-age=soon", "expires": IN_A_MINUTE}, 0),
        ({"cache-control": "max-age=" + "9" * 40}, 2**31),
        ({"cache-control": "max-age=60", "age": "45"}, 15),
        ({"cache-control": "max-age=60", "age": "90"}, -30),
        ({"cache-control": "max-age=60", "age": "old"}, 60),
        ({"cache-control": "max-age=60", "age": "45, 5"}, 15),
        ({"cache-control": "max-age=60", "date": A_MINUTE_AGO}, 0),
        ({"cache-control": "max-age=90", "date": A_MINUTE_AGO, "age": "80"}, 10),
        ({"cache-control": "max-age=60", "date": IN_A_MINUTE}, 60),
        ({"cache-control": "max-age=60", "date": "yesterday"}, 60),
        ({"expires": IN_A_MINUTE}, 60),
        ({"expires": IN_A_MINUTE, "date": NOW}, 60),
        ({"expires": IN_A_MINUTE, "date": A_MINUTE_AGO}, 60),
        ({"expires": IN_A_MINUTE, "cache-control": "max-age=5"}, 5),
        ({"expires": "Sunday, 06-Nov-94 08:50:37 GMT"}, 60),
        ({"expires": "Sun Nov  6 08:50:37 1994"}, 60),
        ({"expires": "0"}, 0),
        ({"expires": ""}, 0),
        ({"expires": "Sun, 31 Feb 1994 08:50:37 GMT"}, 0),
        ({"expires": "Sun, 06 Nov 1994 08:50:37 +0200"}, 0),
        ({"expires": "-1"}, 0),
        ({"expires": f"{IN_A_MINUTE}, {IN_A_MINUTE}"}, 0),
        ({"expires": "x" * 100_000}, 0),
        ({"expires": A_MINUTE_AGO}, -60),
    ],
)
def test_lifetime_is_read_as_the_rfc_says(headers: dict[str, str], left_s: float | None) -> None:
    assert fresh_s(headers, now_s=NOW_S, asked_s=NOW_S) == left_s


def test_answer_ages_while_it_is_generated() -> None:
    headers = {"cache-control": "max-age=60", "age": "10"}
    assert fresh_s(headers, now_s=NOW_S, asked_s=NOW_S - 20) == 30


def test_clock_that_went_back_makes_nothing_fresher() -> None:
    assert fresh_s({"cache-control": "max-age=60"}, now_s=NOW_S, asked_s=NOW_S + 500) == 60


@pytest.mark.parametrize(
    "value", ["no-store", "private", "No-Cache", 'no-cache="x-a"', "max-age=60, no-cache"]
)
def test_strictest_directive_is_honoured(value: str) -> None:
    assert forbids_reuse({"cache-control": value})


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, Store(NOW_S + 60)),
        ({"cache-control": "max-age=10"}, Store(NOW_S + 10)),
        ({"cache-control": "max-age=3600"}, Store(NOW_S + 60)),
        ({"expires": "0"}, NoStore("stale")),
        ({"cache-control": "no-cache"}, NoStore("response-directive")),
    ],
)
def test_pool_shortens_the_configured_time_and_never_extends_it(
    headers: dict[str, str], outcome: Store | NoStore
) -> None:
    facts = AnswerFacts("id", "small", (Choice("Wind.", "stop"),))
    received = Received(200, headers, facts, 10, NOW_S)
    rules = StoreRules(ttl_s=60.0, store_tool_calls=False)
    assert may_store(received, rules, now_s=NOW_S, answer_bytes_max=100) == outcome
