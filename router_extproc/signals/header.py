"""The header signal: the value of one request header is the label.

A client may write what it likes there, unless Envoy sets the header itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.protocol.names import ROUTER_HEADER_PREFIX
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: Longer values are no labels: they would fill metrics and explanations.
VALUE_CHARS_MAX = 256


class HeaderSettings(SignalSettings):
    """The value of a request header is the label."""

    type: Literal["header"]
    #: The header's name, in any case.
    header: str = Field(min_length=1)

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if self.header.lower().startswith(ROUTER_HEADER_PREFIX):
            problem = "x-router-* headers are removed from requests; it would never match"
            yield ConfigError(f"{path}.header", problem)

    @property
    def in_key(self) -> bool:
        """See SignalSettings."""
        return True

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> HeaderSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return HeaderSignal(name, self.header)


class HeaderSignal:
    """The header's value without the white space around it. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, header: str) -> None:
        """`header` in any case."""
        self.name = name
        self._header = header.lower()

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        value = subject.headers.get(self._header, "").strip()
        if not is_label(value):
            return Reading(self.name, None, 0.0)
        return Reading(self.name, value, 1.0)


def is_label(value: str) -> bool:
    """False for nothing, and for what is too long."""
    return 0 < len(value) <= VALUE_CHARS_MAX
