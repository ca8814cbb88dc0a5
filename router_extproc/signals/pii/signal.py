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
from router_extproc.signals.pii.names import NAME_SCORE_MIN, NAMES, counted_names
from router_extproc.signals.pii.patterns import TYPES, find_spans

KINDS: Final = (*TYPES, *NAMES)


class PiiSettings(SignalSettings):
    """The kind of personal fact or secret that the prompt holds."""

    type: Literal["pii"]
    #: What is looked for; of several that are found, the label is the first in this order.
    kinds: tuple[str, ...] = Field(default=KINDS, min_length=1)
    #: The score from which a name, a place or an address counts; kinds of fixed form always do. A name in
    #: lower case needs 0.999, or words that say whose it is.
    min_score: float = Field(default=NAME_SCORE_MIN, ge=0, le=1)

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return not set(NAMES).isdisjoint(self.kinds)

    @property
    def finds_several(self) -> bool:
        """See SignalSettings."""
        return len(self.kinds) > 1

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
        text = subject.ask.reading
        spans = find_spans(text)
        names = counted_names(text, names_in(subject.encoding), spans, self._score_min)
        there = {**best_scores(names), **dict.fromkeys((span.type for span in spans), 1.0)}
        found = {kind: there[kind] for kind in self._kinds if kind in there}
        if not found:
            return Reading(self.name, None, 0.0)
        label = next(iter(found))
        return Reading(self.name, label, found[label], found, also=tuple(found)[1:])


def names_in(encoding: Encoding | None) -> Sequence[NameSpan]:
    """The names that an encoding holds."""
    return () if encoding is None or encoding.tasks is None else encoding.tasks.names


def best_scores(names: Iterable[NameSpan]) -> Mapping[str, float]:
    """The highest score of each kind."""
    best: dict[str, float] = {}
    for name in names:
        best[name.kind] = max(name.score, best.get(name.kind, 0.0))
    return best
