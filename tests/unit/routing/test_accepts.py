"""A request goes to a model that accepts what it has, whatever the selection would have taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.llm.request import Contents
from router_extproc.routing.accepts import NO_DEMANDS, Demands, able
from router_extproc.routing.actions import OverLong, Unaccepted
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.fallback import Fallbacks
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import LocalReply, Route
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.traffic import TrafficSnapshot

TEXT = Target("text", "pool_text", "t", None, frozenset(["text"]), 1000)
EYES = Target("eyes", "pool_eyes", "e", None, frozenset(["text", "image"]), 4000)
TOOLS = Target("tools", "pool_tools", "u", None, frozenset(["text", "tools", "json"]), 8000)
ANY = Target("any", "pool_any", "a", None)
COUNTED = Target("counted", "pool_counted", "c", None, None, 1000, "t.json")
JSON_MODE = Target("json-mode", "pool_json", "j", None, frozenset(["text", "json_object"]))

IMAGE = Demands.of(Contents(images=1))
CALLS = Demands.of(Contents(tools_offered=3))
BOTH = Demands.of(Contents(images=1, tools_offered=1))


def names(targets: tuple[Target, ...], demands: Demands) -> list[str]:
    return [each.target.model for each in able([Candidate(target) for target in targets], demands)]


@pytest.mark.parametrize(
    ("targets", "demands", "left"),
    [
        ((TEXT, EYES, TOOLS, ANY), NO_DEMANDS, ["text", "eyes", "tools", "any"]),
        ((TEXT, EYES, TOOLS, ANY), IMAGE, ["eyes", "any"]),
        ((TEXT, EYES, TOOLS, ANY), CALLS, ["tools", "any"]),
        ((TEXT, EYES, TOOLS, ANY), BOTH, ["any"]),
        ((TEXT, EYES, TOOLS), BOTH, []),
        ((TEXT,), Demands.of(Contents(audio=1)), []),
        ((TEXT,), Demands.of(Contents(files=1)), []),
        ((TEXT, TOOLS), Demands.of(Contents(json_asked=True)), ["tools"]),
        ((TEXT, EYES, TOOLS), Demands(tokens=1000), ["text", "eyes", "tools"]),
        ((TEXT, EYES, TOOLS), Demands(tokens=1001), ["eyes", "tools"]),
        ((TEXT, EYES, TOOLS), Demands(tokens=9000), ["tools"]),
        ((TEXT, EYES, TOOLS), Demands(tokens=900, answer_tokens=101), ["eyes", "tools"]),
        ((TEXT, EYES, TOOLS), Demands(tokens=17_000), []),
        ((TEXT, EYES, TOOLS), Demands(tokens=1, answer_tokens=8000), []),
        ((TEXT, EYES, ANY), Demands(tokens=17_000), ["any"]),
        ((COUNTED, EYES), Demands(tokens=3000, counted={"t.json": 1001}), ["eyes"]),
        ((COUNTED, EYES), Demands(tokens=3000, counted={"t.json": 999}), ["counted", "eyes"]),
        ((COUNTED,), Demands(tokens=1, counted={"t.json": 1001}), ["counted"]),
        ((COUNTED,), Demands(tokens=1, counted={"t.json": 1200}), []),
        ((JSON_MODE, TOOLS), Demands.of(Contents(json_asked=True)), ["json-mode", "tools"]),
        ((JSON_MODE, TOOLS), Demands.of(Contents(json_asked=True, schema_asked=True)), ["tools"]),
        ((TEXT, EYES), replace(IMAGE, tokens=7900), ["eyes"]),
        ((TEXT, ANY), Demands(tokens=9000), ["any"]),
    ],
)
def test_only_candidates_that_can_answer_are_left(
    targets: tuple[Target, ...], demands: Demands, left: list[str]
) -> None:
    """An estimate may be wrong: what only seems too long for all goes to the one that reads most."""
    assert names(targets, demands) == left


def policy(*targets: Target, default: Target = ANY, fallbacks: Fallbacks | None = None) -> Policy:
    candidates = tuple(map(Candidate, targets))
    decisions = [RoutingDecision("d", 1, ALWAYS, candidates, None, ("tag",))] if targets else []
    return Policy(decisions, default=default, fallbacks=fallbacks or Fallbacks())


def test_the_selection_chooses_among_those_that_accept_the_request() -> None:
    route = policy(TEXT, EYES, ANY).decide({}, demands=IMAGE)
    assert isinstance(route, Route)
    assert route.target == EYES


@pytest.mark.parametrize(
    ("targets", "demands", "message"),
    [
        ((TEXT, TOOLS), IMAGE, "No model for this request accepts image."),
        ((TEXT,), BOTH, "No model for this request accepts image, tools."),
        ((EYES, TOOLS), BOTH, "No model for this request accepts image, tools."),
        ((TEXT, TOOLS), BOTH, "No model for this request accepts image."),
    ],
)
def test_a_request_that_no_candidate_accepts_is_refused_with_what_is_too_much(
    targets: tuple[Target, ...], demands: Demands, message: str
) -> None:
    reply = policy(*targets).decide({}, demands=demands)
    assert isinstance(reply, LocalReply)
    assert isinstance(reply.action, Unaccepted)
    assert (reply.decision, reply.action.message) == ("d", message)
    assert [trace.decision for trace in reply.trace] == ["d"]


@pytest.mark.parametrize(
    ("targets", "demands", "refusal"),
    [
        ((TEXT, TOOLS), Demands(tokens=20_000), OverLong(20_000, 0, 8000)),
        ((TEXT, TOOLS), Demands(tokens=5, answer_tokens=8000), OverLong(5, 8000, 8000)),
        ((COUNTED,), Demands(tokens=5, counted={"t.json": 2000}), OverLong(2000, 0, 1000)),
        ((TEXT, EYES), replace(IMAGE, tokens=20_000), OverLong(20_000, 0, 4000)),
    ],
)
def test_a_request_that_is_surely_too_long_for_all_is_refused_with_the_limit(
    targets: tuple[Target, ...], demands: Demands, refusal: OverLong
) -> None:
    reply = policy(*targets).decide({}, demands=demands)
    assert isinstance(reply, LocalReply)
    assert reply.action == refusal


def test_the_refusal_says_what_was_counted_and_what_is_the_limit() -> None:
    """Clients that shorten conversations know these words."""
    assert OverLong(5, 8000, 4000).message.startswith(
        "prompt is too long: 5 tokens and up to 8000 for the answer > 4000 maximum"
    )
    assert OverLong(9000, 0, 4000).message.startswith("prompt is too long: 9000 tokens > 4000 maximum")


def test_the_default_model_is_asked_for_no_more_than_it_accepts() -> None:
    reply = policy(default=TEXT).decide({}, demands=IMAGE)
    assert isinstance(reply, LocalReply)
    assert (reply.decision, reply.action) == ("default", Unaccepted(frozenset(["image"])))
    assert isinstance(policy(default=TEXT).decide({}, demands=replace(NO_DEMANDS, tokens=9999)), Route)


def test_a_client_that_names_a_model_gets_it() -> None:
    """The pool says itself what it does not accept."""
    assert policy().decide_pinned(TEXT, {}, demands=IMAGE).target == TEXT


def test_a_fallback_that_does_not_accept_the_request_is_passed_over() -> None:
    targets = {target.model: target for target in (TEXT, EYES, ANY)}
    fallbacks = Fallbacks(targets, {"eyes": "text", "text": "any"})
    down = TrafficSnapshot(frozenset(["pool_eyes"]))
    with_both = policy(EYES, fallbacks=fallbacks)
    plain, image = with_both.decide({}, down), with_both.decide({}, down, demands=IMAGE)
    assert isinstance(plain, Route)
    assert isinstance(image, Route)
    assert (plain.fallback, image.fallback) == (TEXT, ANY)
    alone = policy(EYES, fallbacks=Fallbacks(targets, {"eyes": "text"})).decide({}, down, demands=IMAGE)
    assert isinstance(alone, Route)
    assert alone.fallback is None
