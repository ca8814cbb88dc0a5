"""Usage in the streams of OpenAI's chat completions and completions, which have it only on request.

Where the router asks on a client's behalf, the client gets its stream without what was asked for: the last
event, whose `choices` are empty, and the members `"usage": null` of the others. Usage beside choices stays.
Source: the OpenAI API reference, `stream_options.include_usage`; vLLM, StreamOptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from router_extproc.dialects.base import AnswerRewriter
from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.event_frames import CUT_END_BYTES, EventFrames, payload_of, with_payload
from router_extproc.dialects.scalars import is_true
from router_extproc.llm.answer import JsonObject
from router_extproc.llm.edits import Edit, Remove, Set
from router_extproc.llm.request import InferenceRequest

#: A longer event passes as it is; one of usage has some hundred bytes.
EVENT_BYTES_MAX: Final = 1 << 20
_OPTIONS: Final = "stream_options"
_ASKED: Final = "include_usage"
#: vLLM: usage in every event, once it is asked for.
_EACH_EVENT: Final = "continuous_usage_stats"
_USAGE: Final = "usage"
_NAME: Final = b'"usage"'
_WITHOUT: Final = (Remove((_USAGE,)),)


class StreamUsage:
    """Asks for usage, and hides it; fits dialects.base.UsageOnRequest."""

    def ask(self, request: InferenceRequest) -> Sequence[Edit]:
        """See UsageOnRequest."""
        if not request.stream or request.stream_usage:
            return ()
        options = request.body.get(_OPTIONS)
        if options is None:
            return (Set((_OPTIONS,), {_ASKED: True}),)
        if type(options) is not dict or is_true(options.get(_EACH_EVENT)):
            return ()
        return (Set((_OPTIONS, _ASKED), value=True),)

    def hide(self, content_type: str) -> AnswerRewriter | None:
        """See UsageOnRequest."""
        is_stream = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        return UsageHider() if is_stream else None


class UsageHider:
    """Takes usage out of one stream; fits AnswerRewriter."""

    def __init__(self) -> None:
        self._frames: Final = EventFrames()
        #: The first part of a long event has passed.
        self._cut = False

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """See AnswerRewriter."""
        passed = [self._without_usage(frame) for frame in self._frames.feed(chunk)]
        if last:
            passed.append(self._without_usage(self._frames.take()))
        elif self._frames.held_bytes > EVENT_BYTES_MAX:
            passed.append(self._frames.take(keep=CUT_END_BYTES))
            self._cut = True
        return b"".join(passed)

    def _without_usage(self, frame: bytes) -> bytes:
        """What the client gets of an event."""
        cut, self._cut = self._cut, False
        if cut or _NAME not in frame:
            return frame
        data = payload_of(frame)
        document = _object_of(data)
        if document is None or _USAGE not in document:
            return frame
        if document[_USAGE] is None:
            return _replaced(frame, data, edit_json(data, _WITHOUT))
        return b"" if _is_of_usage_alone(document) else frame


def _object_of(data: bytes) -> JsonObject | None:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return document if type(document) is dict else None


def _is_of_usage_alone(document: JsonObject) -> bool:
    return type(document[_USAGE]) is dict and document.get("choices") == [] and not document.get("error")


def _replaced(frame: bytes, data: bytes, other: bytes) -> bytes:
    """The event with other data; where that stands in one piece, not a byte beside it changes."""
    at = frame.find(data)
    return with_payload(frame, other) if at < 0 else frame[:at] + other + frame[at + len(data) :]
