"""Which language a question is read as, and what is left to the rules of English."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.languages import ENGLISH, OTHER, Languages, Matching, read_known

LANGUAGES = Languages.of(read_known())
#: In languages that no file is for, and mixed.
UNKNOWN = [
    ("Må jeg drikke kaffe om aftenen?", "Må jeg ikke drikke kaffe om aftenen?"),
    ("Miten kytken valot päälle?", "Miten kytken valot pois päältä?"),
    ("Szabad este kávét inni?", "Nem szabad este kávét inni?"),
    ("Mohu večer pít kávu?", "Nemohu večer pít kávu?"),
    ("Můžu jíst před testem?", "Můžu nejíst před testem?"),
    ("هل يمكنني شرب القهوة ليلا؟", "هل لا يمكنني شرب القهوة ليلا؟"),
    ("क्या मैं रात में कॉफी पी सकता हूँ?", "क्या मैं रात में कॉफी नहीं पी सकता हूँ?"),
    ("Pot să beau cafea seara?", "Nu pot să beau cafea seara?"),
    ("Saya boleh makan sebelum tes?", "Saya tidak boleh makan sebelum tes?"),
    ("Чи можна пити каву ввечері?", "Чи не можна пити каву ввечері?"),
    ("How do I install das Update nicht?", "How do I install das Update?"),
    ("Wo ist le bureau?", "Hallo, wo ist le bureau?"),
    ("Was bedeutet Plastid?", "Was bedeutet nicht Plastid?"),
    ("Was will Anna?", "Was will Anna nicht?"),
    ("ใครเขียน The Lord of the Rings", "ใครไม่เขียน The Lord of the Rings"),
    ("kak vklyuchit uvedomleniya", "kak vyklyuchit uvedomleniya"),
    ("zenme dakai lanya", "zenme guanbi lanya"),
    ("How do I turn on the lamp?", "Wie schalte ich die Lampe ein?"),
    ("¿Cómo cambio mi contraseña?", "Como mudo minha senha?"),
    ("Wie kann ich meine to do list löschen?", "Wie kann ich meine to do list nicht löschen?"),
    ("怎么打开 the bluetooth?", "怎么关闭 the bluetooth?"),
]


@pytest.mark.parametrize(("one", "other"), UNKNOWN)
def test_other_words_of_unknown_and_mixed_languages_are_refused(one: str, other: str) -> None:
    for pair in ((one, other), (other, one)):
        matching = LANGUAGES.compare(*map(read_question, pair))
        assert matching is not None
        assert not matching.is_same


@pytest.mark.parametrize("text", [one for one, _ in UNKNOWN])
def test_the_same_words_of_any_language_are_the_same(text: str) -> None:
    matching = LANGUAGES.compare(read_question(text), read_question(f" {text} ".replace("?", "")))
    assert matching is None or matching.is_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I reset my password?", "What can I do to reset my password?"),
        ("What is the weather like in Los Angeles?", "How is the weather in Los Angeles?"),
        ("Best homemade toppings for bread?", "What are the best homemade toppings for bread?"),
        ("Healthy breakfast ideas", "Ideas for a healthy breakfast"),
    ],
)
def test_english_is_left_to_the_rules_of_english(one: str, other: str) -> None:
    assert LANGUAGES.compare(read_question(one), read_question(other)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Python list sort absteigend", "Python list sort aufsteigend"),
        ("cheap flights Roma Milano", "cheap flights Milano Torino"),
    ],
)
def test_keywords_that_differ_in_words_of_no_english_are_refused(one: str, other: str) -> None:
    assert LANGUAGES.compare(read_question(one), read_question(other)) == Matching(False, "language")


def test_english_that_is_not_listed_is_matched_exactly() -> None:
    german_only = Languages.of(LANGUAGES.known.values(), {"de"})
    one, other = read_question("How do I reset my password?"), read_question("how do I reset a password")
    assert german_only.compare(one, other) == Matching(is_same=False, reason="language")
    assert german_only.compare(one, read_question("how do i reset my password")) == Matching(is_same=True)


@pytest.mark.parametrize(
    ("text", "code", "matched"),
    [
        ("Wie spät ist es?", "de", True),
        ("What time is it?", ENGLISH, True),
        ("Hvad er klokken?", OTHER, False),
        ("Сколько времени?", "ru", True),
        ("Пĥĥ", OTHER, False),
        ("Kuka on presidentti?", OTHER, True),  # ASCII words that tell nothing might be English
        ("", OTHER, True),
    ],
)
def test_a_text_is_read_as_a_language(text: str, code: str, matched: bool) -> None:  # noqa: FBT001
    told = LANGUAGES.read(text)
    assert (told.code, told.is_matched) == (code, matched)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("Darf ich hier parken?", "Darf ich hier nicht parken?", "negation"),
        ("Wie kann ich Cookies aktivieren?", "Wie kann ich Cookies deaktivieren?", "opposite"),
        ("Wie weit sind 20 Meilen?", "Wie weit sind 30 Meilen?", "numbers"),
        ("Wer hat das gebaut?", "Wann hat das gebaut?", "intent"),
        ("Der Hund jagt die Katze wo?", "Die Katze jagt der Hund wo?", "order"),
        ("Wie öffne ich die Datei?", "Wie lösche ich die Datei?", "words"),
        ("Wie nutze ich C++ mit Qt?", "Wie nutze ich C mit Qt?", "symbols"),
        ("Wieviel Grad hat es in Paris?", "Wieviel Grad hat es in paris?", "case"),
        ("Казнить, нельзя помиловать", "Казнить нельзя, помиловать", "words"),
    ],
)
def test_a_refusal_says_what_differs(one: str, other: str, reason: str) -> None:
    matching = LANGUAGES.compare(read_question(one), read_question(other))
    assert matching == Matching(is_same=False, reason=reason)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wie nutze ich C++, danke", "Wie nutze ich C, danke"),
        ("Wie nutze ich C++ bitte mit Qt?", "Wie nutze ich C bitte mit Qt?"),
        ("Wie sagt man bitte auf Dänisch?", "Wie sagt man auf Dänisch?"),
        ("Hallo heißt auf Dänisch was?", "Moin heißt auf Dänisch was?"),
        ("Salut Yann est un film de qui ?", "Yann est un film de qui ?"),
        ("Wer singt den Titel Bonjour Tristesse?", "Wer singt den Titel Tristesse?"),
        ("Bonjour Tristesse, qui est son auteur ?", "Tristesse, qui est son auteur ?"),
        ('Wie reagiere ich auf "bitte"?', 'Wie reagiere ich auf "danke"?'),
    ],
)
def test_what_is_taken_away_takes_nothing_with_it(one: str, other: str) -> None:
    matching = LANGUAGES.compare(read_question(one), read_question(other))
    assert matching is not None
    assert not matching.is_same


@pytest.mark.parametrize("text", ["bitte " * 400, "a, " * 700, "请问" * 1000, "'s " * 700])
def test_hostile_text_is_compared(text: str) -> None:
    longest = text[: QUESTION_CHARS_MAX - 1]
    one, other = read_question(f"{longest}x"), read_question(f"{longest}y")
    assert LANGUAGES.compare(one, other) != Matching(is_same=True)
