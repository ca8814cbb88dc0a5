"""What a routed API is: one that is sent where its request's model is served, and nothing else.

No decision is asked about such a request, nothing of it is cached, and of its answer only the usage is read.
A whole `Dialect` reads, edits and replays; this says where the model's name is, and how errors are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from router_extproc.dialects.base import AnswerReader, Dialect, Rendered
from router_extproc.dialects.routed.usage import UsageReader
from router_extproc.errors import RequestError


class ModelPlace(Protocol):
    """Where the requests of an API name their model; reads and edits whole bodies, never raises on any."""

    def read(self, body: bytes, content_type: str) -> str | None:
        """The name; None: there is none, or none that can be read."""
        ...

    def rename(self, body: bytes, content_type: str, name: str) -> bytes:
        """The body with another name in the place of the one that was read; every other byte stays."""
        ...


class RendersErrors(Protocol):
    """Speaks an API's error object."""

    def render_error(self, error: RequestError) -> Rendered:
        """The API's own error object."""
        ...


@dataclass(frozen=True, slots=True)
class RoutedApi:
    """One API whose requests are routed by the model that they name."""

    #: The registry name, a metric label.
    name: str
    #: Where it is asked, by POST; each without a query and without a slash at its end.
    paths: tuple[str, ...]
    model: ModelPlace
    errors: RendersErrors
    #: While a model's pool is down, its fallback may answer. Not where an answer means nothing but beside
    #: others of the same model: vectors, and tokens.
    falls_back: bool = True
    #: For a virtual name, its requests are decided as those of this dialect; None: the default model answers.
    decided_as: Dialect | None = None

    def render_error(self, error: RequestError) -> Rendered:
        """The API's own error object."""
        return self.errors.render_error(error)

    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:  # noqa: ARG002 - the port
        """A reader of the usage that an answer tells, and of nothing else."""
        return UsageReader()
