"""Changes the texts of an answer on its way to the client, as one object or as a stream of events.

An event in which nothing changes passes byte for byte; one that changes is written anew. What a filter holds
back of a text follows in an event of its own where the text ends. A dialect adds where its texts are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from router_extproc.dialects.base import AnswerRewriter, MakeFilter, Rendered, TextForm
from router_extproc.dialects.event_frames import EventFrames, payload_of, with_payload
from router_extproc.errors import RequestError, RouterUnavailable
from router_extproc.llm.answer import JsonObject, JsonValue

#: An answer that is one object is held until it is complete.
JSON_BYTES_MAX: Final = 16 << 20
#: One event of a stream.
EVENT_BYTES_MAX: Final = 4 << 20
#: White space that may stand behind an object whose end is seen at once.
_TAIL_BYTES: Final = 64
_DONE: Final = b"[DONE]"
_JSON_BEGINS: Final = ("{", "[", '"')


@dataclass(frozen=True, slots=True)
class RewrittenEvent:
    """One event of a stream after its filters."""

    #: Events that must come before it.
    before: Sequence[JsonObject] = ()
    #: Its own document has changed.
    changed: bool = False


class TextRewriter(Protocol):
    """Where the texts are in one API's answers."""

    def rewrite(self, document: JsonObject) -> bool:
        """Change the texts of an unstreamed answer in place; whether any has changed."""
        ...

    def rewrite_event(self, document: JsonObject) -> RewrittenEvent:
        """Change the texts of one event in place."""
        ...

    def flush(self) -> Sequence[JsonObject]:
        """Events with all that is still held back."""
        ...


def answer_rewriter(
    content_type: str,
    texts: TextRewriter,
    make: MakeFilter,
    render_error: Callable[[RequestError], Rendered],
) -> AnswerRewriter | None:
    """The rewriter for an answer of this content type; None: it can be none of this API."""
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return JsonAnswerRewriter(texts, make, _too_large(render_error))
        case "text/event-stream":
            return StreamAnswerRewriter(texts, make, _too_large(render_error))
        case _:
            return None


def _too_large(render_error: Callable[[RequestError], Rendered]) -> bytes:
    return render_error(RouterUnavailable("The answer is too large for this gateway to pass on.")).body


class JsonAnswerRewriter:
    """Holds an answer until it is a whole object; fits AnswerRewriter."""

    def __init__(self, texts: TextRewriter, make: MakeFilter, too_large: bytes) -> None:
        self._texts = texts
        self._make = make
        self._too_large = too_large
        self._held = bytearray()
        self._over = False

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """See AnswerRewriter. Nothing follows an object, so it need not wait for the end of the body."""
        if self._over:
            return b"" if chunk.strip() else chunk
        self._held += chunk
        if len(self._held) > JSON_BYTES_MAX:
            return self._end(self._too_large)
        if not last and not self._held[-_TAIL_BYTES:].rstrip().endswith(b"}"):
            return b""
        try:
            document = orjson.loads(self._held)
        except orjson.JSONDecodeError:
            return self._end(_filter_bytes(bytes(self._held), self._make)) if last else b""
        return self._end(self._rewritten(document))

    def _rewritten(self, document: JsonValue) -> bytes:
        if type(document) is not dict:
            return _filter_bytes(bytes(self._held), self._make)
        return orjson.dumps(document) if self._texts.rewrite(document) else bytes(self._held)

    def _end(self, body: bytes) -> bytes:
        self._over = True
        self._held = bytearray()
        return body


class StreamAnswerRewriter:
    """Changes one event after the other; fits AnswerRewriter."""

    def __init__(self, texts: TextRewriter, make: MakeFilter, too_large: bytes) -> None:
        self._texts = texts
        self._make = make
        self._too_large = too_large
        self._frames = EventFrames()
        self._over = False

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """See AnswerRewriter."""
        if self._over:
            return b""
        pieces = [self._event(frame) for frame in self._frames.feed(chunk)]
        if self._frames.held_bytes > EVENT_BYTES_MAX:
            self._over = True
            self._frames.take()
            pieces.append(b"event: error\ndata: " + self._too_large + b"\n\n")
        elif last:
            pieces.append(self._end())
        return b"".join(pieces)

    def _end(self) -> bytes:
        self._over = True
        held = self._frames.take()
        rest = self._event(held) if held else b""
        return rest + self._flushed()

    def _event(self, frame: bytes) -> bytes:
        """One event with its end."""
        data = payload_of(frame)
        if not data:
            return frame
        if data == _DONE:
            return self._flushed() + frame
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            document = None
        if type(document) is not dict:
            text = _filter_bytes(data, self._make)
            return frame if text == data else with_payload(frame, text)
        rewritten = self._texts.rewrite_event(document)
        before = b"".join(map(_frame, rewritten.before))
        return before + (with_payload(frame, orjson.dumps(document)) if rewritten.changed else frame)

    def _flushed(self) -> bytes:
        return b"".join(map(_frame, self._texts.flush()))


def filter_whole(text: str, make: MakeFilter, form: TextForm = "text") -> str:
    """A text that is there as a whole."""
    filtering = make(form)
    return filtering.feed(text) + filtering.finish()


def filter_strings(value: JsonValue, make: MakeFilter) -> JsonValue:
    """The same value, each string in it filtered by itself."""
    match value:
        case str():
            return filter_whole(value, make)
        case list():
            return [filter_strings(each, make) for each in value]
        case dict():
            return {name: filter_strings(each, make) for name, each in value.items()}
        case _:
            return value


def filter_error(document: JsonObject, make: MakeFilter) -> bool:
    """Filter what a pool says of a failure, which may repeat the request; whether it has changed."""
    error = document.get("error")
    if not error:
        return False
    document["error"] = filter_strings(error, make)
    return document["error"] != error


def _filter_bytes(data: bytes, make: MakeFilter) -> bytes:
    """What is no object, or one that cannot be read here (NaN, half of a surrogate pair), as one text."""
    text = data.decode("utf-8", "surrogateescape")
    form: TextForm = "json" if text.lstrip().startswith(_JSON_BEGINS) else "text"
    return filter_whole(text, make, form).encode("utf-8", "surrogateescape")


def _frame(document: JsonObject) -> bytes:
    """An event of our own; where an API's events have a type, it is their name, too."""
    kind = document.get("type")
    name = f"event: {kind}\n".encode() if type(kind) is str else b""
    return name + b"data: " + orjson.dumps(document) + b"\n\n"
