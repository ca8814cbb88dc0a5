"""The guard over raw texts: what encoder and verifier fold away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.written import is_same_text, same_writing

CASE = [
    ("Is it hard to find a job in IT?", "Is it hard to find a job in it?"),
    ("What does WHO recommend?", "What does who recommend?"),
    ("How much does a turkey cost?", "How much does a Turkey cost?"),
    ("Can polish remove rust?", "Can Polish remove rust?"),
    ("What is 5 Mb in bits?", "What is 5 MB in bits?"),
    ("How much power is 10 mW?", "How much power is 10 MW?"),
    ("Is Co toxic?", "Is CO toxic?"),
    ("What does ls -a list?", "What does ls -A list?"),
    ("What does sort -r do?", "What does sort -R do?"),
    ("What does \\d match in a regex?", "What does \\D match in a regex?"),
    ("Where do I use java?", "Where do I use Java?"),
    ("Is the us safe?", "Is the US safe?"),
    ("is it safe to work in it?", "Is it safe to work in IT?"),
    ("what is the capital of turkey", "What does turkey taste like in Turkey?"),
    ("What does df -h print?", "What does df -H print?"),
    ("Who was Bill?", "Who was bill?"),
    ("What is a pH meter?", "What is a PH meter?"),
    ("What does the variable N mean here?", "What does the variable n mean here?"),
    ("how fast is 100 mbps", "How fast is 100 MBps?"),
    ("Can a March be long?", "Can a march be long?"),
    ("Is True what true is?", "Is true what True is?"),
    ("Is i the same as I in Turkish?", "Is I the same as i in Turkish?"),
    ("What is the meaning of it?", "What is the meaning of IT?"),
]
SYMBOLS = [
    ("What does && do in bash?", "What does || do in bash?"),
    ("What does a++ do in C?", "What does a-- do in C?"),
    ("What does sort > out.txt do?", "What does sort < out.txt do?"),
    ("Is A- compatible with A+ blood?", "Is A+ compatible with A- blood?"),
    ("What is [1, 2] in Python?", "What is (1, 2) in Python?"),
    ("What does *args mean?", "What does **args mean?"),
    ("What is the port of 10.0.0.1?", "What is the port of 10.0.0.2?"),
    ("Is example.com for sale?", "Is example.org for sale?"),
    ("How do I open ~/notes?", "How do I open ./notes?"),
    ("What is new in v1.2.3?", "What is new in v1.3.2?"),
    ("What does != do in Lua?", "What does ~= do in Lua?"),
    ("Is C# hard?", "Is C++ hard?"),
    ("What is 8 / 2 * 4?", "What is 8 * 2 / 4?"),
    ("What is a - b?", "What is b - a?"),
    ("What is x² at 3?", "What is x³ at 3?"),
    ("What is the charge of Na+?", "What is the charge of Na-?"),
    ("What does git diff HEAD^ show?", "What does git diff HEAD~ show?"),
    ("What does rm -rf do?", "What does rm -fr do?"),
    ("What does 😀 mean?", "What does 😢 mean?"),
    ("What does ${x} expand to?", "What does $(x) expand to?"),
    ("What does ?? do in C#?", "What does ?. do in C#?"),
    ("Is 3 < 5?", "Is 3 > 5?"),
    ("Is alice@corp.com an admin?", "Is alice@corp.net an admin?"),
    ("What is under C:\\Users?", "What is under C:\\Windows?"),
    ("What does head > tail do?", "What does tail > head do?"),
    ("What is f(x) + g(x)?", "What is f(x) - g(x)?"),
    ("What does i += 1 do?", "What does i -= 1 do?"),
    ("Who ruled 1990-1995?", "Who ruled 1990, 1995?"),
    ("What is 6!?", "What is 6?"),
    ("What is 2e5?", "What is 2e-5?"),
    ("What does pushd - do?", "What does pushd . do?"),
    ("What does --force do?", "What does --force-with-lease do?"),
]
QUOTED = [
    ('What does "ship" mean?', 'What does "sheep" mean?'),
    ("What does 'it' mean?", "What does it mean?"),
    ("Translate into French: good night", "Translate into French: good morning"),
    ("Correct this sentence: he go home", "Correct this sentence: he goes home"),
    ("What rhymes with cat?", "What rhymes with bat?"),
    ("How do you spell colour?", "How do you spell color?"),
    ("Explain `map`", "Explain `filter`"),
    ("What is a synonym of happy?", "What is a synonym of glad?"),
    ("What does the word fast mean?", "What does the word quick mean?"),
    ("Was bedeutet „Bank“?", "Was bedeutet „Bänke“?"),
    ("How many letters has the word apple?", "How many letters has the word apples?"),
    ("Is “their” right here?", "Is “there” right here?"),
]
ACCENTS = [
    ("What is a résumé?", "What is a resume?"),
    ("¿Cuántos años tiene?", "¿Cuántos anos tiene?"),
    ("Ist das schon da?", "Ist das schön da?"),
    ("Où est la peche?", "Où est la pêche?"),
    ("Var ligger Hassle?", "Var ligger Hässle?"),
]
HARMLESS = [
    ("What is the capital of France?", "what is the capital of france?"),
    ("What is the capital of France?", "What is the capital of France ?"),
    ("What is the capital of France?", "WHAT IS THE CAPITAL OF FRANCE?"),
    ("What is the capital of France?", "What is the capital of France"),
    ("What is the capital of France?", "  What is  the capital\tof France?\n"),
    ("what does html stand for", "What does HTML stand for?"),
    ("How do I cancel my Netflix subscription?", "how do i cancel my netflix subscription"),
    ("What's the best way to learn?", "What’s the best way to learn?"),
    ('What does "ship" mean?', "What does “ship” mean?"),
    ("Is it cold in Berlin?", "is it cold in berlin?"),
    ("How long is a well-known film?", "How long is a well‑known film?"),
    ("Who won in 1998?", "who won in 1998"),
    ("How do I use salt & pepper?", "how do i use salt & pepper?"),
    ("What is (2 + 3) * 4?", "what is (2+3)*4"),
    ("Does it rain - or snow - there?", "Does it rain – or snow – there?"),
    ("What does grep -v do?", "what does grep -v do?"),
    ("Hello! How are you?", "hello! how are you?"),
    ("What is a naïve Bayes classifier?", "what is a naïve bayes classifier?"),
    ("Tell me about walking.", "Tell me about walking!"),
    ("Why don't birds fall?", "why dont birds fall?"),
    ("What's a koala?", "whats a koala"),
    ("What is a koala?", "What Is A Koala?"),
    ("How do I write a letter to a landlord?", "HOW DO I WRITE A LETTER TO A LANDLORD?"),
    ("What is the opposite of calm?", "WHAT IS THE OPPOSITE OF CALM?"),
    ("What is the weather like on Mars?", "what is the weather like on mars?"),
    ("How hot is Venus?", "how hot is venus"),
]
#: Other words for the same: this guard has nothing to say of them.
REPHRASED = [
    ("How do I reset my password?", "What is the way to change a forgotten password?"),
    ("What does grep -v do?", "Explain grep -v"),
    ("What does == do in JavaScript?", "Explain == in JavaScript"),
    ("What are the benefits of walking?", "Why is walking good for you?"),
    ("How tall is Mount Everest?", "What is the height of Mount Everest?"),
    ("What time is it in the U.S.?", "What time is it in the US?"),
    ("Is example.com down?", "Does example.com work?"),
    ("How much is 5 kg in pounds?", "How many pounds are 5kg?"),
]
DIFFERENT = [("case", CASE), ("symbols", SYMBOLS), ("quoted", QUOTED), ("accents", ACCENTS)]


@pytest.mark.parametrize(
    ("kind", "one", "other"), [(kind, *pair) for kind, pairs in DIFFERENT for pair in pairs]
)
def test_what_is_written_otherwise_is_another_question(kind: str, one: str, other: str) -> None:
    first, second = read_question(one), read_question(other)
    assert same_writing(first, second) is not None
    assert same_writing(second, first) is not None


@pytest.mark.parametrize(("one", "other"), HARMLESS)
def test_harmless_variants_are_the_same_text(one: str, other: str) -> None:
    first, second = read_question(one), read_question(other)
    assert same_writing(first, second) is None
    assert is_same_text(first, second)
    assert is_same_text(second, first)


@pytest.mark.parametrize(("one", "other"), REPHRASED)
def test_other_words_for_the_same_are_left_to_the_verifier(one: str, other: str) -> None:
    first, second = read_question(one), read_question(other)
    assert same_writing(first, second) is None
    assert not is_same_text(first, second)


@given(st.text(max_size=2 * QUESTION_CHARS_MAX))
def test_every_text_is_written_like_itself(text: str) -> None:
    assert same_writing(read_question(text), read_question(text)) is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_order_of_two_texts_does_not_matter(one: str, other: str) -> None:
    first, second = read_question(one), read_question(other)
    assert same_writing(first, second) == same_writing(second, first)


#: Slips of the keyboard and of tables, which change nothing.
SLIPS = [
    ("How do I calm a dog?Please help.", "How do I calm a dog? Please help."),
    ("Who are the founder(s) of Rome?", "Who is the founder of Rome?"),
    ('What is ""greenwashing"" about?', 'What is "greenwashing" about?'),
    ("Is the new Clio (2016) any good?", "Is the new 2016 Clio any good?"),
    ("What is the best bike below 15k?", "What is the best bike below 15K?"),
    ("Is it ok to whistle?", "Would it be OK to whistle?"),
    ('"Why do leaves fall in autumn?"', "Why do the leaves fall in autumn?"),
    ('"Why do leaves fall in autumn?', "Why do the leaves fall in autumn?"),
    ("Is my rash (itchy since Monday.) harmless?", "Is my itchy rash harmless?"),
    ("Are polyethylene bags (low-density ones) safe?", "Are polyethylene bags safe?"),
    ("Who repairs it (a few keys stick)?", "Who repairs it when a few keys stick?"),
    ("What can I get for Rs.500?", "What can I get for 500 Rs?"),
]


@pytest.mark.parametrize(("one", "other"), SLIPS)
def test_slips_of_the_keyboard_are_let_pass(one: str, other: str) -> None:
    assert same_writing(read_question(one), read_question(other)) is None
    assert same_writing(read_question(other), read_question(one)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does f(s) return here?", "What does f(t) return here?"),
        ("What is the scale of 15kb?", "What is the scale of 15Kb?"),
        ("What does (2) match?", "What does [2] match?"),
        ("Is (a-b)*c right here?", "Is a-(b*c) right there?"),
        ("Is option (a) right?", "Is option [a] right?"),
        ('"ls -l"', '"ls -L"'),
    ],
)
def test_what_looks_like_a_slip_and_is_code_still_counts(one: str, other: str) -> None:
    assert same_writing(read_question(one), read_question(other)) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is level a palindrome?", "Is levels a palindrome?"),
        ("Is run a noun?", "Is running a noun?"),
        ("How many syllables are in banana?", "How many syllables are in bananas?"),
        ("Does cat rhyme with hat?", "Does cats rhyme with hats?"),
    ],
)
def test_each_form_of_a_word_that_is_asked_about_is_another_word(one: str, other: str) -> None:
    assert same_writing(read_question(one), read_question(other)) == "quoted"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is level a palindrome?", "Is the word level a palindrome?"),
        ("Is run a noun?", "is run a noun"),
        ("How do I write cover letters?", "How does one write a cover letter?"),
    ],
)
def test_the_same_word_that_is_asked_about_is_the_same(one: str, other: str) -> None:
    assert same_writing(read_question(one), read_question(other)) is None
