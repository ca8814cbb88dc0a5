"""The guard over questions that are equal but for one word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import GUARDS, QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.replaced import same_but_one, same_words

QUESTIONS = Path(__file__).parents[2] / "samples" / "questions"
CONTRAST = [json.loads(line) for line in (QUESTIONS / "contrast.jsonl").read_text().splitlines()]

#: Another thing in one place.
ANOTHER = [
    ("How do I prune a rose bush?", "How do I prune a lilac bush?"),
    ("Should I stretch before a run?", "Must I stretch before a run?"),
    ("Do you deliver to Malta?", "Do you deliver from Malta?"),
    ("Who attended the fair?", "When attended the fair?"),
    ("Can I add too much salt?", "Can I add too little salt?"),
    ("Which dress suits her?", "Which dress suits him?"),
    ("What is in a contract?", "What is in a contact?"),
    ("How do I get a saw there?", "How do I get a see there?"),
    ("How long does glucose last?", "How long does glucagon last?"),
    ("What lives on the roof?", "What lives in a roof?"),
    ("Who waits at the gate?", "Who waits on the gate?"),
    ("Is it under glass?", "Is it in glass?"),
    ("Which plays are by Ibsen?", "Which plays are about Ibsen?"),
    ("Who voted for her?", "Who voted against her?"),
    ("Do I pay by Monday?", "Do I pay on Monday?"),
    ("How do I bring up a plan?", "How do I bring in a plan?"),
    ("Who wrote to us?", "Who wrote for us?"),
    ("Is the boat for Malta?", "Is the boat from Malta?"),
    ("Which of them helped me?", "Which of them helped her?"),
    ("Where is his bike?", "Where is my bike?"),
    ("Is that your bike?", "Is that their bike?"),
]
#: The same in one other word, form or spelling.
SAME = [
    ("How do I purchase a ticket?", "How do I buy a ticket?"),
    ("What colour is a robin?", "What color is a robin?"),
    ("How do I organise a party?", "How do I organize a party?"),
    ("How can I grow taller?", "How do I grow taller?"),
    ("Where can you rent a boat?", "Where can one rent a boat?"),
    ("How is depression treated?", "How are depressions treated?"),
    ("What is a good moveset?", "What is a good move set?"),
    ("How do I get accomodation there?", "How do I get accommodation there?"),
    ("How do I fix an embarassing mistake?", "How do I fix an embarrassing mistake?"),
    ("What was your trip like?", "How was your trip like?"),
    ("Can I use the restaurant?", "Can I use the restuarant?"),
    ("How do I feed my dog?", "How do I feed a dog?"),
    ("Can I swim here?", "May I swim here?"),
    ("What if I fall in love?", "What if I fell in love?"),
    ("Will the tax effect my rent?", "Will the tax affect my rent?"),
    ("How do I post on Quora?", "How do I post in Quora?"),
    ("Is the file on my laptop?", "Is the file in my laptop?"),
    ("Are there buses at the port?", "Are there buses in the port?"),
    ("What do you think of us?", "What do you think about us?"),
    ("How does it end up?", "How does it end out?"),
    ("How do I work with Excel?", "How do I work on Excel?"),
    ("Who did Ibsen visit?", "Whom did Ibsen visit?"),
    ("How do I hold his baby?", "How do I hold the baby?"),
    ("Will he like us?", "Will he like me?"),
    ("How do I change a bicycle tyre?", "How do I change a bicycle tire?"),
    ("How do I clean grey suede?", "How do I clean gray suede?"),
    ("How do I cash a cheque?", "How do I cash a check?"),
    ("How do I plough a field?", "How do I plow a field?"),
]
#: Too much differs for this guard: the net decides.
ELSEWHERE = [
    ("How do I set up a load balancer here?", "How do I set up a mail server here?"),
    ("How do I lose weight?", "What is a good way to slim down?"),
    ("ships", "boats"),
    ("What is the fastest way to learn to cook?", "What should I do to become a cook soon?"),
    ("", ""),
]


#: The same words but for articles, stress, forms and who asks.
SAME_WORDS = [
    ("What exactly does a notary do?", "What does a notary do?"),
    ("Is it really the end?", "Is it an end?"),
    ("How can I row?", "How should one row?"),
    ("Why do we dream?", "Why do people dream?"),
    ("How do I plant roses?", "How do you plant a rose?"),
]
OTHER_WORDS = [
    ("What do I do?", "What do they want?"),
    ("Can I row?", "Should I row?"),
    ("What could it mean?", "What should it mean?"),
    ("How did you row?", "How do you row?"),
    ("How do I fold my map?", "How do I fold a map?"),
    ("How do I fold this map?", "How do I fold the map?"),
    ("Do dogs chase cats?", "Do cats chase dogs?"),
    ("Does she row?", "Does he row?"),
    ("", ""),
]


@pytest.mark.parametrize(("one", "other"), SAME_WORDS)
def test_articles_stress_and_who_asks_leave_the_words_the_same(one: str, other: str) -> None:
    assert same_words(read_question(one), read_question(other))
    assert same_words(read_question(other), read_question(one))


@pytest.mark.parametrize(("one", "other"), OTHER_WORDS)
def test_everything_else_makes_them_other_words(one: str, other: str) -> None:
    assert not same_words(read_question(one), read_question(other))


@pytest.mark.parametrize(("one", "other"), ANOTHER)
def test_another_word_in_one_place_is_refused(one: str, other: str) -> None:
    assert same_but_one(read_question(one), read_question(other)) == "word"
    assert same_but_one(read_question(other), read_question(one)) == "word"


@pytest.mark.parametrize(("one", "other"), SAME + ELSEWHERE)
def test_other_words_for_the_same_are_left_to_the_net(one: str, other: str) -> None:
    assert same_but_one(read_question(one), read_question(other)) is None
    assert same_but_one(read_question(other), read_question(one)) is None


def test_scripts_without_spaces_are_not_compared_by_words() -> None:
    """A whole sentence would be one word."""
    assert same_but_one(read_question("東京 は 大きい"), read_question("東京 は 広い")) is None


def test_guards_refuse_nearly_all_contrast_questions_without_the_net() -> None:
    """Questions that differ in one word that counts; the net refuses the others (test_wrong_hits)."""
    passed = []
    for row in CONTRAST:
        one, other = read_question(row["text_a"]), read_question(row["text_b"])
        for pair in ((one, other), (other, one)):
            passed += [row] * all(guard(*pair) is None for guard in (*GUARDS, same_but_one))
    assert len(passed) <= 0.05 * 2 * len(CONTRAST)


@given(st.text(max_size=QUESTION_CHARS_MAX), st.text(max_size=60))
def test_no_text_makes_it_fail(one: str, other: str) -> None:
    first, second = read_question(one), read_question(other)
    assert same_but_one(first, second) == same_but_one(second, first)
    assert same_but_one(first, first) is None
