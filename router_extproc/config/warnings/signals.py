"""Warnings of signals that always say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.complexity import ComplexitySettings
from router_extproc.signals.context_length import BYTES_PER_TOKEN, ContextLengthSettings
from router_extproc.signals.guard import GuardSettings
from router_extproc.signals.intent import IntentSettings
from router_extproc.signals.keywords import KeywordsSettings
from router_extproc.signals.language import LanguageSettings
from router_extproc.signals.similarity import SimilaritySettings
from router_extproc.signals.words import fold

#: Signals whose label hangs on a score alone.
_SCORED: Final = (ComplexitySettings, GuardSettings, IntentSettings, LanguageSettings, SimilaritySettings)
#: Those whose label is an alarm.
_ALARMS: Final = (ComplexitySettings, GuardSettings)


def warn_of_signals(subject: Subject) -> Iterator[ConfigWarning]:
    """Bounds that every request is inside, or none."""
    for name, signal in subject.config.signals.items():
        path = f"signals.{name}"
        yield from _warn_of_score(path, signal)
        if isinstance(signal, ContextLengthSettings):
            yield from _warn_of_length(path, signal, subject.config)
        if isinstance(signal, KeywordsSettings):
            yield from _warn_of_words(path, signal)


def _warn_of_score(path: str, signal: SignalSettings) -> Iterator[ConfigWarning]:
    if not isinstance(signal, _SCORED):
        return
    if signal.min_score >= 1:
        yield ConfigWarning(f"{path}.min_score", "no score reaches 1: the signal never has a label")
    if signal.min_score == 0 and isinstance(signal, _ALARMS):
        problem = f"every score reaches 0: every prompt is '{'|'.join(signal.labels() or ())}'"
        yield ConfigWarning(f"{path}.min_score", problem)


def _warn_of_length(path: str, signal: ContextLengthSettings, config: Config) -> Iterator[ConfigWarning]:
    if signal.min_tokens == 0 and signal.max_tokens is None:
        yield ConfigWarning(path, "has neither min_tokens nor max_tokens, so every request is in_range")
    largest = config.limits.max_body_bytes // BYTES_PER_TOKEN
    if signal.min_tokens > largest:
        problem = (
            f"no request is that long: limits.max_body_bytes ({config.limits.max_body_bytes}) is about"
            f" {largest} tokens"
        )
        yield ConfigWarning(f"{path}.min_tokens", problem)


def _warn_of_words(path: str, signal: KeywordsSettings) -> Iterator[ConfigWarning]:
    def folded(word: str) -> str:
        return fold(word, case_sensitive=signal.case_sensitive)

    seen: dict[str, str] = {}
    for index, word in enumerate(signal.any):
        if folded(word) in seen:
            problem = f"'{word}' equals '{seen[folded(word)]}' before it, so it is never the label"
            yield ConfigWarning(f"{path}.any[{index}]", problem)
        seen.setdefault(folded(word), word)
    forbidden = {folded(word) for word in signal.none}
    for key, words in (("any", signal.any), ("all", signal.all)):
        for index, word in enumerate(words):
            if folded(word) in forbidden:
                yield ConfigWarning(
                    f"{path}.{key}[{index}]", f"'{word}' is in none, too, so it never matches"
                )
