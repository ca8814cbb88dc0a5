"""The PII signal: a prompt holds personal facts or secrets.

A reading has only the kinds of what was found, never the text. Facts of a fixed form are found by patterns,
names and places by the task layers. The prompt is not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers, Encoding, NameSpan
from router_extproc.section import did_you_mean
from router_extproc.signals.base import Reading, SignalSettings, Subject
from router_extproc.signals.pii.patterns import TYPES, Span, find_spans

#: Kinds that have no form; the task layers find them.
NAMES: Final = ("PERSON", "STREET_ADDRESS", "LOCATION", "ORGANIZATION")
KINDS: Final = (*TYPES, *NAMES)
#: The score from which a name counts.
NAME_SCORE_MIN: Final = 0.8


class PiiSettings(SignalSettings):
    """The kind of personal fact or secret that the prompt holds."""

    type: Literal["pii"]
    #: What is looked for; of several that are found, the label is the first in this order.
    kinds: tuple[str, ...] = Field(default=KINDS, min_length=1)
    #: The score from which a name, a place or an address counts; kinds of fixed form always do.
    min_score: float = Field(default=NAME_SCORE_MIN, ge=0, le=1)

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return not set(NAMES).isdisjoint(self.kinds)

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        for index, kind in enumerate(self.kinds):
            if kind not in KINDS:
                hint = did_you_mean(kind, KINDS) or f"; known: {', '.join(KINDS)}"
                yield ConfigError(f"{path}.kinds[{index}]", f"no kind named '{kind}'{hint}")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return self.kinds

    def open(self, name: str, classifiers: Classifiers) -> PiiSignal:
        """See SignalSettings."""
        if self.needs_encoder:
            classifiers.require_tasks(where=f"signals.{name}")
        return PiiSignal(name, self.kinds, score_min=self.min_score)


class PiiSignal:
    """The first kind, in the order given, that the prompt holds. Fits signals.base.Signal."""

    needs_encoding = False

    def __init__(self, name: str, kinds: Sequence[str] = KINDS, *, score_min: float = NAME_SCORE_MIN) -> None:
        self.name = name
        self.needs_tasks = not set(NAMES).isdisjoint(kinds)
        self._kinds = tuple(kinds)
        self._score_min = score_min

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal; `scores` has every kind that was found, without its encoding by form."""
        spans = find_spans(subject.request.prompt)
        sure = dict.fromkeys((span.type for span in spans), 1.0)
        there = {**best_scores(names_in(subject.encoding), self._score_min), **sure}
        found = {kind: there[kind] for kind in self._kinds if kind in there}
        if not found:
            return Reading(self.name, None, 0.0)
        label = next(iter(found))
        return Reading(self.name, label, found[label], found)


def names_in(encoding: Encoding | None) -> Sequence[NameSpan]:
    """The names that an encoding holds."""
    return () if encoding is None or encoding.tasks is None else encoding.tasks.names


def best_scores(names: Iterable[NameSpan], score_min: float) -> Mapping[str, float]:
    """The highest score of each kind that reaches the minimum."""
    best: dict[str, float] = {}
    for name in names:
        if name.score >= score_min:
            best[name.kind] = max(name.score, best.get(name.kind, 0.0))
    return best


def join_spans(spans: Sequence[Span], names: Iterable[NameSpan], score_min: float) -> list[Span]:
    """Finds by form and names, in order; what has a form keeps its characters."""
    kept = [
        Span(name.start, name.end, name.kind)
        for name in names
        if name.score >= score_min and not any(meets(name, span) for span in spans)
    ]
    return sorted([*spans, *kept], key=lambda span: span.start)


def meets(name: NameSpan, span: Span) -> bool:
    """True when both have characters in common."""
    return name.start < span.end and span.start < name.end
