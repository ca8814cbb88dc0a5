"""The guard over languages: what the others do not know is shared in the same words only."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.equivalence.language import is_english, same_language

FOREIGN = [
    ("Darf ich mit Husten schwimmen?", "Darf ich mit Husten nicht schwimmen?"),
    ("Comment activer les notifications ?", "Comment désactiver les notifications ?"),
    ("Posso tomar café à noite?", "Não posso tomar café à noite?"),
    ("¿Puedo comer antes de la prueba?", "¿No puedo comer antes de la prueba?"),
    ("Quante uova servono per due persone?", "Quante uova servono per tre persone?"),
    ("Kan ik hier met pin betalen?", "Kan ik hier niet met pin betalen?"),
    ("Czy mogę pić alkohol w ciąży?", "Czy nie mogę pić alkoholu w ciąży?"),
    ("Får jag ta med hunden?", "Får jag inte ta med hunden?"),
    ("Можно ли плавать после еды?", "Нельзя ли плавать после еды?"),
    ("Telefonu nasıl açarım?", "Telefonu nasıl kapatırım?"),
    ("怎么打开蓝牙？", "怎么关闭蓝牙？"),
    ("音量を上げるには？", "音量を下げるには？"),
    ("알림을 켜는 방법은?", "알림을 끄는 방법은?"),
    ("Miten kytken valot päälle?", "Miten kytken valot pois päältä?"),
    ("Saya boleh makan sebelum tes?", "Saya tidak boleh makan sebelum tes?"),
    ("How do I turn on the lamp?", "Wie schalte ich die Lampe ein?"),
]
ENGLISH = [
    "How do I reset my password?",
    "What is the capital of France?",
    "Tell me about rivers.",
    "Explain photosynthesis",
    "Who wrote Faust?",
    "Write a poem on autumn",
    "Best way to learn Rust?",
    "Is it cold in Berlin?",
    "Why does Python have a GIL?",
    "What does the German word Schadenfreude mean?",
    "Can turpentine dissolve polystyrene?",
    "Does chlorine bleach denim?",
    "Is Malta a rich country?",
]
#: One of each is English beyond doubt, and the other is made of its words.
BESIDE_ENGLISH = [
    ("Is asbestos a dangerous mineral?", "Is asbestos dangerous?"),
    ("Does soot really cause corrosion?", "Is soot corrosive?"),
    ("What are the advanced topics in chess?", "Advanced topics chess"),
    ("Is lupin bad for my health?", "Is lupin dangerous to health?"),
    ("Will the merger really happen?", "Is the merger likely to happen?"),
    ("Do firefighters have holidays like other people?", "Do firefighters get holidays?"),
]
#: So is none of these: words that the English question lacks may mean anything.
BESIDE_FOREIGN = [
    ("Is asbestos a dangerous mineral?", "Is asbestos gevaarlijk?"),
    ("Is asbestos a dangerous mineral?", "Is asbestos niet gevaarlijk?"),
    ("Can I swim with a cough?", "Kan ik met hoest zwemmen?"),
]


@pytest.mark.parametrize(("one", "other"), FOREIGN)
def test_other_words_of_another_language_are_refused(one: str, other: str) -> None:
    assert same_language(read_question(one), read_question(other)) == "language"
    assert same_language(read_question(other), read_question(one)) == "language"


@pytest.mark.parametrize("text", [one for one, _ in FOREIGN])
def test_the_same_words_of_any_language_pass(text: str) -> None:
    assert same_language(read_question(text), read_question(f" {text.lower()}")) is None


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_known(text: str) -> None:
    assert is_english(read_question(text))


@pytest.mark.parametrize(("one", "other"), BESIDE_ENGLISH)
def test_a_short_question_is_english_beside_an_english_one_with_its_words(one: str, other: str) -> None:
    assert same_language(read_question(one), read_question(other)) is None
    assert same_language(read_question(other), read_question(one)) is None


@pytest.mark.parametrize(("one", "other"), BESIDE_FOREIGN)
def test_another_language_beside_an_english_question_is_refused(one: str, other: str) -> None:
    assert same_language(read_question(one), read_question(other)) == "language"
    assert same_language(read_question(other), read_question(one)) == "language"
