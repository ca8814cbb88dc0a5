"""Which asks lean on earlier turns: those that say too little by themselves, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from router_extproc.conversation.leaning import CHARS_MAX, shipped_follow_ups
from router_extproc.equivalence.languages import known_codes

SAMPLES = Path(__file__).parents[2] / "samples" / "conversations" / "turns.jsonl"
JUDGE = shipped_follow_ups().judge

EMPTY = [
    "why?",
    "Why not?",
    "and then?",
    "go on",
    "Go on!",
    "Thank you! Go on.",
    "Great, thanks. Continue please.",
    "And the next step?",
    "another one",
    "ok, next",
    "More examples please",
    "Are you sure?",
    "shorter",
    "?",
    "...",
    "🙂",
    "yes please",
    "What else?",
    "Step by step, please",
    "elaborate",
]
LEANING = [
    "Can you explain more?",
    "What does the second line mean?",
    "Could you show an example?",
    "Write that in Python",
    "tell me why",
    "I'm lost",
    "What happens next?",
    "Why Rust?",
    "do it again in French",
    "Can you explain that step?",
    "What about negative numbers?",
    "and in winter?",
    "Make it shorter",
    "How does it work?",
    "Is that always true?",
    "in Python please",
    "Why is that the case?",
    "Translate it to German",
    "But what if n is zero?",
    "Give me another example",
    "How would you test them?",
    "I don't understand the second step",
    "Compare it with Rust",
    "So who won in the end?",
    "What are the risks?",
    "draw that as a table",
    "No, I meant the other one",
    "Explain like I'm five",
    "Thanks. And what does the last line do?",
    "You forgot the units",
]
ALONE = [
    "How are you?",
    "Why do we dream?",
    "When is Easter?",
    "What is the best phone?",
    "Let's talk about dogs",
    "Can you help me?",
    "Prove that the square root of two is irrational.",
    "What is the capital of France?",
    "Is it raining in Paris?",
    "What time is it in Tokyo?",
    "Is it possible to travel faster than light?",
    "Write a poem about a man and his dog.",
    "How do I reset my password?",
    "Translate this to French: good morning, my friend",
    "Thanks!",
    "Thank you very much",
    "Hello",
    "Who wrote Don Quixote?",
    "Is this sentence correct: he go to school",
    "Why is the sky blue?",
    "Name a metal that floats on water",
    'What does "carpe diem, quam minimum" mean?',
    "Different question: how do I poach an egg?",
    "This week I want to learn Spanish.",
    "How tall is Mount Everest?",
    "What is the weather like?",
    "Explain recursion in programming",
    "Tell me a joke about lawyers",
    "Do dogs dream when they sleep at night?",
    "In which year did the Berlin Wall fall?",
]
#: Of each language besides English: without a topic, leaning, alone.
LANGUAGES = {
    "de": ("warum?", "Kannst du das genauer erklären?", "Wie hoch ist der Mount Everest?"),
    "es": ("¿por qué?", "¿Y si es negativo?", "¿Cuál es la capital de Francia?"),
    "fr": ("Pourquoi ?", "Et si c'est négatif ?", "Quelle est la capitale de l'Espagne ?"),
    "it": ("perché?", "E se fosse negativo?", "Qual è la capitale della Francia?"),
    "ja": ("なぜですか？", "それをもっと短くしてください", "フランスの首都はどこですか？"),
    "ko": ("왜?", "그럼 음수일 때는?", "프랑스의 수도는 어디입니까?"),
    "nl": ("waarom?", "Kun je dat uitleggen?", "Wat is de hoofdstad van Frankrijk?"),
    "pl": ("dlaczego?", "A co jeśli jest ujemna?", "Jaka jest stolica Francji?"),
    "pt": ("por quê?", "E se for negativo?", "Qual é a capital da França?"),
    "ru": ("почему?", "А если оно отрицательное?", "Какая столица у Франции?"),
    "sv": ("varför?", "Kan du förklara det?", "Vad heter Frankrikes huvudstad?"),
    "tr": ("neden?", "Peki negatif olursa?", "Fransa'nın başkenti neresi?"),
    "zh": ("为什么？", "那如果是负数呢？", "法国的首都是哪里？"),
}


@pytest.mark.parametrize("text", EMPTY)
def test_a_follow_up_without_a_topic_of_its_own(text: str) -> None:
    assert JUDGE(text) == "empty"


@pytest.mark.parametrize("text", LEANING)
def test_an_ask_that_refers_to_earlier_turns_leans(text: str) -> None:
    assert JUDGE(text) == "leaning"


@pytest.mark.parametrize("text", ALONE)
def test_an_ask_with_a_topic_stands_alone(text: str) -> None:
    assert JUDGE(text) == "alone"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_commonest_follow_ups_are_known_in_every_language(language: str) -> None:
    assert [JUDGE(text) for text in LANGUAGES[language]] == ["empty", "leaning", "alone"]


def test_every_language_whose_wording_is_known_has_follow_ups() -> None:
    assert {"en", *LANGUAGES} == set(known_codes())


def test_a_long_ask_stands_alone() -> None:
    assert JUDGE("and " + "more " * CHARS_MAX) == "alone"


def test_curly_and_straight_apostrophes_are_the_same() -> None:
    assert JUDGE("what\u2019s next?") == JUDGE("what's next?") == "empty"


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00", "a\u0301" * 100, "<" * 200, "。" * 50, "ok " * 70, "谢谢" * 40]
)
def test_any_text_is_judged(text: str) -> None:
    assert JUDGE(text) in {"alone", "leaning", "empty"}


def sampled(half: str, kind: str) -> Iterator[str]:
    for line in SAMPLES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["half"] == half:
            yield from (turn[kind] for turn in row["turns"] if kind in turn)


def test_most_follow_ups_of_conversations_lean_and_new_topics_do_not() -> None:
    """On the half by which no word was chosen."""
    follow_ups, new = list(sampled("report", "follow-up")), list(sampled("report", "new topic"))
    assert len(follow_ups) >= 60
    assert len(new) >= 20
    assert sum(JUDGE(text) != "alone" for text in follow_ups) >= 0.85 * len(follow_ups)
    assert sum(JUDGE(text) != "alone" for text in new) <= 0.1 * len(new)
