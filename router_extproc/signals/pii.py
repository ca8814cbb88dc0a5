"""The PII signal: a prompt holds personal facts or secrets of fixed form.

It is not a filter: nothing is taken out of the prompt, and names and places are not found. The rule it
keeps: what was found is never part of a reading, only its kind is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.section import did_you_mean
from router_extproc.signals.base import Reading, SignalSettings, Subject
from router_extproc.signals.spans import TYPES, find_spans


class PiiSettings(SignalSettings):
    """The kind of personal fact or secret that the prompt holds."""

    type: Literal["pii"]
    #: What is looked for; of several that are found, the label is the first in this order.
    kinds: tuple[str, ...] = Field(default=TYPES, min_length=1)

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        for index, kind in enumerate(self.kinds):
            if kind not in TYPES:
                hint = did_you_mean(kind, TYPES) or f"; known: {', '.join(TYPES)}"
                yield ConfigError(f"{path}.kinds[{index}]", f"no kind named '{kind}'{hint}")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return self.kinds

    def open(self, name: str, classifiers: Classifiers) -> PiiSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return PiiSignal(name, self.kinds)


class PiiSignal:
    """The first kind, in the order given, that the prompt holds. Fits signals.base.Signal."""

    needs_encoding = False

    def __init__(self, name: str, kinds: Sequence[str] = TYPES) -> None:
        self.name = name
        self._kinds = tuple(kinds)

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal; `scores` has every kind that was found."""
        there = {span.type for span in find_spans(subject.request.prompt)}
        found = [kind for kind in self._kinds if kind in there]
        if not found:
            return Reading(self.name, None, 0.0)
        return Reading(self.name, found[0], 1.0, dict.fromkeys(found, 1.0))
