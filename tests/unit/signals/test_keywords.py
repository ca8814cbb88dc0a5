"""Keywords match whole words, however they are written."""

from __future__ import annotations

import cProfile
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.llm.request import Turn
from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.signals.base import Reading
from router_extproc.signals.keywords import WORDS_MAX, KeywordsSettings, KeywordsSignal
from router_extproc.signals.texts import PART_CHARS_MAX
from router_extproc.signals.words import JOINING, FoldedText, Keyword, Keywords, fold
from router_extproc.testing.check_signal import READ_S_MAX
from router_extproc.testing.subjects import subject_of


def label_of(prompt: str, *words: str, case_sensitive: bool = False) -> str | None:
    return KeywordsSignal("any", words, case_sensitive=case_sensitive).read(subject_of(prompt)).label


@pytest.mark.parametrize(
    ("word", "prompt"),
    [
        ("asap", "I need this ASAP!"),
        ("as soon as possible", "reply as\nsoon  as possible"),
        ("c++", "Is C++ dead?"),
        ("node.js", "use node.js."),
        ("straße", "Wo ist die STRASSE?"),
        ("café", "a cafe\u0301 nearby"),
        ("紧急", "这是紧急情况"),
        ("snake_case", "what is snake_case"),
        ("a a", "xa a a"),
    ],
)
def test_keyword_is_found(word: str, prompt: str) -> None:
    assert label_of(prompt, word) == word


@pytest.mark.parametrize(
    ("word", "prompt"),
    [
        ("cat", "the category"),
        ("cat", "concat"),
        ("cat", "cat_food"),
        ("cat", "cat9"),
        ("c++", "xc++"),
        ("as soon as", "as soonas"),
        ("a.b", "axb"),
        ("asap", ""),
    ],
)
def test_part_of_a_word_is_no_match(word: str, prompt: str) -> None:
    assert label_of(prompt, word) is None


def test_first_keyword_of_the_configuration_is_the_label() -> None:
    assert label_of("urgent, asap", "asap", "urgent") == "asap"


def test_case_counts_when_asked() -> None:
    assert label_of("who are us", "US", case_sensitive=True) is None


def test_blank_keyword_never_matches() -> None:
    assert label_of("anything at all", " ") is None


def test_both_ends_of_a_long_prompt_are_read() -> None:
    """The question often stands after a long document."""
    assert label_of("x " * PART_CHARS_MAX + "asap", "asap") == "asap"


def test_no_match_reads_as_nothing() -> None:
    assert KeywordsSignal("any", ("asap",)).read(subject_of("hello")) == Reading("any", None, 0.0)


# ── all, none, patterns ───────────────────────────────────────────────────────────────────────


def signal_of(**section: object) -> KeywordsSignal:
    settings = KeywordsSettings.model_validate({"type": "keywords", **section})
    assert list(settings.problems("signals.k")) == []
    return settings.open("k", EncoderClassifiers(None))


def found(prompt: str, **section: object) -> str | None:
    return signal_of(**section).read(subject_of(prompt)).label


@pytest.mark.parametrize(
    ("section", "prompt", "label"),
    [
        ({"all": ["refund", "order"]}, "a refund for my order", "matched"),
        ({"all": ["refund", "order"]}, "a refund", None),
        ({"none": ["test"]}, "a refund", "matched"),
        ({"none": ["test"]}, "a test refund", None),
        ({"any": ["refund"], "none": ["test"]}, "a refund", "refund"),
        ({"any": ["refund"], "none": ["test"]}, "a test refund", None),
        ({"any": ["refund", "chargeback"], "all": ["order"]}, "chargeback of this order", "chargeback"),
        ({"any": ["refund"], "all": ["order"]}, "this order", None),
        ({"regex": [r"\bOPS-\d+\b"]}, "see ops-4711 please", r"\bOPS-\d+\b"),
        ({"regex": {"ticket": r"\bOPS-\d+\b"}}, "see OPS-4711 please", "ticket"),
        ({"regex": {"ticket": r"\bOPS-\d+\b"}, "case_sensitive": True}, "see ops-4711", None),
        ({"regex": {"ticket": r"OPS-\d+"}, "any": ["incident"]}, "an incident", "incident"),
        ({"regex": {"ticket": r"OPS-\d+"}, "any": ["incident"]}, "OPS-1", "ticket"),
        ({"regex": {"ticket": r"OPS-\d+"}, "none": ["closed"]}, "OPS-1 is closed", None),
        ({"regex": [r"m.ller"]}, "Herr MÜLLER", "m.ller"),
    ],
)
def test_words_and_patterns_are_combined_as_written(
    section: dict[str, object], prompt: str, label: str | None
) -> None:
    assert found(prompt, **section) == label


def test_every_word_that_is_there_is_found_and_the_first_one_is_the_label() -> None:
    reading = signal_of(any=["asap", "urgent", "now"], regex={"ticket": r"OPS-\d+"}).read(
        subject_of("urgent: OPS-1, now")
    )
    assert (reading.label, reading.also) == ("urgent", ("now", "ticket"))


@pytest.mark.parametrize(
    ("fuzzy", "word", "prompt", "score"),
    [
        ({"max_edits": 1}, "urgent", "this is urgnt!", 1 - 1 / 6),
        ({"max_edits": 1}, "urgent", "this is URGETN!", 1 - 1 / 6),
        ({"max_edits": 1}, "urgent", "this is urgent", 1.0),
        ({"max_edits": 1}, "urgent", "this is ugrnt", 0.0),
        ({"max_edits": 2}, "urgent", "this is ugrnt", 1 - 2 / 6),
        ({"max_edits": 1}, "as soon as possible", "as soon as posible, please", 1 - 1 / 19),
        ({"max_edits": 2}, "cat", "a hat", 0.0),
        ({"max_edits": 2}, "asap", "a soup", 0.0),
        (0.8, "urgent", "this is urgnt!", 1 - 1 / 6),
        (0.9, "urgent", "this is urgnt!", 0.0),
        ({"max_edits": 1}, "紧急情况请", "紧急情况", 0.0),
        ({"max_edits": 1}, "c++", "c--", 0.0),
    ],
)
def test_misspelt_words_are_found_when_asked(fuzzy: object, word: str, prompt: str, score: float) -> None:
    reading = signal_of(any=[word], fuzzy=fuzzy).read(subject_of(prompt))
    assert reading.score == pytest.approx(score)
    assert (reading.label is not None) == (score > 0)


def test_a_phrase_does_not_go_from_one_part_into_the_next() -> None:
    sections = {"any": ["good morning"], "fuzzy": {"max_edits": 1}, "parts": ["ask", "system"]}
    assert signal_of(**sections).read(subject_of("that is good", system="morning all")).label is None


@pytest.mark.parametrize(
    ("parts", "label"),
    [
        (["ask"], None),
        (["system"], "alpha"),
        (["history"], "beta"),
        (["tools"], "gamma"),
        (["ask", "tools"], "gamma"),
    ],
)
def test_only_the_parts_that_are_named_are_read(parts: list[str], label: str | None) -> None:
    history = [Turn("user", "beta"), Turn("tool", "gamma")]
    subject = subject_of("delta", system="alpha", history=history)
    assert signal_of(any=["alpha", "beta", "gamma"], parts=parts).read(subject).label == label


# ── bounds and bad input ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("section", "path", "words"),
    [
        ({}, "signals.k", "at least one of any, all, none and regex"),
        ({"any": ["a", " "]}, "signals.k.any[1]", "must not be empty"),
        ({"none": [""]}, "signals.k.none[0]", "must not be empty"),
        ({"regex": ["a", ""]}, "signals.k.regex[1]", "must not be empty"),
        ({"regex": {"x": ""}}, "signals.k.regex.x", "must not be empty"),
        ({"regex": ["a", "(b"]}, "signals.k.regex[1]", "no pattern of RE2: missing )"),
        ({"regex": {"x": "(?=a)b"}}, "signals.k.regex.x", "invalid perl operator: (?="),
        ({"regex": [r"(a)\1"]}, "signals.k.regex[0]", "invalid escape sequence"),
        ({"regex": ["(a{1,1000}){1,1000}"]}, "signals.k.regex[0]", "no pattern of RE2"),
        ({"regex": [r"(\pL{1,5}){1,9}"]}, "signals.k.regex[0]", "too large"),
        ({"regex": ["a" * 1001]}, "signals.k.regex[0]", "at most 1000"),
        ({"regex": dict.fromkeys(map(str, range(33)), "a")}, "signals.k.regex", "at most 32"),
        ({"any": list(map(str, range(201))), "fuzzy": 0.8}, "signals.k.fuzzy", "200 words at most, got 201"),
        ({"any": ["a"] * 20_000, "none": ["b"]}, "signals.k", "has 20001 words; at most 20000"),
        ({"any": ["紧急"] * 1_001}, "signals.k", "has 1001 words in scripts without spaces"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_its_path(
    section: dict[str, object], path: str, words: str
) -> None:
    settings = KeywordsSettings.model_validate({"type": "keywords", **section})
    (problem,) = settings.problems("signals.k")
    assert problem.path == path
    assert words in problem.problem


HOSTILE_PATTERNS = (r"(a+)+$", r"((a{1,60}){1,9}x?)y", "(.*)*(.*)*(.*)*y", r"(a?){300}b")


@pytest.mark.parametrize("pattern", HOSTILE_PATTERNS)
def test_a_pattern_built_to_explode_ends_soon(pattern: str) -> None:
    """A backtracking engine takes longer than the universe has for the first of them."""
    signal = signal_of(regex=[pattern])
    started_s = time.perf_counter()
    signal.read(subject_of("a" * 1_000_000 + "!"))
    assert time.perf_counter() - started_s < READ_S_MAX


MANY_WORDS = [f"keyword{number}" for number in range(WORDS_MAX - 2)]


def test_of_as_many_words_as_are_allowed_those_that_are_there_are_found() -> None:
    signal = signal_of(any=MANY_WORDS, all=MANY_WORDS[:1], none=["river"])
    reading = signal.read(subject_of(" ".join(MANY_WORDS[:3] * 10_000)))
    assert (reading.label, reading.also) == ("keyword0", ("keyword1", "keyword2"))


def test_a_text_is_not_searched_for_words_that_it_cannot_have() -> None:
    """Each searched the text by itself: 1.6 seconds, in which the event loop did nothing else."""
    words = (*MANY_WORDS, "keyword1 or not", "+", "keyword19999")
    keywords = Keywords(filter(None, (Keyword.of(word, case_sensitive=False) for word in words)))
    looked_for = keywords.looked_for_in(FoldedText("keyword1 and keyword2"))
    assert [each.word for each in looked_for] == ["keyword1", "keyword2", "keyword1 or not", "+"]


def test_a_word_takes_few_steps_to_open() -> None:
    """Compiling a pattern took 2 ms each: 40 s for as many as are allowed, at every start and reload."""
    profile, words = cProfile.Profile(), [f"{word} or c++" for word in MANY_WORDS[:1000]]
    profile.runcall(signal_of, any=words)
    calls = sum(entry.callcount for entry in profile.getstats())
    assert calls < 60 * len(words)


WORDS = st.text("ab 紧ह\u093f+é_\n", min_size=1, max_size=4)


def whole_word(form: str) -> re.Pattern[str]:
    """Finds the folded keyword with a border on either side."""
    left = f"(?<!{JOINING})" if re.match(JOINING, form[0]) else ""
    right = f"(?!{JOINING})" if re.match(JOINING, form[-1]) else ""
    return re.compile(left + re.escape(form) + right)


@given(words=st.lists(WORDS, min_size=1, max_size=6), text=st.lists(WORDS).map("".join))
def test_words_that_are_looked_up_first_are_those_that_a_search_finds(words: list[str], text: str) -> None:
    """The lookup only leaves out what is not there, and a plain search sees the borders of words."""
    searched = [
        word
        for word in dict.fromkeys(words)
        if (form := fold(word, case_sensitive=False))
        and whole_word(form).search(fold(text, case_sensitive=False))
    ]
    reading = KeywordsSignal("any", list(dict.fromkeys(words))).read(subject_of(text))
    assert [*([reading.label] if reading.label else []), *reading.also] == searched


def test_many_misspelt_words_in_a_long_text_are_found_in_bounded_time() -> None:
    words = [f"keyword{number}" for number in range(200)]
    text = " ".join(f"keyw{number:x}" for number in range(100_000))
    signal = signal_of(any=words, fuzzy={"max_edits": 2})
    started_s = time.perf_counter()
    signal.read(subject_of(text))
    assert time.perf_counter() - started_s < READ_S_MAX


def test_a_conversation_of_ten_thousand_turns_is_read_from_its_end() -> None:
    history = [
        Turn("user", "old"),
        *(Turn("user", "words " * 100) for _ in range(10_000)),
        Turn("user", "new"),
    ]
    signal = signal_of(any=["old", "new"], parts=["history"])
    assert signal.read(subject_of("hi", history=history)).also == ()
    assert signal.read(subject_of("hi", history=history)).label == "new"
