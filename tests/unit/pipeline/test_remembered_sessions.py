"""Which sessions a worker remembers, and what it takes over from another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.pipeline.remembered_sessions import (
    BEGUN_MAX,
    GOING_MAX,
    RememberedSessions,
    SessionSeen,
)
from router_extproc.process.shared_sessions import SharedSessions

SEEN = SessionSeen("a" * 32, "large", 100.0, 50, with_tools=True, goes_on=True)


def seen(number: int, *, goes_on: bool = False) -> SessionSeen:
    return SessionSeen(f"{number:032x}", "small", float(number), goes_on=goes_on)


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
    (event,) = SharedSessions(one).collect()
    SharedSessions(other).apply(event)
    SharedSessions(one).take_back(SharedSessions(other).kept())
    for sessions in (one, other):
        found = sessions.find(SEEN.key)
        assert found is not None
        assert found.model == "small"
    assert SharedSessions(one).collect() == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SEEN, key="a"),
        replace(SEEN, model=""),
        replace(SEEN, model="m" * 257),
        replace(SEEN, tokens=-1),
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
        SharedSessions(RememberedSessions()).take_back({"a": "small"})
