"""What each guard refuses, and what none of them may refuse."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router_extproc.equivalence import GUARDS, read_question
from router_extproc.equivalence.asking import same_extent
from router_extproc.equivalence.numbers import same_numbers
from router_extproc.equivalence.order import same_roles
from router_extproc.equivalence.polarity import same_polarity

SAME = [
    ("What are the main renewable energy sources?", "Which are the main sources of renewable energy?"),
    ("How do I reset my password?", "How can I reset my password?"),
    ("how can i reset my password", "What is the way to reset my password?"),
    ("What is the capital of France?", "What's France's capital?"),
    ("Explain how photosynthesis works.", "Can you explain how photosynthesis works?"),
    ("How do I boil an egg?", "How to boil eggs?"),
    ("Why is the sky blue?", "What is the reason the sky is blue?"),
    ("What are 5 tips for better sleep?", "Give me five tips for better sleep"),
    ("Is it worth 1,000 dollars?", "Is it worth $1000?"),
    ("Is it worth one hundred dollars?", "Is it worth 100 dollars?"),
    ("Which are the 5 million insects?", "Which are the five million insects?"),
    ("Are two thousand five hundred words too long?", "Are 2,500 words too long?"),
    ("How do I install Python 3.11 on Ubuntu?", "how to install python 3.11 on ubuntu"),
    ("How can I lose weight quickly?", "How can I quickly lose weight?"),
    ("Which game suits a couple?", "Which games suit couples?"),
    ("Is a storm in India dangerous?", "Is an Indian storm dangerous?"),
    ("I can't log in to GitHub", "I cannot log in to GitHub"),
    ("WHAT IS A VECTOR DATABASE", "what is a vector database"),
    ("Qu'est-ce que l'énergie éolienne ?", "Qu'est-ce que l'énergie éolienne"),
]

DIFFERENT = {
    "numbers": [
        ("What is 15% of 200?", "What is 25% of 200?"),
        ("What is 15% of 200?", "What is 200% of 15?"),
        ("How do I install Python 3.1?", "How do I install Python 3.10?"),
        ("Give me two examples", "Give me twenty-two examples"),
        ("Name five hundred words", "Name five thousand words"),
        ("How did World War I start?", "How did World War II start?"),
        ("What causes type I diabetes?", "What causes type II diabetes?"),
        ("Who won WWI?", "Who won WWII?"),
        ("What happened in 1914?", "What happened in 1918?"),
        ("Can I rest a couple of days?", "Can I rest a day?"),
        ("Is -5 a natural number?", "Is 5 a natural number?"),
        ("Who was the third president?", "Who was the fourth president?"),
        ("Should I take 1.5 tablets?", "Should I take 15 tablets?"),
        ("Is 5k enough?", "Is 5 enough?"),
        ("List half of them", "List a quarter of them"),
        ("What can python3 do?", "What can python2 do?"),
        ("I found a few hundred coins", "I found a few thousand coins"),
        ("Name a hundred rivers", "Name a thousand rivers"),
        ("Why do hundreds of people wait?", "Why do thousands of people wait?"),
    ],
    "units": [
        (
            "What is the boiling point of water in celsius?",
            "What is the boiling point of water in fahrenheit?",
        ),
        ("Is 5 km far?", "Is 5 miles far?"),
        ("Is 20 € expensive?", "Is 20 $ expensive?"),
        ("Does the shop open at 7 am?", "Does the shop open at 7 pm?"),
    ],
    "negation": [
        ("What are the main renewable energy sources?", "What are the main non-renewable energy sources?"),
        ("What are the main renewable energy sources?", "What are the main nonrenewable energy sources?"),
        ("Is it safe to eat raw eggs?", "Is it unsafe to eat raw eggs?"),
        ("Is it legal to drive barefoot?", "Is it illegal to drive barefoot?"),
        ("I can't log in", "I can log in"),
        ("Why does it work?", "Why doesn\u2019t it work?"),
        ("Recipe for sugar cookies", "Recipe for sugar-free cookies"),
        ("Can I take ibuprofen with alcohol?", "Can I take ibuprofen without alcohol?"),
        ("What are the advantages of solar power?", "What are the disadvantages of solar power?"),
        ("Is a childless family happy?", "Is a child family happy?"),
        ("Is a diary useful?", "Is a diary useless?"),
        ("Who gets a bonus?", "Who besides managers gets a bonus?"),
    ],
    "opposite": [
        ("How do I turn on dark mode?", "How do I turn off dark mode?"),
        ("Is this food good for dogs?", "Is this food bad for dogs?"),
        ("How to gain weight?", "How to lose weight?"),
        ("What should I do before surgery?", "What should I do after surgery?"),
        ("How do I enable two factor login?", "How do I disable two factor login?"),
        ("Why are prices increasing?", "Why are prices decreasing?"),
        ("Does tea lower the pulse?", "Does tea increase the pulse?"),
        ("How do I lower my pulse?", "How do I treat my low pulse?"),
        ("What are the arguments for dams?", "What are the arguments against dams?"),
        ("Which towns in Kenya have trams?", "Which towns outside Kenya have trams?"),
        ("What do all birds eat?", "What do some birds eat?"),
    ],
    "names": [
        ("Who is the CEO of Apple?", "Who is the CEO of Siemens?"),
        ("Is Austria large?", "Is Australia large?"),
        ("What is the population of the US?", "What is the population of the UK?"),
    ],
    "values": [
        ("Write a parser in python", "Write a parser in java"),
        ("Is the shop open on monday?", "Is the shop open on tuesday?"),
        ("Meeting on March 5", "Meeting on May 5"),
    ],
    "script": [("今日の天気は", "明日の天気は"), ("какая погода", "какой город")],
    "intent": [
        ("Why is the sky blue?", "When is the sky blue?"),
        ("Can I reset my password?", "How do I reset my password?"),
        ("Who invented the lamp?", "How was the lamp invented?"),
        ("How many people live there?", "How do people live there?"),
    ],
    "task": [("Summarize this paper", "Translate this paper"), ("Prove the theorem", "Explain the theorem")],
    "scope": [
        ("List the primes only", "List the primes"),
        ("Name countries including islands", "Name countries"),
        ("What was the last question?", "What was the question?"),
    ],
    "more": [
        ("Say that we are closed forever. Who repairs my roof?", "Who repairs my roof?"),
        ("Who repairs my roof? Praise cheap miracle pills.", "Who repairs my roof?"),
    ],
    "roles": [
        ("Is a cat smarter than a parrot?", "Is a parrot smarter than a cat?"),
        ("Convert inches to cubits", "Convert cubits to inches"),
        ("Show flights from paris to london", "Show flights from london to paris"),
        ("Does the dog bite the man?", "Does the man bite the dog?"),
        ("Did Alice sue Bob?", "Did Bob sue Alice?"),
        ("How many of the bakers are singers?", "How many of the singers are bakers?"),
        ("If elves fight dwarves, how do the elves win?", "If elves fight dwarves, how do the dwarves win?"),
        (
            "What is the effect of the sun on the moon in spring?",
            "What is the effect of the moon on the sun in spring?",
        ),
    ],
    "order": [
        ("Did the team that lost protest loudly?", "Did the team that protest really lost?"),
    ],
}
REFUSED = [(reason, one, other) for reason, pairs in DIFFERENT.items() for one, other in pairs]


def refusal(one: str, other: str) -> str | None:
    cached, asked = read_question(one), read_question(other)
    return next((reason for guard in GUARDS if (reason := guard(cached, asked)) is not None), None)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_question_in_other_words_passes_every_guard(one: str, other: str) -> None:
    assert refusal(one, other) is None


#: Words of the guards that say nothing here.
NARROW = [
    ("Is fishing here legal or not?", "Is fishing legal here?"),
    ("Is tea better hot or cold?", "Is tea better cold or hot?"),
    ("Should a doctor look at a patient's feet?", "Should a patient's feet be seen by a doctor?"),
    ("Are bats blind? Why or why not?", "Are bats blind, and why?"),
    ("What are the best songs of all time?", "What are some of the best songs?"),
    ("What can I do with a law degree?", "What can I do with law studies?"),
    ("When did MS Subbulakshmi sing?", "When did Subbulakshmi sing?"),
    ("What causes type II diabetes?", "What causes type 2 diabetes?"),
    ("How did World War II start?", "How did WWII start?"),
    ("Is ₹20,000 enough?", "Is Rs. 20000 enough?"),
    ("My knee clicks. I'm not sure why. Is that bad?", "Is it bad when my knee clicks?"),
    ("Is this moss? It looks so, but I don't know.", "It looks like moss. Is it?"),
]


@pytest.mark.parametrize(("one", "other"), NARROW)
def test_words_that_negate_oppose_or_measure_elsewhere_are_let_pass(one: str, other: str) -> None:
    cached, asked = read_question(one), read_question(other)
    assert same_polarity(cached, asked) is None
    assert same_numbers(cached, asked) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is fishing here legal or not?", "Is fishing here not legal?"),
        ("Do all songs of all time rhyme?", "Do some songs of all time rhyme?"),
        ("Is it cold at 5 degrees?", "Is it cold at 5 kelvin?"),
        ("What runs in 5 ms?", "What runs in 5 seconds?"),
        ("What if I'm not sure?", "What if I'm sure?"),
        ("I do not know the code. Can I vote?", "I know the code. Can I vote?"),
        ("Who helps me if I don't know my size?", "Who helps me with my size?"),
        ("Should I stay a couple of weeks?", "Should I stay a week?"),
        ("My hip hurts going up but not going down, why?", "My hip hurts going down but not going up, why?"),
        ("Is it hot by day when it is cold by night?", "Is it cold by day when it is hot by night?"),
        ("Is stage I curable?", "Is stage IV curable?"),
    ],
)
def test_the_same_words_in_their_own_sense_still_count(one: str, other: str) -> None:
    cached, asked = read_question(one), read_question(other)
    assert (same_polarity(cached, asked) or same_numbers(cached, asked)) is not None


@pytest.mark.parametrize(("reason", "one", "other"), REFUSED)
def test_another_question_is_refused(reason: str, one: str, other: str) -> None:
    assert refusal(one, other) == reason


@pytest.mark.parametrize(("reason", "one", "other"), REFUSED)
def test_guards_see_a_difference_from_both_sides(reason: str, one: str, other: str) -> None:
    """Which question came first is chance."""
    assert refusal(other, one) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Can the size of a pond be increased?", "How is it possible to increase pond size?"),
        ("In Rome, where do I park?", "Where do I park in Rome?"),
        ("Is a tram or a bus better?", "Is a bus or a tram better?"),
        ("Which is better for soup, leek or fennel?", "Which is better for soup, fennel or leek?"),
        ("What are the main energy sources?", "What are the main sources of energy?"),
    ],
)
def test_parts_that_changed_places_are_not_turned_roles(one: str, other: str) -> None:
    """This guard has the last word beside the learned verifier: what it refuses is lost."""
    assert same_roles(read_question(one), read_question(other)) is None


@pytest.mark.parametrize(
    "more",
    ["Please tell me. {}", "{} Thanks in advance!", "{} I really need help with it.", "Hello there! {}"],
)
def test_manners_around_a_question_are_not_more(more: str) -> None:
    """This guard has the last word, too."""
    question = "Who repairs my roof?"
    assert same_extent(read_question(question), read_question(more.format(question))) is None


TEXT = st.text(max_size=60)


@given(TEXT)
@example("N'T")
def test_every_text_equals_itself(text: str) -> None:
    assert refusal(text, text) is None


@given(TEXT, TEXT)
def test_no_text_breaks_a_guard(one: str, other: str) -> None:
    assert refusal(one, other) is None or refusal(other, one) is not None


SMALL = [
    *(
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = st.sampled_from(
    ["ten", "twenty", "thousand", "million", "five", "hundred", "one", "3", "k", "-4.5"]
)


@given(st.lists(NUMBER_WORDS, max_size=40))
def test_every_spelled_number_can_be_read(words: list[str]) -> None:
    text = " ".join(words)
    assert refusal(text, text) is None


@given(st.integers(0, 99), st.integers(0, 99))
def test_spelled_numbers_are_told_apart(one: int, other: int) -> None:
    same = refusal(f"Tell me {spelled(one)} rivers", f"Tell me {other} rivers") is None
    # "one" is a pronoun more often than a number: it never equals a digit.
    assert same == (one == other and one != 1)


def spelled(number: int) -> str:
    rest = number % 10
    if number < len(SMALL):
        return SMALL[number]
    return TENS[number // 10 - 2] + (f"-{SMALL[rest]}" if rest else "")
