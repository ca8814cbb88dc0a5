"""The PII signal: a prompt holds personal facts or secrets.

A reading has only the kinds of what was found, never the text. Facts of a fixed form are found by patterns,
names and places by the task layers. The prompt is not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.section import did_you_mean
from router_extproc.signals.base import EncodeText, Part, Reading, Signal, SignalSettings, Subject
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.reader import TOKENS_MAX, PartFound, PartsReader
from router_extproc.signals.parts.settings import parts_problems
from router_extproc.signals.parts.texts import portion_of
from router_extproc.signals.pii.facts import FactReader, best_scores, forms_in, joined, names_in
from router_extproc.signals.pii.names import NAME_SCORE_MIN, NAMES, counted_names
from router_extproc.signals.pii.patterns import EDGE_CHARS_MAX, TYPES, find_spans

KINDS: Final = (*TYPES, *NAMES)


class PiiSettings(SignalSettings):
    """The kind of personal fact or secret that the prompt holds."""

    type: Literal["pii"]
    #: What is looked for; of several that are found, the label is the first in this order.
    kinds: tuple[str, ...] = Field(default=KINDS, min_length=1)
    #: The score from which a name, a place or an address counts; kinds of fixed form always do. A name in
    #: lower case needs 0.999, or words that say whose it is.
    min_score: float = Field(default=NAME_SCORE_MIN, ge=0, le=1)
    #: Which parts of the request are read: what a human asked last, the turns before it, what tools returned.
    parts: tuple[Part, ...] = Field(default=("ask",), min_length=1)
    #: Tokens in which names are looked for beside the first window of the ask. None: 1024, and nothing but
    #: that window where `parts` is only the ask. Kinds of fixed form are looked for everywhere.
    max_tokens: int | None = Field(default=None, ge=0)

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
        yield from parts_problems(self.parts, path)

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return self.kinds

    def open(self, name: str, classifiers: Classifiers) -> Signal:
        """See SignalSettings."""
        if self.needs_encoder:
            classifiers.require_tasks(where=f"signals.{name}")
        if self.parts == ("ask",) and self.max_tokens is None:
            return PiiSignal(name, self.kinds, score_min=self.min_score)
        tokens_max = TOKENS_MAX if self.max_tokens is None else self.max_tokens
        return PiiPartsSignal(name, self.kinds, self.parts, score_min=self.min_score, tokens_max=tokens_max)


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


class PiiPartsSignal:
    """The first kind, in the order given, that any of the parts holds. Fits signals.base.PartsSignal.

    The reading is about the part that holds this kind, the newest of several.
    """

    needs_encoding = False

    def __init__(
        self,
        name: str,
        kinds: Sequence[str],
        parts: Sequence[Part],
        *,
        score_min: float = NAME_SCORE_MIN,
        tokens_max: int = TOKENS_MAX,
    ) -> None:
        self.name = name
        self._kinds: Final = tuple(kinds)
        self._parts: Final = tuple(parts)
        self._score_min: Final = score_min
        names = not set(NAMES).isdisjoint(kinds)
        self.needs_tasks = names and "ask" in parts
        reader = FactReader(KnownTexts(), score_min=score_min, names=names)
        self._reader: Final = PartsReader(dict.fromkeys(parts, reader), KnownTexts(), tokens_max=tokens_max)

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal: kinds of fixed form, near both ends of the parts together."""
        texts = portion_of(subject, self._parts, chars_max=2 * EDGE_CHARS_MAX).texts
        return self._reading([PartFound(each.part, forms_in(each.text)) for each in texts])

    def read_parts(self, subject: Subject, encode: EncodeText) -> Reading:
        """See signals.base.PartsSignal."""
        read = self._reader.read(subject, encode)
        return self._reading(
            [*self._of_the_ask(subject), *read.found], left_chars=read.left_chars, late=read.late
        )

    def _of_the_ask(self, subject: Subject) -> list[PartFound]:
        """The names in the window that all signals share."""
        if not self.needs_tasks:
            return []
        text, names = subject.ask.reading, names_in(subject.encoding)
        spans = find_spans(text) if names else ()
        return [PartFound("ask", best_scores(counted_names(text, names, spans, self._score_min)))]

    def _reading(self, found: Sequence[PartFound], *, left_chars: int = 0, late: bool = False) -> Reading:
        for kind in self._kinds:
            for each in found:
                if kind in each.scores:
                    there = joined([other.scores for other in found])
                    scores = {kind: there[kind] for kind in self._kinds if kind in there}
                    others = tuple(scores)[1:]
                    return Reading(self.name, kind, scores[kind], scores, each.part, others, left_chars, late)
        return Reading(self.name, None, 0.0, left_chars=left_chars, late=late)
