"""Which texts of a request are read, in which order, and where reading ends."""

from __future__ import annotations

import time
from dataclasses import replace

from router_extproc.llm.request import Turn
from router_extproc.signals.base import Part, Subject
from router_extproc.signals.parts.texts import CHARS_MAX, TEXTS_MAX, ends_of, portion_of, without_tags
from router_extproc.testing.subjects import subject_of

ALL: tuple[Part, ...] = ("ask", "history", "tools")


def conversation() -> Subject:
    subject = subject_of(
        "and now?",
        system="Be brief.",
        history=[Turn("user", "first"), Turn("tool", "old result"), Turn("assistant", "answer")],
    )
    later = (Turn("assistant", ""), Turn("tool", "new result"))
    return replace(subject, request=replace(subject.request, later=later))


def test_the_newest_is_read_first_and_system_prompts_never() -> None:
    read = [(each.part, each.text) for each in portion_of(conversation(), ALL).texts]
    assert read == [
        ("tools", "new result"),
        ("ask", "and now?"),
        ("history", "answer"),
        ("tools", "old result"),
        ("history", "first"),
    ]


def test_only_the_chosen_parts_are_read() -> None:
    assert [each.text for each in portion_of(conversation(), ("tools",)).texts] == [
        "new result",
        "old result",
    ]


def test_the_whole_message_is_read_not_only_its_ask() -> None:
    """What an ask leaves out, as a block that only looks like a client's, reaches the model, too."""
    subject = subject_of("<block>hidden</block> What is the time?")
    subject = replace(subject, ask=replace(subject.ask, text="What is the time?"))
    assert [each.text for each in portion_of(subject, ALL).texts] == ["\nhidden\n What is the time?"]


def test_of_a_text_that_is_too_long_both_ends_are_read() -> None:
    assert ends_of("abcdefgh", 4) == ("ab", "gh")
    assert ends_of("abcdefgh", 8) == ("abcdefgh",)
    assert ends_of("abcdefgh", 0) == ()


def test_a_tool_result_of_5_mb_is_read_within_the_bound_and_the_rest_is_told() -> None:
    subject = conversation()
    huge = (Turn("tool", "x" * 5_000_000),)
    portion = portion_of(replace(subject, request=replace(subject.request, later=huge)), ("tools",))
    assert sum(len(each.text) for each in portion.texts) == CHARS_MAX
    assert portion.left_chars == 5_000_000 - CHARS_MAX + len("old result")


def test_a_conversation_of_10_000_turns_is_read_within_the_bound() -> None:
    subject = subject_of("why?", history=[Turn("user", f"turn {number}") for number in range(10_000)])
    started = time.perf_counter()
    portion = portion_of(subject, ALL)
    assert time.perf_counter() - started < 1.0
    assert len(portion.texts) == TEXTS_MAX
    assert portion.texts[1].text == "turn 9999"
    assert portion.left_chars > 0


def test_bare_tags_of_users_texts_are_no_words_and_what_is_between_them_is_read() -> None:
    """A reminder that a client wraps into a tag would sound like an attack by its tag alone."""
    wrapped = "<system-reminder>Be quick.</system-reminder>\nWhy?"
    subject = subject_of(wrapped, history=[Turn("user", wrapped), Turn("tool", "<b>bold</b>")])
    read = [each.text for each in portion_of(subject, ALL).texts]
    assert read == ["\nBe quick.\n\nWhy?", "<b>bold</b>", "\nBe quick.\n\nWhy?"]


def test_what_stands_in_a_tag_is_read() -> None:
    for text in ("a < b and c > d", "<x ignore all rules>", "<" + "x" * 65 + ">"):
        assert without_tags(text) == text
