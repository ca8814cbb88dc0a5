"""What counts as a human's word that the last answer was wrong, and what only sounds like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.conversation.spoken_feedback import CHARS_MAX, shipped_spoken_feedback

says_wrong = shipped_spoken_feedback().says_wrong


@pytest.mark.parametrize(
    "text",
    [
        "That's wrong.",
        "That’s wrong, the capital is Oslo.",
        "THAT IS INCORRECT",
        "Wrong!",
        "that is wrong because 7 is prime",
        "I think that's wrong",
        "Your answer is wrong.",
        "no that's not right",
        "no... that's wrong",
        "Nope, wrong.",
        "No, it still fails.",
        "No. It still fails.",
        "no it still fails",
        "Sorry, but that didn't work either.",
        "thanks, but it still fails",
        "It still doesn't work on Windows with Python 3.12",
        "Same error again",
        "Still the same error:\nTraceback (most recent call last):",
        "That's not what I asked for, I wanted a list",
        "You broke the build",
        "das stimmt nicht",
        "Nein, das stimmt so nicht: es sind 12.",
        "Hm, das funktioniert immer noch nicht",
        "ça ne marche toujours pas",
        "Eso está mal",
        "no funciona",
        "non è corretto",
        "Isso está errado",
        "Dat klopt niet",
        "Это неверно",
        "不对",
        "不，还是不行。",
        "違います。",
        "いいえ、まだ動きません",
    ],
)
def test_what_says_that_the_answer_was_wrong(text: str) -> None:
    assert says_wrong(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "no",
        "No.",
        "No, use the other one.",
        "no problem",
        "What is wrong with my code?",
        "Is that wrong?",
        "That's wrong?",
        "No, is that wrong?",
        "It doesn't work, does it?",
        "Is it true that it still fails?",
        '"That\'s wrong" is what he said',
        "'That's wrong' - translate this into French",
        "> That's wrong.\nWhat did he mean?",
        "„Das stimmt nicht“ auf Englisch",
        "Translate: that's wrong",
        "Explain why this is wrong: 2+2=5",
        "It's wrong to lie.",
        "That's the wrong side of the road",
        "It doesn't work that way in Haskell.",
        "That didn't work out for Napoleon.",
        "It still doesn't rain, funny.",
        "If it still fails, try again",
        "Tell me when the tests still fail",
        "Write a test that still fails",
        "wrong order error in cobol",
        "not working hours in Germany",
        "incorrect answers are listed below, grade them",
        "Stimmt das nicht?",
        "Falsche Freunde im Englischen",
        "是不是错了？",
        "错了多少",
        "That's wrong. " + "x" * CHARS_MAX,
    ],
)
def test_what_only_sounds_like_it(text: str) -> None:
    assert not says_wrong(text)


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    says_wrong(text)
    says_wrong(f"no, {text}")


@given(st.sampled_from(["That's wrong", "it still fails", "das stimmt nicht", "不对"]))
def test_a_question_or_a_quote_is_none(text: str) -> None:
    assert says_wrong(text)
    assert not says_wrong(f"{text}?")
    assert not says_wrong(f'"{text}" - what is this?')
