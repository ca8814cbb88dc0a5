"""The keywords signal: words, phrases and patterns that a request has, or has not.

`any` and `regex` ask for one of them, `all` for every one, `none` for the absence of each; what is written
must hold together. How a word is found is in `words.py`, how a pattern in `patterns.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.section import Section
from router_extproc.signals.base import Reading, SignalSettings, Subject
from router_extproc.signals.patterns import Pattern, PatternError
from router_extproc.signals.texts import TextPart, texts_of
from router_extproc.signals.words import (
    BORDER,
    FoldedText,
    Keyword,
    Keywords,
    Misspelt,
    Tolerance,
    exact,
    fold,
    is_searched,
    tolerance_of,
)

#: The label where no word or pattern is asked for that could be one.
MATCHED: Final = "matched"
#: Words of a signal that finds misspelt ones: each is compared with every word of a text.
FUZZY_WORDS_MAX: Final = 200
#: Words of one signal. Only those of which a text has a word are looked for.
WORDS_MAX: Final = 20_000
#: Of these, such as have no word to look up first (Chinese, Japanese, Thai; signs): each searches the text.
SEARCHED_MAX: Final = 1_000
PATTERNS_MAX: Final = 32


class Edits(Section):
    """How many letters may be wrong."""

    #: Letters added, left out, changed or swapped with their neighbour; in a word of fewer than six letters
    #: one at most, in one of fewer than four none.
    max_edits: Literal[1, 2]


class KeywordsSettings(SignalSettings):
    """Matches when the request has the words (whole words, case folded) and patterns that are asked for."""

    type: Literal["keywords"]
    #: Words or phrases of which one is needed; the first that is found is the label.
    any: tuple[str, ...] = ()
    #: Words or phrases that are all needed.
    all: tuple[str, ...] = ()
    #: Words or phrases of which none may be there.
    none: tuple[str, ...] = ()
    #: Patterns of RE2, one of which does like a word of `any`; with names (`{ticket: 'OPS-\d+'}`), the
    #: name is the label.
    regex: Annotated[tuple[str, ...], Field(max_length=PATTERNS_MAX)] | dict[str, str] = ()
    #: Finds misspelt words, too: {max_edits: 1 or 2}, or the share of a word that must be right. None: it
    #: does not.
    fuzzy: Edits | Annotated[float, Field(ge=0.5, lt=1)] | None = None
    #: Whether ASAP and asap are two words.
    case_sensitive: bool = False
    #: What is read: the ask, system prompts, the turns before, or what tools returned.
    parts: tuple[TextPart, ...] = Field(default=("ask",), min_length=1)

    @property
    def finds_several(self) -> bool:
        """See SignalSettings."""
        return len(self.labels()) > 1

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if not any((self.any, self.all, self.none, self.regex)):
            yield ConfigError(path, "needs at least one of any, all, none and regex")
        for key, words in self._lists():
            for index, word in enumerate(words):
                if not word.strip():
                    yield ConfigError(f"{path}.{key}[{index}]", "must not be empty")
        count = sum(len(words) for _, words in self._lists())
        if count > WORDS_MAX:
            yield ConfigError(path, f"has {count} words; at most {WORDS_MAX} are allowed: split the signal")
        searched = sum(is_searched(word) for _, words in self._lists() for word in words)
        if searched > SEARCHED_MAX:
            problem = f"has {searched} words in scripts without spaces, or of signs; at most {SEARCHED_MAX}"
            yield ConfigError(path, f"{problem} are allowed: split the signal")
        if self.fuzzy is not None and count > FUZZY_WORDS_MAX:
            problem = f"is for {FUZZY_WORDS_MAX} words at most, got {count}: split the signal"
            yield ConfigError(f"{path}.fuzzy", problem)
        yield from self._pattern_problems(f"{path}.regex")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (*self.any, *self.patterns()) or (MATCHED,)

    def patterns(self) -> Mapping[str, str]:
        """Pattern by label."""
        if isinstance(self.regex, dict):
            return self.regex
        return {pattern: pattern for pattern in self.regex}

    def open(self, name: str, classifiers: Classifiers) -> KeywordsSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        edits = self.fuzzy.max_edits if isinstance(self.fuzzy, Edits) else self.fuzzy
        return KeywordsSignal(
            name,
            self.any,
            all_of=self.all,
            none_of=self.none,
            patterns=self.patterns(),
            tolerance=exact if edits is None else tolerance_of(edits),
            case_sensitive=self.case_sensitive,
            parts=self.parts,
        )

    def _lists(self) -> tuple[tuple[str, Sequence[str]], ...]:
        return (("any", self.any), ("all", self.all), ("none", self.none))

    def _pattern_problems(self, path: str) -> Iterator[ConfigError]:
        if len(self.regex) > PATTERNS_MAX:
            yield ConfigError(path, f"has {len(self.regex)} patterns; at most {PATTERNS_MAX} are allowed")
            return
        named = isinstance(self.regex, dict)
        for index, (label, pattern) in enumerate(self.patterns().items()):
            where = f"{path}.{label}" if named else f"{path}[{index}]"
            if not pattern or not label:
                yield ConfigError(where, "must not be empty")
                continue
            try:
                Pattern(pattern)
            except PatternError as error:
                yield ConfigError(where, str(error))


class KeywordsSignal:
    """The first keyword or pattern, in the order given, that the request has. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(
        self,
        name: str,
        any_of: Sequence[str] = (),
        *,
        all_of: Sequence[str] = (),
        none_of: Sequence[str] = (),
        patterns: Mapping[str, str] | None = None,
        tolerance: Tolerance = exact,
        case_sensitive: bool = False,
        parts: Sequence[TextPart] = ("ask",),
    ) -> None:
        """A keyword of nothing but white space never matches; `patterns` are by label, and sound."""
        self.name = name
        self._case_sensitive = case_sensitive
        self._parts = tuple(parts)

        def keywords(words: Iterable[str]) -> Keywords:
            found = (Keyword.of(word, case_sensitive=case_sensitive, tolerance=tolerance) for word in words)
            return Keywords(filter(None, found))

        self._any, self._all, self._none = map(keywords, (any_of, all_of, none_of))
        #: The same word, written twice, is asked for once.
        self._all_count = len({keyword.word for keyword in self._all})
        self._misspelt = Misspelt((*self._any, *self._all, *self._none))
        compiled = (patterns or {}).items()
        self._patterns = {label: Pattern(each, case_sensitive=case_sensitive) for label, each in compiled}
        self._asks_for_one = bool(any_of or patterns)

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal; a label is the keyword as it was configured, or the pattern's name."""
        raw = BORDER.join(texts_of(subject, self._parts))
        text = FoldedText(fold(raw, case_sensitive=self._case_sensitive), self._misspelt)
        needed = self._all.scores_in(text)
        if len(needed) < self._all_count or self._none.scores_in(text):
            return Reading(self.name, None, 0.0)
        found = {MATCHED: 1.0} if not self._asks_for_one else self._found(raw, text)
        if not found:
            return Reading(self.name, None, 0.0)
        label = next(iter(found))
        return Reading(self.name, label, min((found[label], *needed.values())), found, also=tuple(found)[1:])

    def _found(self, raw: str, text: FoldedText) -> dict[str, float]:
        """Every word of `any` and every pattern that is there, in the order given."""
        there = {label: 1.0 for label, pattern in self._patterns.items() if pattern.is_in(raw)}
        return {**self._any.scores_in(text), **there}
