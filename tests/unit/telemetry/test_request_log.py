"""One line a request where asked, joined to its answer's, and nothing that a client or a pool wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.decision import CacheOutcome, Explanation, Forward, Replay, StageNote
from router_extproc.pipeline.request_ids import ExchangeStart, RequestIds
from router_extproc.routing.route import Route
from router_extproc.routing.selection.base import Candidate, Choice
from router_extproc.telemetry.logging import REFUSED_KEYS
from router_extproc.telemetry.request_log import (
    BROKEN,
    Requests,
    answer_facts,
    decision_facts,
    is_sampled,
    open_request_log,
)
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.reports import TOKEN, answered, decided, stage
from router_extproc.testing.router import SMALL, Reports, fake_router

ID = "8f3b0c8e-5f0c-9d3a-a7cb-3a1c9d1b7a55"
TRACE_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = "sk-live-0123456789"
PROMPT = "What is the capital of Atlantis?"
ANSWER = answered()
ROUTE = Route("default", SMALL, changes=None)

Lines = list[dict[str, Any]]


def logged(reports: Reports, requests: Requests, *, sample_rate: float = 0.5) -> Lines:
    """The lines of these reports."""
    with capture_logs() as lines:
        for log in open_request_log(requests, sample_rate=sample_rate):
            for decision in reports.decisions:
                log.decided(decision)
            for answer in reports.answers:
                log.answered(answer)
    return [dict(line) for line in lines]


async def served(*bodies: object, **headers: str) -> Reports:
    """The reports of these requests, all answered."""
    client = Client(fake_router())
    for body in bodies:
        await client.ask(body, x_request_id=ID, traceparent=TRACE_PARENT, **headers)
    return client.router.reports


async def test_nothing_is_logged_unless_asked() -> None:
    assert logged(await served(chat()), "none") == []
    assert open_request_log("none", sample_rate=0.5) == ()


async def test_a_forwarded_request_has_two_lines_with_one_id() -> None:
    decided, answered = logged(await served(chat(PROMPT)), "all")
    assert (decided["event"], answered["event"]) == ("request decided", "request answered")
    assert decided["request_id"] == answered["request_id"] == ID
    assert decided["trace_id"] == answered["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert decided["span_id"] == answered["span_id"] == "00f067aa0ba902b7"


async def test_the_first_line_says_what_was_decided_and_why() -> None:
    line = logged(await served(chat(PROMPT)), "all")[0]
    expected = {
        "dialect": "openai_chat",
        "outcome": "forward",
        "decision": "default",
        "model": "small",
        "cluster": "vllm_small",
        "cache": "miss",
        "cache_reason": "absent",
        "stages_ms": {"signals": 0.0, "cache": 0.0},
        "body_bytes": len(json.dumps(chat(PROMPT))),
    }
    assert expected.items() <= line.items()


async def test_the_second_line_says_how_it_was_answered() -> None:
    line = logged(await served(chat(PROMPT)), "all")[1]
    expected = {
        "status": 200,
        "streamed": False,
        "stored": "stored",
        "duration_ms": 0.0,
        "ttft_ms": 0.0,
        "prompt_tokens": 4,
        "completion_tokens": 3,
    }
    assert expected.items() <= line.items()


async def test_a_hit_is_one_line_that_names_who_answered_first() -> None:
    decided = logged(await served(chat(PROMPT), chat(PROMPT)), "all")[1]
    assert (decided["outcome"], decided["cache"], decided["model"]) == ("replay", "hit-exact", "small")
    assert "cluster" not in decided


async def test_a_semantic_hit_says_how_similar_it_was() -> None:
    """The fake encoder takes words in another order for the same."""
    reports = await served(chat("the cat saw the dog"), chat("the dog saw the cat"))
    assert logged(reports, "all")[1]["similarity"] == pytest.approx(1.0)


async def test_a_rejected_request_says_its_code() -> None:
    client = Client(fake_router())
    await client.send(b"{", x_request_id=ID)
    (line,) = logged(client.router.reports, "all")
    assert (line["outcome"], line["status"], line["code"]) == ("reject", 400, "invalid_request")
    assert line["request_id"] == ID


async def test_no_line_holds_what_client_or_pool_wrote() -> None:
    """Prompt, answer, credentials, and ids that are none."""
    client = Client(fake_router())
    headers = {"authorization": f"Bearer {SECRET}", "x_request_id": f"{SECRET} x", "traceparent": SECRET}
    sent = await client.send(chat(PROMPT, user=SECRET), **headers)
    client.answer(sent, answer_json(f"It is {SECRET}."), x_secret=SECRET)
    await client.send(f'{{"model": "{SECRET}"'.encode(), **headers)
    text = json.dumps(logged(client.router.reports, "all"))
    assert SECRET not in text
    assert "Atlantis" not in text


async def test_no_fact_has_a_key_that_the_logger_refuses() -> None:
    lines = logged(await served(chat(PROMPT), chat(PROMPT)), "all")
    assert not {key for line in lines for key in line} & REFUSED_KEYS


# ── sampled ───────────────────────────────────────────────────────────────────────────────────


def test_a_sampled_request_has_both_lines_or_none() -> None:
    """Another worker may write the second: it has only the id to draw by."""
    several = [RequestIds(f"id-{number}") for number in range(200)]
    starts = [ExchangeStart(1.0, ids) for ids in several]
    reports = Reports(
        [decided(_forward(), exchange=start) for start in starts],
        [answered(exchange=start) for start in starts],
    )
    lines = logged(reports, "sampled", sample_rate=0.2)
    counts = {line["request_id"]: 0 for line in lines}
    for line in lines:
        counts[line["request_id"]] += 1
    assert set(counts.values()) == {2}
    assert 20 <= len(counts) <= 60


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.9])
def test_the_share_of_sampled_requests_is_the_rate(rate: float) -> None:
    drawn = sum(is_sampled(RequestIds(f"{number:08x}"), rate) for number in range(20_000))
    assert drawn / 20_000 == pytest.approx(rate, abs=0.015)


def test_at_rate_one_a_request_without_an_id_is_logged_and_below_it_is_not() -> None:
    assert is_sampled(RequestIds(), 1.0)
    assert not is_sampled(RequestIds(), 0.999)


def test_without_a_request_id_the_trace_draws() -> None:
    drawn = {is_sampled(RequestIds("", f"{number:032x}"), 0.5) for number in range(1, 50)}
    assert drawn == {True, False}


# ── errors ────────────────────────────────────────────────────────────────────────────────────


async def test_of_what_went_well_errors_says_nothing() -> None:
    assert logged(await served(chat(PROMPT), chat(PROMPT)), "errors") == []


async def test_errors_says_what_was_rejected() -> None:
    client = Client(fake_router())
    await client.send(b"{")
    assert [line["outcome"] for line in logged(client.router.reports, "errors")] == ["reject"]


@pytest.mark.parametrize("outcome", ["timeout", "error"])
def test_errors_says_which_stage_failed(outcome: str) -> None:
    notes = (stage("signals", 0.1, "ok"), stage("cache", 0.2, outcome, "search"))
    (line,) = logged(Reports([decided(_forward(*notes))]), "errors")
    assert line["stages_failed"] == {"cache": f"{outcome}: search"}
    assert line["stages_ms"] == {"signals": 100.0, "cache": 200.0}


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_errors_says_which_answers_are_errors(status: int) -> None:
    (line,) = logged(Reports(answers=[replace(ANSWER, status=status)]), "errors")
    assert line["status"] == status


@pytest.mark.parametrize("why", sorted(BROKEN))
def test_errors_says_which_answers_broke_off(why: str) -> None:
    (line,) = logged(Reports(answers=[replace(ANSWER, stored="not-asked", incomplete=why)]), "errors")
    assert line["incomplete"] == why


async def test_an_answer_that_broke_off_is_an_error_however_the_cache_is_set() -> None:
    client = Client(fake_router(cached=False))
    sent = await client.send(chat(PROMPT))
    client.answer(sent, answer_json()[:20], end=False)
    (line,) = logged(client.router.reports, "errors")
    assert (line["incomplete"], line["status"]) == ("aborted", 200)


def _forward(*notes: StageNote) -> Forward:
    """A decision with these stages."""
    explanation = Explanation("openai_chat", None, (), "miss", "absent", stages=notes)
    return Forward(ROUTE, None, CacheOutcome("miss", "router-extproc; fwd=uri-miss"), TOKEN, explanation)


def test_a_line_says_how_an_answer_went() -> None:
    stream = replace(ANSWER, streamed=True, ttft_s=0.5, duration_s=2.5, finish_reason="tool_calls")
    line = answer_facts(replace(stream, usage=Usage(4, 11, reasoning_tokens=3)))
    assert (line["finish_reason"], line["time_per_token_ms"], line["reasoning_tokens"]) == (
        "tool_calls",
        200.0,
        3,
    )


def test_what_is_unknown_has_no_key() -> None:
    unknown = {
        "request_id", "trace_id", "ttft_ms", "prompt_tokens", "incomplete", "finish_reason",
        "time_per_token_ms",
    }  # fmt: skip
    assert not unknown & answer_facts(ANSWER).keys()
    assert "request_id" not in decision_facts(decided(_forward()))


def test_a_line_says_what_an_api_had_no_place_for() -> None:
    forward = _forward()
    left = replace(forward, explanation=replace(forward.explanation, not_made=("reasoning",)))
    assert decision_facts(decided(left))["not_made"] == ["reasoning"]
    assert "not_made" not in decision_facts(decided(forward))


def test_a_line_says_by_which_numbers_a_model_was_chosen() -> None:
    choice = Choice(Candidate(SMALL), "the cheapest", {"small": {"quality": 0.912345, "cost": 0.0}})
    forward = _forward()
    compared = replace(forward.explanation, route=replace(ROUTE, choice=choice))
    facts = decision_facts(decided(replace(forward, explanation=compared)))
    assert (facts["chosen"], facts["compared"]) == (
        "the cheapest",
        {"small": {"quality": 0.9123, "cost": 0.0}},
    )
    assert "chosen" not in decision_facts(decided(forward))


def test_an_answer_tells_its_cost_what_it_saved_and_its_session() -> None:
    compared = Compared("large", own=0.00012345678, expected=0.001, low=0.0005, high=0.002)
    facts = answer_facts(replace(ANSWER, compared=compared, session="ab" * 32))
    assert (facts["cost"], facts["saved"]) == (0.000123457, 0.000876543)
    assert facts["session"] == "ab" * 8
    assert not {"cost", "saved", "session"} & answer_facts(ANSWER).keys()


async def test_a_hit_tells_what_it_saved() -> None:
    """All that the baseline would have cost: nobody was asked."""
    (miss, hit) = (await served(chat(PROMPT), chat(PROMPT))).decisions
    assert "saved" not in decision_facts(miss)
    assert isinstance(hit.decision, Replay)
    compared = Compared("large", own=0.1, expected=0.4, low=0.2, high=0.8)
    assert decision_facts(replace(hit, decision=replace(hit.decision, compared=compared)))["saved"] == 0.4
    assert "saved" not in decision_facts(replace(hit, decision=replace(hit.decision, compared=None)))
