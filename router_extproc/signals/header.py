"""The header signal: the value of one request header is the label.

It is not authentication: a client may write what it likes, unless Envoy sets the header itself.
"""

from __future__ import annotations

from router_extproc.signals.base import Reading, Subject

#: Longer values are no labels: they would fill metrics and explanations.
VALUE_CHARS_MAX = 256


class HeaderSignal:
    """The header's value without the white space around it. Fits signals.base.Signal."""

    needs_encoding = False

    def __init__(self, name: str, header: str) -> None:
        """`header` in any case."""
        self.name = name
        self._header = header.lower()

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        value = subject.headers.get(self._header, "").strip()
        if not value or len(value) > VALUE_CHARS_MAX:
            return Reading(self.name, None, 0.0)
        return Reading(self.name, value, 1.0)
