"""Names and places that the task layers found: which of them count.

The encoder does not see letter case, so this does. A word in lower case is seldom a name, and names in short
commands ("call bob") say little of anybody. Such a find counts when the text says whose name or place it is,
holds another personal fact, or when the task layers are nearly certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from router_extproc.models.base import NameSpan
from router_extproc.signals.pii.patterns import Span

#: Kinds that have no form; the task layers find them.
NAMES: Final = ("PERSON", "STREET_ADDRESS", "LOCATION", "ORGANIZATION")
#: The score from which a name counts.
NAME_SCORE_MIN: Final = 0.8
#: The score from which a name in lower case counts with nothing else to support it.
LOWER_CASE_SCORE_MIN: Final = 0.999
#: Characters before a name that may say whose it is.
BEFORE_CHARS_MAX: Final = 40
#: Such words right before a name: "my name is", "she lives in", "dr.".
CUE: Final = re.compile(
    r"""(?:
        (?:\b(?:my|his|her|their|the|first|last|full|middle|maiden|user|real)\ ?|^)name(?:\ (?:is|was))?
      | \b(?:i\ am|i'm|this\ is|named|signed|sincerely|regards)
      | \b(?:mr|mrs|ms|dr|prof)\.? | \bmiss
      | \b(?:i|we|he|she|they|who)\ (?:lived?|lives|resided?|resides|moved|work(?:s|ed)?|grew\ up
        |(?:was|were)\ born)
        (?:\ here)?(?:\ (?:in|at|near|from|to|for|with))?
      | \bborn\ (?:in|at)
      | \b(?:i\ am|i'm|is|are|was|were|comes?)\ from
      | \baddress(?:\ is)?
    )[,:]?\s*\Z""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def counted_names(
    text: str, names: Sequence[NameSpan], forms: Sequence[Span], score_min: float
) -> Iterator[NameSpan]:
    """The names of `text` that count, in order. `forms`: what was found in it by form."""
    likely = [name for name in names if name.score >= score_min]
    supported = bool(forms) or any(_is_address(text, name) for name in likely)
    for name in likely:
        if supported or name.score >= LOWER_CASE_SCORE_MIN or _is_told(text, name):
            yield name


def join_spans(spans: Sequence[Span], names: Iterable[NameSpan]) -> list[Span]:
    """Finds by form and names, in order; what has a form keeps its characters."""
    kept = [
        Span(name.start, name.end, name.kind)
        for name in names
        if not any(_meets(name, span) for span in spans)
    ]
    return sorted([*spans, *kept], key=lambda span: span.start)


def _is_told(text: str, name: NameSpan) -> bool:
    # Numbers and scripts without case are no lower case.
    if not text[name.start : name.end].islower():
        return True
    return CUE.search(text[max(0, name.start - BEFORE_CHARS_MAX) : name.start]) is not None


def _is_address(text: str, name: NameSpan) -> bool:
    """True for a street with its number; a single word may be the number of a flight."""
    words = text[name.start : name.end].split()
    return name.kind == "STREET_ADDRESS" and len(words) > 1 and any(word[:1].isdigit() for word in words)


def _meets(name: NameSpan, span: Span) -> bool:
    return name.start < span.end and span.start < name.end
