"""Counts what was replaced in requests, put back and masked in answers, by decision and kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from router_extproc.redaction.request import RedactedPart
from router_extproc.redaction.tally import AnswerTally
from router_extproc.telemetry.metrics.make import MakeCounter

#: Names of the counters, without prefix and suffix.
OF_REQUESTS: Final = "redacted_values"
OF_ANSWERS: Final = ("restored_placeholders", "invented_placeholders")
OF_MASKS: Final = "masked_values"


class RedactionCounters:
    """The counters of redaction."""

    def __init__(self, counter: MakeCounter) -> None:
        labels = ("decision", "kind")
        restored, invented = OF_ANSWERS
        self._redacted = counter(OF_REQUESTS, "Facts that left as placeholders.", *labels)
        self._restored = counter(restored, "Placeholders in answers that became facts again.", *labels)
        self._invented = counter(invented, "Placeholders in answers that stand for nothing.", *labels)
        self._masked = counter(OF_MASKS, "Secrets in answers that were masked.", *labels)

    def of_request(self, decision: str, parts: Iterable[RedactedPart]) -> None:
        """Count what was replaced in a request."""
        for part in parts:
            self._redacted.labels(decision, part.kind).inc(part.count)

    def of_answer(self, decision: str, tally: AnswerTally) -> None:
        """Count what was put back and masked in an answer."""
        counts = (
            (self._restored, tally.restored),
            (self._invented, tally.invented),
            (self._masked, tally.masked),
        )
        for counter, by_kind in counts:
            for kind, count in by_kind.items():
                counter.labels(decision, kind).inc(count)
