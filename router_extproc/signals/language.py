"""The language signal: which language a prompt is written in, as an ISO 639-1 code.

py3langid decides, with a small model inside its package; the encoder is not asked. Only both ends of a long
text are read. A text without letters has no language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier
from pydantic import Field

from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: Characters read at each end of a longer text: a hundred words settle the question, and normalising
#: takes time that grows with the square of a run of combining marks.
EDGE_CHARS_MAX = 600
#: Below it nothing in the text spoke for any language.
KNOWN_SCORE_MIN = 0.03
#: What is told apart: the languages of the library that have an ISO 639-1 code, without Aragonese,
#: Latin, Northern Sami, Sanskrit, Volapük and Walloon, which would take short texts of large neighbours.
LANGUAGES = (
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "br", "bs", "ca", "cs", "cy", "da", "de",
    "dz", "el", "en", "eo", "es", "et", "eu", "fa", "fi", "fo", "fr", "fy", "ga", "gd", "gl", "gu",
    "ha", "he", "hi", "hr", "ht", "hu", "hy", "id", "ig", "is", "it", "ja", "jv", "ka", "kk", "km",
    "kn", "ko", "ku", "ky", "lb", "lg", "ln", "lo", "lt", "lv", "mg", "mk", "ml", "mn", "mr", "ms",
    "mt", "my", "ne", "nl", "nn", "no", "oc", "om", "or", "pa", "pl", "ps", "pt", "qu", "ro", "ru",
    "rw", "si", "sk", "sl", "sn", "so", "sq", "sr", "st", "sv", "sw", "ta", "te", "tg", "th", "tk",
    "tl", "tr", "tt", "ug", "uk", "ur", "uz", "vi", "xh", "yo", "zh", "zu",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tongue:
    """The likeliest language of a text."""

    #: ISO 639-1; None: nothing in the text tells.
    lang: str | None
    #: In [0, 1].
    score: float


UNKNOWN = Tongue(None, 0.0)


class LanguageSettings(SignalSettings):
    """The language of the prompt, as an ISO 639-1 code."""

    type: Literal["language"]
    #: Below it the reading has no label.
    min_score: float = Field(default=0.3, ge=0, le=1)

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return LANGUAGES

    def open(self, name: str, classifiers: Classifiers) -> LanguageSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        open_identifier()
        return LanguageSignal(name, score_min=self.min_score)


class LanguageSignal:
    """The language of the prompt. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, *, score_min: float = 0.3) -> None:
        self.name = name
        self._score_min = score_min

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        tongue = find_language(subject.ask.reading)
        label = tongue.lang if tongue.score >= self._score_min else None
        return Reading(self.name, label, tongue.score)


def find_language(text: str) -> Tongue:
    """The likeliest language of a text; of a long one, by its beginning and its end."""
    part = cut_ends(text)
    if not any(map(str.isalpha, part)):
        return UNKNOWN
    lang, score = open_identifier().classify(part)
    return Tongue(str(lang), min(1.0, float(score))) if score >= KNOWN_SCORE_MIN else UNKNOWN


def cut_ends(text: str) -> str:
    """The text, or both ends of one that is too long."""
    if len(text) <= 2 * EDGE_CHARS_MAX:
        return text
    return f"{text[:EDGE_CHARS_MAX]} {text[-EDGE_CHARS_MAX:]}"


@cache
def open_identifier() -> LanguageIdentifier:
    """The library's model for LANGUAGES; it is read once in a process (one to two seconds)."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
