"""The volatile signal: the answer to the prompt is true only now.

Dates, prices, weather, scores, news, whether something is up, who holds an office, "my orders". Heuristics
over the words of the last user message, without any inference; a text that only mentions such words (in
quotes, to be translated, as code) or tells all that its answer needs (a calculation) is not volatile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final, Literal

from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject
from router_extproc.signals.volatile_patterns import DIGEST, ENGLISH, ENGLISH_WORDS, OTHER_LANGUAGES

#: Characters read at each end of a longer prompt: the question stands before or behind what it is about.
EDGE_CHARS_MAX: Final = 200
#: Longer prompts in other languages than English are not read: their words are looked for without grammar.
FOREIGN_CHARS_MAX: Final = 120
LABELS: Final = tuple(pattern.label for pattern in ENGLISH)

_TYPOGRAPHIC: Final = str.maketrans(
    dict.fromkeys("\u2018\u2019", "'") | dict.fromkeys("\u201c\u201d\u201e", '"')
)
_QUOTED: Final = re.compile(r"\"[^\"]{0,400}\"?|`[^`]{0,400}`?|«[^»]{0,400}»?|(?<!\w)'[^']{1,400}'(?!\w)")
#: A text to work on stands behind the colon.
_BEHIND_COLON: Final = re.compile(r":\s.*", re.DOTALL)
_CODE: Final = re.compile(r"```|\w\.\w+\(|\w\(\)|=>|==|</\w|[{};]\s*(?:\n|$)")
#: The words are mentioned, a text is to be made up, a way is asked for, or the question has a date.
_MENTION: Final = re.compile(
    r"\b(?:translate|translation|synonym|antonym|meaning of|definition of|define"
    r"|the (?:word|phrase|term|sentence)"
    r"|(?:mean|say|called|spelled|is|was) .{0,30}\bin (?:french|german|spanish|italian|dutch|portuguese"
    r"|japanese|chinese|latin|korean|russian|polish|english)"
    r"|in (?:python|java|javascript|typescript|sql|bash|excel|php|ruby|rust|golang|c\+\+|c#|pandas|linux)"
    r"|(?:write|compose|create|generate|draft|make up|imagine|pretend|rewrite|paraphrase|role-?play"
    r"|act as)\b|suppose\b|you are an?\b"
    r"|essay|poem|story|haiku|lyrics|novel|fictional|theory|theorem|hypothetical"
    r"|how (?:do|can|could|should|would) (?:i|you|we|one)|how to|in (?:19|20)\d\d"
    r"|in (?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"|who (?:wrote|sang|directed|composed)|plot of|in journalism"
    r"|what (?:does|do) .{1,60} mean|(?:time|space) complexity|price of anarchy|now and then)\b"
)
#: A longer text with several numbers is a calculation: it says what its answer needs.
CALCULATION_CHARS_MIN: Final = 60
_NUMBER: Final = re.compile(
    r"\d[\d.,/]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|half|third|twice"
    r"|double|times|dozen)\b"
)
_DIGEST: Final = re.compile(DIGEST)
_WORD: Final = re.compile(r"[a-z']+")
_FOREIGN: Final = re.compile("|".join(rf"\b(?:{words})\b" for words in OTHER_LANGUAGES.values()))


class VolatileSettings(SignalSettings):
    """Matches when the answer is true only now: date, price, weather, status, news, "my orders"."""

    type: Literal["volatile"]

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return LABELS

    def open(self, name: str, classifiers: Classifiers) -> VolatileSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return VolatileSignal(name)


class VolatileSignal:
    """Tells why an answer is true only now. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal; the label is the kind of question."""
        label = volatile_label(subject.ask.reading)
        return Reading(self.name, label, 0.0 if label is None else 1.0)


def volatile_label(prompt: str) -> str | None:
    """Why the answer is true only now; None: it is not, as far as the words tell."""
    text = _ends(prompt).translate(_TYPOGRAPHIC).lower()
    words = set(_WORD.findall(text))
    words |= {word.partition("'")[0] for word in words}
    if words.isdisjoint(ENGLISH_WORDS) and len(text) > FOREIGN_CHARS_MAX:
        return None
    text = _asked(text)
    for pattern in ENGLISH:
        if not words.isdisjoint(pattern.words) and pattern.pattern.search(text):
            return pattern.label
    return "now" if text and len(text) <= FOREIGN_CHARS_MAX and _FOREIGN.search(text) else None


def _asked(text: str) -> str:
    """What is asked, without what is only mentioned; "" when all of it is, or the text holds the answer."""
    if _CODE.search(text) or _is_calculation(text):
        return ""
    text = " ".join(_BEHIND_COLON.sub("", _QUOTED.sub(" ", text)).split())
    return "" if _MENTION.search(text) and not _DIGEST.search(text) else text


def _is_calculation(text: str) -> bool:
    return len(text) >= CALCULATION_CHARS_MIN and len(list(islice(_NUMBER.finditer(text), 2))) > 1


def _ends(text: str) -> str:
    """The text, or both ends of one that is too long."""
    if len(text) <= 2 * EDGE_CHARS_MAX:
        return text
    return f"{text[:EDGE_CHARS_MAX]} ... {text[-EDGE_CHARS_MAX:]}"
