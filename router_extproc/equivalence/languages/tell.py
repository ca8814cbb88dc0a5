"""Which language a question is in, by its script and its common short words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from router_extproc.equivalence.language import ENGLISH, ENGLISH_TELLS, ENGLISH_WORDS, is_english
from router_extproc.equivalence.languages.language import Language
from router_extproc.equivalence.words import Question
from router_extproc.equivalence.writing import plain_marks

_HANGUL: Final = re.compile(r"[\uac00-\ud7af]")
_KANA: Final = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]")
#: Each by the first script that a text has a letter of.
_SCRIPTS: Final = (("hangul", _HANGUL), ("kana", _KANA), ("han", _HAN), ("cyrillic", _CYRILLIC))
_ANY_SCRIPT: Final = re.compile(r"[\u0400-\u04ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]")
_ASCII: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
#: The last Latin letter with a place of its own.
_LATIN_LAST: Final = "\u024f"
#: Words of other languages that English bears, one to so many of its own (Los Angeles, Rio de Janeiro).
_OWN_TO_FOREIGN: Final = 3
#: Without a word that only one language has, so many that several have.
_SHARED_MIN: Final = 2
#: Share of the words that tell, at the least.
_SHARE_MIN: Final = 0.15


class Teller:
    """Tells the language of questions; frozen after it is made."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self._by_code: Final = {language.code: language for language in languages}
        self._by_script: Final = {
            script: [language for language in languages if language.script == script]
            for script in ("hangul", "kana", "han", "cyrillic", "latin")
        }
        self._telling: Final = {
            word: [
                language.code for language in languages if word in language.tells or word in language.shared
            ]
            for language in languages
            for word in (*language.tells, *language.shared)
        }
        self._known: Final = {language.code: language.tells | language.shared for language in languages}
        self._own: Final = {language.code: _own_words(language) for language in languages}
        self._foreign: Final = (
            frozenset(word for language in languages for word in language.tells | language.others)
            - ENGLISH_WORDS
        )

    def tell(self, question: Question) -> str | None:
        """The code; None: not known, mixed, or too little to tell."""
        script = _script(question.text)
        if script in {"hangul", "kana", "han"}:
            return self._by_characters(question, script)
        best = self._best(question, script)
        if script != "latin" or not question.once(is_english):
            return best
        english = sum(word in ENGLISH_TELLS for word in question.words)
        if best is not None:
            return best if self._hits(question, best) > english else None
        return None if self._bears_foreign(question) else ENGLISH

    def is_foreign(self, question: Question) -> bool:
        """True when a word or a letter tells a language other than English."""
        words = question.words
        return not plain_marks(question.text).isascii() or not self._foreign.isdisjoint(words)

    def _bears_foreign(self, question: Question) -> bool:
        words = question.words
        if any(letter > _LATIN_LAST for word in words for letter in word):
            return True
        foreign = sum(word in self._foreign or not word.isascii() for word in words)
        return foreign * _OWN_TO_FOREIGN > sum(word in ENGLISH_WORDS for word in words)

    def _by_characters(self, question: Question, script: str) -> str | None:
        """The only language of the script, unless the text is mixed with another language."""
        languages = self._by_script[script]
        latin = [word for word in question.words if word.isascii()]
        if not languages or any(word in ENGLISH_TELLS or word in self._foreign for word in latin):
            return None
        others = [letters for name, letters in _SCRIPTS if name in {"hangul", "kana", "cyrillic"} - {script}]
        return None if any(letters.search(question.text) for letters in others) else languages[0].code

    def _best(self, question: Question, script: str) -> str | None:
        words = question.words
        letters = frozenset("".join(words)) - _ASCII
        spelled = {each.code for each in self._by_script[script] if letters <= each.letters}
        hits = Counter(code for word in words for code in self._telling.get(word, ()) if code in spelled)
        ranked = hits.most_common(2)
        if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return None
        code, count = ranked[0]
        language = self._by_code[code]
        known = self._known[code]
        telling = [word for word in words if word in known and word not in ENGLISH_WORDS]
        is_enough = count >= _SHARE_MIN * len(words) and (
            any(word in language.tells for word in telling) or len(telling) >= _SHARED_MIN
        )
        return code if is_enough and not self._is_mixed(words, code, count) else None

    def _hits(self, question: Question, code: str) -> int:
        return sum(code in self._telling.get(word, ()) for word in question.words)

    def _is_mixed(self, words: Sequence[str], code: str, count: int) -> bool:
        language, own = self._by_code[code], self._own[code]
        if any(word in language.others and word not in own for word in words):
            return True
        foreign = sum(word not in own and (word in self._foreign or word in ENGLISH_TELLS) for word in words)
        return foreign * _OWN_TO_FOREIGN > count


def _script(text: str) -> str:
    if text.isascii() or not _ANY_SCRIPT.search(text):
        return "latin"
    return next(name for name, letters in _SCRIPTS if letters.search(text))


def _own_words(language: Language) -> frozenset[str]:
    """Every single word that its file names."""
    lists = (language.negations, language.questions, language.mentions)
    single = (word for each in lists for word, phrases in each.items() if (word,) in phrases)
    pairs = (word for pair in language.opposites for word in pair)
    return frozenset((*language.tells, *language.shared, *language.numbers, *single, *pairs))
