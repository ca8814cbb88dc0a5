"""The requested model signal: the name that the client asked for.

Only virtual names are routed, so `auto` and `auto-fast` can go to different models. The name of a real model
is pinned, and no rule is asked.
"""

from __future__ import annotations

from typing import Literal

from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject
from router_extproc.signals.header import is_label


class RequestedModelSettings(SignalSettings):
    """The virtual model that the client asked for is the label."""

    type: Literal["requested_model"]

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> RequestedModelSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return RequestedModelSignal(name)


class RequestedModelSignal:
    """The request's own `model`. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        model = subject.request.model
        return Reading(self.name, model, 1.0) if is_label(model) else Reading(self.name, None, 0.0)
