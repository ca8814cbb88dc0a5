"""Which sessions a worker remembers, and what it takes over from another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson
import pytest
from pydantic import TypeAdapter

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.remembered_sessions import (
    BEGUN_MAX,
    GOING_MAX,
    RememberedSessions,
    SessionSeen,
)
from router_extproc.process.json_pieces import json_pieces
from router_extproc.process.shared_seen import SharedSeen

SEEN = SessionSeen("a" * 32, "large", 100.0, 50, with_tools=True, goes_on=True)


def seen(number: int, *, goes_on: bool = False) -> SessionSeen:
    return SessionSeen(f"{number:032x}", "small", float(number), goes_on=goes_on)


def shared(sessions: RememberedSessions) -> SharedSeen[SessionSeen]:
    return SharedSeen("sessions", sessions, TypeAdapter(list[SessionSeen]))


def test_a_session_for_each_request_pushes_out_none_that_goes_on() -> None:
    sessions = RememberedSessions()
    sessions.note(SEEN)
    for number in range(BEGUN_MAX + 5):
        sessions.note(seen(number))
    assert sessions.find(SEEN.key) == SEEN
    assert (len(sessions.known), len(sessions.take_new())) == (BEGUN_MAX + 1, BEGUN_MAX)
    assert sessions.find(seen(4).key) is None
    assert sessions.find(seen(5).key) is not None


def test_sessions_that_go_on_are_bounded_too() -> None:
    sessions = RememberedSessions()
    for number in range(GOING_MAX + 5):
        sessions.note(seen(number, goes_on=True))
    assert len(sessions.known) == GOING_MAX


def test_a_session_is_kept_once() -> None:
    sessions = RememberedSessions()
    sessions.note(replace(SEEN, goes_on=False))
    sessions.note(SEEN)
    assert sessions.known == (SEEN,)
    assert sessions.take_new() == (SEEN,)
    assert sessions.take_new() == ()


def test_what_is_known_later_stays() -> None:
    one, other = RememberedSessions(), RememberedSessions()
    one.note(SEEN)
    other.note(replace(SEEN, model="small", at_s=101.0))
    (event,) = shared(one).collect()
    shared(other).apply(event)
    shared(one).take_back(orjson.loads(b"".join(json_pieces(shared(other).kept()))))
    for sessions in (one, other):
        found = sessions.find(SEEN.key)
        assert found is not None
        assert found.model == "small"
    assert shared(one).collect() == []


GOING: Final = replace(SEEN, tokens=1200, before_tokens=1000)


def kept_after(*usages: int, model: str = "large", seen: SessionSeen = GOING) -> int:
    """What is taken to be kept of 1,200 tokens after answers of pools that had so much of their prompts."""
    sessions = RememberedSessions()
    for cached in usages:
        sessions.note(seen)
        sessions.answered(seen.key, model, Usage(1200, 10, cached), 100.0)
    found = sessions.find(seen.key)
    assert found is not None
    return found.kept_tokens


def test_what_a_pool_has_kept_follows_its_usage() -> None:
    assert kept_after(500) == 600
    assert kept_after(5000) == 1200
    assert kept_after(500, 0) == 0


def test_a_pool_that_counts_otherwise_is_understood() -> None:
    """It says 2,400 where 1,200 were estimated."""
    sessions = RememberedSessions()
    sessions.note(GOING)
    sessions.answered(GOING.key, "large", Usage(2400, 10, 1000), 100.0)
    assert sessions.known[0].kept_tokens == 600


def test_a_pool_that_never_tells_is_taken_to_have_kept_all() -> None:
    assert kept_after(0, 0) == 1200


def test_the_answer_of_another_model_and_of_a_first_request_tell_nothing() -> None:
    assert kept_after(500, model="small") == 1200
    assert kept_after(500, seen=replace(GOING, before_tokens=0)) == 1200
    RememberedSessions().answered("unknown", "large", Usage(1, 1, 1), 100.0)


def test_an_answer_that_comes_after_the_next_request_tells_nothing_of_that() -> None:
    sessions = RememberedSessions()
    sessions.note(GOING)
    sessions.answered(GOING.key, "large", Usage(1200, 10, 500), 99.0)
    assert sessions.known == (GOING,)


def test_workers_tell_each_other_what_a_pool_had_kept() -> None:
    one, other = RememberedSessions(), RememberedSessions()
    one.note(GOING)
    before = shared(one).collect()
    one.answered(GOING.key, "large", Usage(1200, 10, 500), 100.0)
    after = shared(one).collect()
    for event in (*before, *after, *before):
        shared(other).apply(event)
    assert other.find(GOING.key) == one.find(GOING.key) == replace(GOING, kept_share=0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SEEN, key="a"),
        replace(SEEN, model=""),
        replace(SEEN, model="m" * 257),
        replace(SEEN, tokens=-1),
        replace(SEEN, before_tokens=-1),
        replace(SEEN, turns=2**41),
        replace(SEEN, kept_share=1.5),
        replace(SEEN, kept_share=float("nan")),
        replace(SEEN, at_s=float("nan")),
        replace(SEEN, at_s=float("inf")),
    ],
)
def test_what_cannot_be_is_not_taken_over(wrong: SessionSeen) -> None:
    sessions = RememberedSessions()
    sessions.learn([wrong])
    assert sessions.known == ()


def test_what_is_no_list_of_sessions_is_refused() -> None:
    with pytest.raises(ValueError, match="valid list"):
        shared(RememberedSessions()).take_back({"a": "small"})
