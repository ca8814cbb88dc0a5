"""When a session stays on its model, and when it goes to another one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.llm.price import Price
from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.session import Session, Trouble
from router_extproc.routing.session_moves import keep_session
from router_extproc.routing.traffic import TrafficSnapshot
from router_extproc.routing.traffic.snapshot import ModelTraffic

SMALL, MEDIUM, LARGE = CANDIDATES = tuple(
    Candidate(Target(name, f"pool_{name}", name, None), price=Price(price, price))
    for name, price in (("small", 0.1), ("medium", 1.0), ("large", 10.0))
)
ON_SMALL, ON_MEDIUM, ON_LARGE = Session("small"), Session("medium"), Session("large")
NEW_TOPIC = replace(ON_LARGE, new_topic=True, cached_tokens=1000)


def kept(
    chosen: Candidate,
    session: Session | None,
    *,
    by_need: bool = True,
    tokens: int = 1000,
    traffic: TrafficSnapshot | None = None,
) -> Choice:
    known = Circumstances(traffic=traffic or TrafficSnapshot(), tokens=tokens, session=session)
    return keep_session(Choice(chosen, "chosen"), CANDIDATES, known, by_need=by_need)


def moved(chosen: Candidate, session: Session, **more: bool) -> tuple[str, str | None]:
    choice = kept(chosen, session, **more)
    return choice.candidate.target.model, choice.move


def test_without_a_session_nothing_changes() -> None:
    assert kept(SMALL, None) == Choice(SMALL, "chosen")


@pytest.mark.parametrize(
    ("chosen", "session", "to", "move"),
    [
        (SMALL, Session(), "small", "new"),
        (SMALL, Session("gone"), "small", "away"),
        (LARGE, ON_SMALL, "large", "up"),
        (SMALL, ON_SMALL, "small", "stay"),
        (SMALL, ON_LARGE, "large", "stay"),
        (SMALL, replace(ON_LARGE, is_idle=True), "small", "down"),
        (SMALL, NEW_TOPIC, "small", "down"),
        (SMALL, replace(ON_SMALL, trouble="stalled"), "medium", "up"),
        (LARGE, replace(ON_SMALL, trouble="stalled"), "large", "up"),
        (SMALL, replace(ON_LARGE, trouble="stalled"), "large", "stay"),
        (LARGE, replace(ON_SMALL, in_loop=True, trouble="stalled"), "small", "stay"),
        (SMALL, replace(ON_LARGE, in_loop=True, is_idle=True), "large", "stay"),
        (LARGE, replace(ON_LARGE, in_loop=True), "large", "stay"),
    ],
)
def test_a_session_moves_with_its_need(chosen: Candidate, session: Session, to: str, move: str) -> None:
    assert moved(chosen, session) == (to, move)


@pytest.mark.parametrize(
    ("chosen", "session", "to", "move"),
    [
        (SMALL, ON_LARGE, "small", "down"),
        (LARGE, ON_SMALL, "large", "up"),
        (SMALL, replace(ON_SMALL, trouble="stalled"), "small", "stay"),
        (SMALL, replace(ON_LARGE, in_loop=True), "large", "stay"),
    ],
)
def test_a_choice_that_follows_no_need_holds_outside_loops(
    chosen: Candidate, session: Session, to: str, move: str
) -> None:
    assert moved(chosen, session, by_need=False) == (to, move)


def test_a_long_prefix_outweighs_what_a_new_topic_saves() -> None:
    """500 tokens at 9.9 less are saved, 100,000 at 0.1 are read anew."""
    session = replace(NEW_TOPIC, cached_tokens=100_000)
    choice = kept(SMALL, session, tokens=100_000)
    assert (choice.candidate, choice.move) == (LARGE, "stay")
    assert choice.reason == (
        "session: stays on large because a switch saves less than the prefix that is read anew"
    )
    assert kept(SMALL, session, tokens=30_000).move == "down"


def test_what_many_requests_save_outweighs_what_one_does_not() -> None:
    """An ask of an agent is many requests, and the prefix is read anew by the first of them alone."""
    session = replace(NEW_TOPIC, cached_tokens=100_000, requests_per_ask=20)
    assert kept(SMALL, session, tokens=100_000).move == "down"


def test_the_price_of_what_a_pool_has_kept_counts() -> None:
    """To read 100,000 tokens anew for 0.1 a million is cheaper than to find them in a cache for 1."""
    priced = replace(LARGE, price=Price(10.0, 10.0, 1.0))
    session = replace(NEW_TOPIC, cached_tokens=100_000)
    known = Circumstances(tokens=100_000, session=session)
    assert keep_session(Choice(SMALL, ""), (SMALL, priced), known, by_need=True).move == "down"


def test_nothing_is_lost_where_the_pool_has_kept_nothing() -> None:
    session = replace(NEW_TOPIC, cached_tokens=0, sent_tokens=100_000)
    assert kept(SMALL, session, tokens=100_000).move == "down"


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("feedback", "session: an answer was wrong: the next dearer one"),
        ("complaint", "session: the human says that it was wrong: the next dearer one"),
        ("stalled", "session: the tool loop got nowhere: the next dearer one"),
    ],
)
def test_a_move_up_says_why(trouble: Trouble, told: str) -> None:
    choice = kept(SMALL, replace(ON_SMALL, trouble=trouble))
    assert (choice.reason, choice.up_reason) == (told, trouble)
    assert kept(LARGE, replace(ON_SMALL, trouble=trouble)).up_reason == trouble
    on_top = kept(SMALL, replace(ON_LARGE, trouble=trouble))
    assert (on_top.move, on_top.up_reason) == ("stay", None)
    assert on_top.reason.endswith(", and no candidate is dearer")


def test_a_harder_ask_is_told_from_trouble() -> None:
    assert kept(LARGE, ON_SMALL).up_reason == "need"
    assert kept(SMALL, ON_SMALL).up_reason is None


def test_the_usual_length_of_answers_counts() -> None:
    traffic = TrafficSnapshot(models={"large": ModelTraffic(tokens=5000)})
    session = replace(NEW_TOPIC, cached_tokens=100_000)
    assert kept(SMALL, session, tokens=100_000, traffic=traffic).move == "down"


def test_without_prices_only_silence_moves_a_session() -> None:
    free = tuple(replace(each, price=None) for each in CANDIDATES)
    known = Circumstances(tokens=10, session=replace(NEW_TOPIC, model="large"))
    choice = Choice(free[0], "chosen")
    assert keep_session(choice, free, known, by_need=True).move == "stay"
    idle = replace(known, session=replace(ON_LARGE, is_idle=True))
    assert keep_session(choice, free, idle, by_need=True).move == "down"


def test_a_model_that_is_down_is_left_inside_a_loop_too() -> None:
    down = TrafficSnapshot(frozenset(["pool_large"]))
    choice = kept(SMALL, replace(ON_LARGE, in_loop=True), traffic=down)
    assert (choice.candidate, choice.move) == (SMALL, "away")


@given(
    chosen=st.sampled_from(CANDIDATES),
    session=st.builds(
        Session, st.sampled_from(["small", "medium", "large"]), st.just(True), *[st.booleans()] * 2,
        st.sampled_from([None, "feedback", "complaint", "stalled"]), *[st.integers(0, 10**6)] * 2,
        st.floats(0, 100),
    ),
    by_need=st.booleans(),
    tokens=st.integers(0, 10**6),
)  # fmt: skip
def test_no_circumstances_switch_a_model_inside_a_loop(
    *, chosen: Candidate, session: Session, by_need: bool, tokens: int
) -> None:
    choice = kept(chosen, session, by_need=by_need, tokens=tokens)
    assert (choice.candidate.target.model, choice.move) == (session.model, "stay")
