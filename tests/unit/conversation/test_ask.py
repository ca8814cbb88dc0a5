"""The ask of a request: found behind harness and tool results, with the turns that it leans on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.conversation.ask import CONTEXT_CHARS_MAX, LOOKED_AT_MAX, AskReader, read_ask
from router_extproc.conversation.entry import HarnessEntry
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.ask import Ask
from router_extproc.llm.request import InferenceRequest, Turn
from router_extproc.testing.subjects import subject_of

PROOF = "Prove that the square root of two is irrational."
REMINDER = "<system-reminder>\nFacts.\n</system-reminder>"


def request_of(*users: str) -> InferenceRequest:
    """A conversation of these user turns, each but the last with an answer."""
    history = [turn for text in users[:-1] for turn in (Turn("user", text), Turn("assistant", "So it is."))]
    return subject_of(users[-1], history=history).request


def ask_of(*users: str) -> Ask:
    return read_ask(request_of(*users))


def test_a_question_is_the_ask_as_it_was_written() -> None:
    assert ask_of(f" {PROOF}\n") == Ask(f" {PROOF}\n")


@pytest.mark.parametrize("text", ["why?", "And the next step?", "Thank you! Go on."])
def test_a_follow_up_is_read_as_its_topic(text: str) -> None:
    """By construction it then gets the decision of its topic."""
    ask = ask_of(PROOF, text)
    assert (ask.text, ask.context, ask.topic) == (text, (PROOF,), PROOF)


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("Thank you! Go on.", "Go on."),
        ("go on, thanks", "go on,"),
        ("Great, thanks. And what if n is negative?", "And what if n is negative?"),
        ("Another one", "Another one"),
        ("yes please", "yes please"),
        ("Merci beaucoup ! Continue", "Continue"),
        ("谢谢，继续", "谢谢，继续"),
        ("Thanks! Und der nächste Straßenzug?", "Thanks! Und der nächste Straßenzug?"),
    ],
)
def test_words_of_a_follow_up_count_without_thanks(text: str, gist: str) -> None:
    """Rules by keywords see "another one"; thanks before it are no small talk."""
    assert ask_of(PROOF, text).reading == f"{PROOF}\n{gist}"


def test_thanks_alone_stand_alone() -> None:
    assert ask_of(PROOF, "Thank you!") == Ask("Thank you!")


def test_an_ask_that_leans_is_read_behind_its_topic() -> None:
    ask = ask_of(PROOF, "Do it again in French")
    assert ask.reading == f"{PROOF}\nDo it again in French"


def test_a_new_topic_is_read_alone() -> None:
    assert ask_of(PROOF, "What is the capital of France?").context == ()


def test_a_follow_up_of_a_new_topic_leans_on_that_one() -> None:
    ask = ask_of(PROOF, "why?", "What is the capital of France?", "and of Spain?")
    assert ask.context == ("What is the capital of France?",)


def test_follow_ups_in_a_row_lead_back_to_the_topic() -> None:
    follow_ups = ["why?", "go on", "And for the root of three?", "why?", "and then?", "Do it for five", "ok"]
    ask = ask_of(PROOF, *follow_ups, "why?")
    assert ask.context == (PROOF, "And for the root of three?", "Do it for five")


def test_of_many_leaning_turns_the_topic_and_the_last_are_kept() -> None:
    ask = ask_of(PROOF, *[f"And for the root of {n}?" for n in range(9)], "why?")
    assert ask.context == (PROOF, "And for the root of 7?", "And for the root of 8?")


def test_a_topic_too_far_back_is_not_looked_for() -> None:
    """Else each of 10,000 turns would read all before it."""
    assert ask_of(PROOF, *["why?"] * (LOOKED_AT_MAX - 1), "go on").context == (PROOF,)
    assert ask_of(PROOF, *["why?"] * LOOKED_AT_MAX, "go on").context == ()


def test_without_earlier_turns_a_follow_up_stands_for_itself() -> None:
    assert ask_of("why?").reading == "why?"


def test_a_long_earlier_turn_is_read_at_both_ends() -> None:
    ask = ask_of("Summarize this. " + "word " * 1000 + " What is the main point?", "why?")
    assert ask.context[0].startswith("Summarize this.")
    assert ask.context[0].endswith("What is the main point?")
    assert len(ask.context[0]) <= CONTEXT_CHARS_MAX + 1


def test_harness_around_the_question_is_left_out_and_told() -> None:
    ask = ask_of(f"{REMINDER}\n{PROOF}")
    assert ask.text == PROOF
    assert [each.kind for each in ask.left_out] == ["reminder"]
    assert not ask.is_plain


def test_harness_around_earlier_turns_is_left_out() -> None:
    assert ask_of(f"{REMINDER}\n{PROOF}", "why?").context == (PROOF,)


def test_behind_a_turn_of_harness_only_the_ask_is_the_turn_before() -> None:
    """Clients of tools that are no tools of the API send results as user messages."""
    ask = ask_of(f"<task>\n{PROOF}\n</task>", "[read_file for 'a.txt'] Result:\nA text.")
    assert (ask.text, ask.skipped) == (PROOF, 1)
    assert [each.kind for each in ask.left_out] == ["tool_result"]


def test_behind_a_turn_without_text_the_ask_is_the_turn_before() -> None:
    assert ask_of(PROOF, "").text == PROOF


def test_where_no_human_asked_anything_the_message_is_read_as_it_is() -> None:
    ask = ask_of(REMINDER)
    assert (ask.text, ask.left_out) == (REMINDER, ())
    assert not ask.is_plain


def test_of_a_kind_that_is_left_out_often_the_lengths_are_added() -> None:
    ask = ask_of(PROOF, *[REMINDER] * 50)
    assert [(each.kind, each.chars) for each in ask.left_out] == [("reminder", 50 * len(REMINDER))]


def test_no_ask_leans_where_the_configuration_says_so() -> None:
    reader = AskReader.of(earlier_turns_max=0)
    assert reader.read(request_of(PROOF, "why?")).context == ()


def test_one_earlier_turn_is_the_topic() -> None:
    reader = AskReader.of(earlier_turns_max=1)
    assert reader.read(request_of(PROOF, "And for three?", "why?")).context == (PROOF,)


def test_a_configuration_adds_patterns() -> None:
    entries = [
        HarnessEntry(kind="crm", tags=("crm-record",)),
        HarnessEntry(kind="footer", starts=("-- sent by Acme",), until="line"),
        HarnessEntry(asks=("question",), alone=True),
    ]
    reader = AskReader.of(entries)
    text = f"<crm-record>\nMr. X\n</crm-record>\n{PROOF}\n-- sent by Acme Mail\n{REMINDER}"
    ask = reader.read(request_of(text))
    assert ask.text == PROOF
    assert [each.kind for each in ask.left_out] == ["crm", "footer", "reminder"]
    assert reader.read(request_of(f"Facts.\n<question>{PROOF}</question>\nMore.")).text == PROOF


# ── a tool loop ───────────────────────────────────────────────────────────────────────────────

TEXTS = st.sampled_from(
    [PROOF, "why?", "go on", "Do it in French", f"{REMINDER}\nWhat is DNA?", REMINDER, ""]
)
CALLS = st.lists(st.builds(ToolCall, st.text(max_size=9), st.text(max_size=20)), max_size=3).map(tuple)
LOOP = st.lists(
    st.one_of(
        st.builds(Turn, st.just("assistant"), st.text(max_size=40), CALLS),
        st.builds(Turn, st.just("tool"), st.one_of(TEXTS, st.text(max_size=40)), failed=st.booleans()),
    ),
    max_size=12,
)


@given(users=st.lists(TEXTS, min_size=1, max_size=6), loop=LOOP, later=LOOP)
def test_a_tool_loop_never_changes_the_ask(users: list[str], loop: list[Turn], later: list[Turn]) -> None:
    """Neither behind the question nor, once it is an earlier turn, between the turns."""
    request = request_of(*users)
    looped = replace(request, later=tuple(later), history=_with_loops(request.history, loop))
    assert read_ask(looped) == read_ask(request)


def _with_loops(history: Sequence[Turn], loop: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(each for turn in history for each in (turn, *(loop if turn.role == "user" else ())))


def test_a_loop_whose_results_are_user_messages_never_changes_the_ask() -> None:
    first = f"<task>\n{PROOF}\n</task>\n<environment_details>\nTime\n</environment_details>"
    result = "[execute_command for 'ls'] Result:\nwhy?\n<environment_details>\nTime\n</environment_details>"
    asks = [ask_of(first, *[result] * steps) for steps in range(9)]
    assert {ask.reading for ask in asks} == {PROOF}


# ── bounds ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "users",
    [
        ["go on"] * 10_000,
        [PROOF, *["And for three?"] * 10_000],
        [REMINDER] * 10_000,
        [PROOF, "[read_file for 'a'] Result:\n" + "x" * 5_000_000],
        [f"<p>{PROOF}</p>\n" * 20_000, "why?"],
    ],
    ids=["follow-ups", "leaning", "harness", "a result of 5 MB", "1 MB of HTML"],
)
def test_a_hostile_conversation_takes_bounded_time(users: list[str]) -> None:
    """The bound is generous, for slow machines; docs/routing.md has the numbers."""
    request = request_of(*users)
    started = time.perf_counter()
    read_ask(request)
    assert time.perf_counter() - started < 1.0
