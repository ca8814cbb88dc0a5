"""What a dialect is: the translation between one client API and the neutral forms.

A dialect sees whole request bodies and pieces of answer bytes, and does no I/O. To add one, write a folder
here with a class that fits `Dialect` and register it in `__init__.py`; `readers`, `shapes`, `members` and
`edit_json` do what all dialects share. `testing.check_dialect` is the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer, Incomplete, JsonObject, JsonValue
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest

#: "inference" asks a model; "listing" (the models there are) and "counting" (tokens) ask about one.
EndpointKind = Literal["inference", "listing", "counting"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path of an API; the path is without a query and without a slash at its end."""

    method: str
    path: str
    kind: EndpointKind = "inference"


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
    #: The stream's terminal event has come: the answer is complete, whether or not the body ends.
    ended: bool = False


class AnswerReader(Protocol):
    """Reads one answer from bytes cut anywhere; never raises on what a pool sends."""

    def feed(self, chunk: bytes) -> AnswerProgress:
        """Take the next bytes of the answer's body."""
        ...

    def finish(self) -> Answer | Incomplete:
        """The complete answer, or why there is none; called once, after the terminal event or all bytes."""
        ...


#: How a text is to be read: as it is, or as JSON in a string of JSON (the arguments of a tool call).
TextForm: TypeAlias = Literal["text", "json"]
#: Where a text of a request stands.
TextPart: TypeAlias = Literal["system", "user", "assistant", "tool", "tool_calls", "tools", "other"]


@dataclass(frozen=True, slots=True)
class BodyText:
    """One text in a request's body: a string value that a pool, or its model, may read."""

    #: Of its bytes without the quotes, as in slices.
    start: int
    end: int
    form: TextForm
    part: TextPart
    #: Whose values are numbered first: 0 what every turn repeats, 1 the turns in their order, 2 the rest.
    order: int


class TextFilter(Protocol):
    """Changes one text that comes in pieces, cut anywhere; may hold back a bounded end of it."""

    def feed(self, piece: str) -> str:
        """What is certain of the text so far and was not returned before."""
        ...

    def finish(self) -> str:
        """What was held back; the text is over."""
        ...

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        ...


#: What a decision may change in a request beside its parameters.
ChangeKind: TypeAlias = Literal["system_prompt", "reasoning"]
EVERY_CHANGE: Final[frozenset[ChangeKind]] = frozenset({"system_prompt", "reasoning"})

#: Makes a filter for one text of an answer.
MakeFilter: TypeAlias = Callable[[TextForm], TextFilter]


class AnswerRewriter(Protocol):
    """Changes the texts of one answer; its bytes come cut anywhere."""

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """What may be sent on by now. Never raises on what a pool sends."""
        ...


class UsageOnRequest(Protocol):
    """Usage in the streams of an API that have it only if they are asked for it."""

    def ask(self, request: InferenceRequest) -> Sequence[Edit]:
        """The edits that ask for it; none where the answer has it anyway, or cannot be asked for it."""
        ...

    def hide(self, content_type: str) -> AnswerRewriter | None:
        """What takes it out of an answer of this content type again; None: it passes as it is."""
        ...


class PieceAnswers(Protocol):
    """Takes apart and puts together the answers of an API whose requests may be made of pieces."""

    def count(self, answer: Answer) -> int:
        """How many answers it holds."""
        ...

    def split(self, answer: Answer, sizes: Sequence[int]) -> Sequence[Answer] | Incomplete | None:
        """An answer for each piece, in their order, or why they are none; None: it can only be kept whole.

        sizes: in what proportion the pieces share its usage, one for each.
        """
        ...

    def join(self, answers: Sequence[Answer], request: InferenceRequest) -> Answer:
        """The answer to a request with these pieces, in the form that it asks for."""
        ...


class RequestDialect(Protocol):
    """A client API's requests."""

    @property
    def changeable(self) -> frozenset[ChangeKind]:
        """What this API has a place for; a decision that changes something else leaves it, and it is told."""
        ...

    def texts(self, body: bytes) -> Iterator[BodyText]:
        """Every text in a body that `parse` accepts, in order: all strings but names, ids and media."""
        ...

    def parse(self, body: bytes) -> InferenceRequest:
        """Read a request body.

        Raises:
            MalformedRequest: not what the API prescribes; the message names the field, never its value.
        """
        ...

    def edits(
        self, request: InferenceRequest, changes: RequestChanges, *, family: str | None
    ) -> Sequence[Edit]:
        """The edits that make a decision's changes in the body of a request that `parse` has read.

        None for a place that is not there and is not to be; no edit holds text of the client's.
        family: of the model that answers, for its way to be told to reason; None: it cannot be told.
        """
        ...

    @property
    def usage_on_request(self) -> UsageOnRequest | None:
        """None: every answer of this API has usage, or it cannot be asked for."""
        ...

    def unfit_parameter(self, name: str, value: JsonValue) -> str | None:
        """What the API wants under this name, where that is another type than the value's; None: it fits."""
        ...

    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        """The body with the edits applied in place, in their order; `body` was accepted by `parse`."""
        ...

    def render_error(self, error: RequestError) -> Rendered:
        """The API's own error object."""
        ...


class AnswerDialect(Protocol):
    """A client API's answers. Only the dialect that made an answer's document understands it."""

    @property
    def pieces(self) -> PieceAnswers | None:
        """None: every request of this API is answered as a whole."""
        ...

    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        """A reader for an answer of this content type (JSON or SSE); larger answers are Incomplete.

        max_answer_bytes: of a JSON body; of the texts and objects in a stream, not of its frames.
        """
        ...

    def rewrite_answer(self, content_type: str, make: MakeFilter) -> AnswerRewriter | None:
        """What changes the texts of an answer of this content type, each by a filter of its own.

        None: such an answer cannot be changed. One that is too large for it becomes an error object.
        """
        ...

    def restore(self, document: JsonObject) -> Answer:
        """The answer of a document that was stored or imported.

        Raises:
            ValueError: it is no complete answer of this API; the message repeats nothing of it.
        """
        ...

    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        """The answer as JSON or as a whole SSE body, whichever way the request asked for it."""
        ...

    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        """The same answer as if the pool had made it now: with an id of its own, dated now."""
        ...

    def mark_cached(self, answer: Answer) -> Answer:
        """The same answer, whose usage says that all of the prompt was read from a cache.

        The sums of tokens stay; an answer without usage stays as it is.
        """
        ...

    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:
        """The JSON body of a pool that answers with this text.

        Raises:
            UnsupportedRequest: no answer of this API is a text, as of embeddings.
        """
        ...


class Dialect(RequestDialect, AnswerDialect, Protocol):
    """One client API."""

    @property
    def name(self) -> str:
        """The registry name, a metric label."""
        ...

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where it is served. Envoy buffers and shows us inference requests only, and they are POSTs."""
        ...
