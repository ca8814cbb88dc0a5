"""Patterns of what keys leave out: what they may be, and what they leave."""

from __future__ import annotations

import pytest

from router_extproc.cache.ignore import (
    NOTHING,
    PATTERN_CHARS_MAX,
    SYSTEM_CHARS_MAX,
    IgnoreRule,
    UnfitPattern,
    check_pattern,
    has_fixed_words,
)

CLOCK = r"It is \d{4}-\d{2}-\d{2} \d{2}:\d{2}\."
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"


def left(rule: IgnoreRule, *texts: str) -> list[bytes]:
    return list(rule.fields(texts))


@pytest.mark.parametrize(
    "pattern",
    [
        CLOCK,
        r"^Current time: .{1,40}$",
        r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}",
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z",
        r"Today is (Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\.",
        rf"Date: (?:{MONTHS}) \d{{1,2}}, \d{{4}}",
        r"Current date: \w{3,9} \d{1,2}, \d{4} at \d{1,2}:\d{2} [AP]M",
        r"Request #\d{1,9}",
    ],
)
def test_what_people_write_for_a_clock_is_accepted(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("", "must have 1 to"),
        ("x" * (PATTERN_CHARS_MAX + 1), "must have 1 to"),
        ("[", "is not a regular expression"),
        (".*", "repeats without an end"),
        (r"It is \d+", "repeats without an end"),
        (r"It is \d{4,}", "repeats without an end"),
        ("a{1,100000}", "repeats without an end"),
        ("(?:ab){150}", "may fit more than"),
        ("(a{1,9}){1,9}b", "may itself fit in several ways"),
        ("(a|ab){1,20}c", "may itself fit in several ways"),
        ("a{1,60}a{1,60}a{1,60}", "too many ways"),
        ("(?:x?){5}y", "may itself fit in several ways"),
        ("x?", "fits nothing at all"),
        ("^$", "fits nothing at all"),
        (r"\w{5}", "must have a fixed character"),
        (".{1,8}", "must have a fixed character"),
        ("(?<=a)b", "looks around or back"),
        (r"(a)\1", "looks around or back"),
        ("(?i:a)", "sets flags"),
    ],
)
def test_what_has_no_end_or_no_hold_is_refused(pattern: str, problem: str) -> None:
    with pytest.raises(UnfitPattern, match=problem):
        check_pattern(pattern)


def test_texts_that_differ_in_the_clock_alone_are_one() -> None:
    rule = IgnoreRule((CLOCK,))
    one, other = "Be helpful. It is 2026-11-28 19:11.", "Be helpful. It is 2026-11-28 19:12."
    assert left(rule, one) == left(rule, other)
    assert left(NOTHING, one) != left(NOTHING, other)


@pytest.mark.parametrize(
    "other",
    [
        "Be helpful.",
        "Be helpful. ",
        "Be rude. It is 2026-11-28 19:12.",
        "Be helpful. It is 2026-11-28 19:12. It is 2026-11-28 19:13.",
        "Be helpful. It is 2026-11-28 19:12",
        "Be helpful. It is 2026-11-28 19:125.",
        "Be helpful. It is tomorrow.",
        "It is 2026-11-28 19:12. Be helpful. ",
    ],
)
def test_other_texts_stay_apart(other: str) -> None:
    rule = IgnoreRule((CLOCK,))
    assert left(rule, "Be helpful. It is 2026-11-28 19:11.") != left(rule, other)


def test_nothing_that_a_text_holds_can_pose_as_what_was_left_out() -> None:
    rule = IgnoreRule(("It is now",))
    texts = [("a It is now b",), ("a ", " b"), ("a  b",), ("a 2 b",), ("a \x00 b",)]
    assert len({tuple(left(rule, *each)) for each in texts}) == len(texts)


@pytest.mark.parametrize("whole", ["12:300", "112:30", "12:30pm"])
def test_a_part_of_a_number_or_word_is_not_left_out(whole: str) -> None:
    assert IgnoreRule((r"\d{2}:\d{2}",)).count((whole,)) == 0


def test_several_patterns_leave_out_what_each_fits() -> None:
    rule = IgnoreRule((CLOCK, "Request #\\d{1,9}"))
    assert rule.count(("Request #7. It is 2026-11-28 19:11. Request #8",)) == 3


def test_a_very_long_prompt_counts_as_it_is() -> None:
    long = "It is 2026-11-28 19:11." + "x" * SYSTEM_CHARS_MAX
    assert IgnoreRule((CLOCK,)).count((long,)) == 0


def test_lines_have_beginnings_and_ends() -> None:
    rule = IgnoreRule(("^Time: .{1,20}$",))
    assert rule.count(("Be brief.\nTime: noon\nBe kind.",)) == 1
    assert rule.count(("Be brief. Time: noon",)) == 0


@pytest.mark.parametrize(
    ("pattern", "held"),
    [
        (CLOCK, True),
        ("^\\d{4}", True),
        ("\\d{4}$", True),
        ("\\d{4}-\\d{2}", False),
        ("[abc]{2}-", False),
        ("\\d{2}:\\d{2}", False),
    ],
)
def test_a_pattern_with_words_or_a_line_s_end_knows_where_it_fits(pattern: str, held: bool) -> None:  # noqa: FBT001
    assert has_fixed_words(pattern) == held
