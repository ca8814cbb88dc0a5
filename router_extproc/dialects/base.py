"""What a dialect is: the translation between one client API and the neutral forms.

It is not a transport. A dialect sees whole request bodies and pieces of answer bytes and does no
I/O. Adding one: a folder here with a class that fits `Dialect`, and one line in `__init__.py`;
`testing.check_dialect` is its contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer, Incomplete
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body ready to be sent to the client."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class AnswerProgress:
    """What one piece of answer bytes brought."""

    #: The bytes so far hold the first piece of content, reasoning or a tool call (for TTFT).
    started: bool


class AnswerReader(Protocol):
    """Reads one answer from bytes cut anywhere; never raises on what a pool sends."""

    def feed(self, chunk: bytes) -> AnswerProgress:
        """Take the next bytes of the answer's body."""
        ...

    def finish(self) -> Answer | Incomplete:
        """The complete answer, or why there is none; called once, after the end of stream."""
        ...


class Dialect(Protocol):
    """One client API."""

    @property
    def name(self) -> str:
        """The registry name, a metric label."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths it serves by POST, without a query: Envoy buffers and shows us only these."""
        ...

    def matches(self, method: str, path: str) -> bool:
        """True when this request is the dialect's; `path` may carry a query string."""
        ...

    def parse(self, body: bytes) -> InferenceRequest:
        """Read a request body.

        Raises:
            MalformedRequest: not what the API prescribes; the message names the field, never its value.
        """
        ...

    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        """The body with the edits applied in place, in their order; `body` was accepted by `parse`."""
        ...

    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        """A reader for an answer of this content type (JSON or SSE); larger answers are Incomplete."""
        ...

    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        """The answer as JSON or as a whole SSE body, whichever way the request asked for it."""
        ...

    def render_error(self, error: RequestError) -> Rendered:
        """The API's own error object."""
        ...
