"""Puts the events of a streamed response together: the last one holds the whole object.

What came before it is compared with it, for the client has read that: an object that says something else is
no answer to replay. Kinds of events that come later are passed over, as nothing is made of them.
Source: the OpenAI API reference, "Streaming events"; vLLM, serving of the Responses API.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

from router_extproc.dialects.members import NotUnderstoodError, a_list, a_string, an_integer, an_object
from router_extproc.dialects.named_events import object_of
from router_extproc.dialects.openai_responses.response import read_response
from router_extproc.dialects.readers import PoolFailedError
from router_extproc.dialects.size import size_of
from router_extproc.dialects.sse import SseEvent
from router_extproc.llm.answer import Answer, Incomplete, JsonObject, JsonValue

_DELTA: Final = ".delta"
#: Kind of delta to the member of an output's part, or of an item, that it adds text to.
_OF_PARTS: Final = {"response.output_text.delta": "text", "response.refusal.delta": "refusal"}
_OF_ITEMS: Final = {
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
}
#: Place of the item, place of its part (-1: it has none), and the member.
_Text: TypeAlias = tuple[int, int, str]
#: Texts of one answer that are compared; those of a hostile pool must not fill the memory.
TEXTS_MAX: Final = 1024


class ResponseAssembler:
    """One streamed response in the making; see dialects.readers.Assembler."""

    def __init__(self) -> None:
        self.started = False
        self.ended = False
        self._id: str | None = None
        self._items: dict[int, JsonObject] = {}
        self._heard: dict[_Text, blake2b] = {}
        self._heard_bytes = 0
        self._whole: JsonObject = {}
        self._whole_bytes = 0

    @property
    def held_bytes(self) -> int:
        """See dialects.readers.Assembler."""
        return max(self._heard_bytes, self._whole_bytes)

    def add(self, event: SseEvent) -> None:
        """Take one event."""
        document = object_of(event)
        if document is not None:
            self._take(a_string(document.get("type")), document)

    def answer(self) -> Answer | Incomplete:
        """The answer that the events made."""
        answer = read_response(self._whole)
        if isinstance(answer, Incomplete):
            return answer
        try:
            return answer if self._fits(answer.document) else Incomplete("malformed")
        except NotUnderstoodError:
            return Incomplete("malformed")

    def _take(self, kind: str, document: JsonObject) -> None:
        match kind:
            case "response.created" | "response.in_progress" | "response.queued":
                self._identify(an_object(document.get("response")))
            case "response.output_item.added":
                # Text and reasoning begin with nothing; a call begins with its name.
                self.started = self.started or str(_item(document).get("type")).endswith("_call")
            case "response.output_item.done":
                self._finish_item(document)
            case "response.completed" | "response.incomplete":
                self._finish(an_object(document.get("response")))
            case "response.failed":
                raise PoolFailedError
            case _ if kind.endswith(_DELTA):
                self._hear(kind, document)

    def _identify(self, response: JsonObject) -> None:
        """All events are of one response."""
        identity = a_string(response.get("id"))
        if self._id not in {None, identity}:
            raise NotUnderstoodError
        self._id = identity

    def _hear(self, kind: str, document: JsonObject) -> None:
        self.started = True
        delta = document.get("delta")
        if type(delta) is not str:
            return
        self._heard_bytes += len(delta)
        member = _OF_PARTS.get(kind) or _OF_ITEMS.get(kind)
        if member is None:
            return
        part = an_integer(document.get("content_index")) if kind in _OF_PARTS else -1
        text = (an_integer(document.get("output_index")), part, member)
        if text in self._heard or len(self._heard) < TEXTS_MAX:
            self._heard.setdefault(text, blake2b()).update(delta.encode())

    def _finish_item(self, document: JsonObject) -> None:
        item, place = _item(document), an_integer(document.get("output_index"))
        if place not in self._items and len(self._items) < TEXTS_MAX:
            self._whole_bytes += size_of(item)
            self._items[place] = item

    def _finish(self, response: JsonObject) -> None:
        """The whole object; some servers leave its items out, which have come one by one."""
        self._identify(response)
        if not response.get("output"):
            response["output"] = [self._items[place] for place in sorted(self._items)]
        self._whole, self._whole_bytes, self.ended = response, size_of(response), True
        self.started = True

    def _fits(self, response: JsonObject) -> bool:
        """Whether the whole says what its pieces said."""
        items = a_list(response["output"])
        return all(
            blake2b(_text_at(items, *text).encode()).digest() == heard.digest()
            for text, heard in self._heard.items()
        )


def _item(document: JsonObject) -> JsonObject:
    return an_object(document.get("item"))


def _text_at(items: Sequence[JsonValue], place: int, part: int, member: str) -> str:
    """The text there.

    Raises:
        NotUnderstoodError: there is none.
    """
    item = _at(items, place)
    return a_string((item if part < 0 else _at(a_list(item.get("content")), part)).get(member))


def _at(values: Sequence[JsonValue], place: int) -> JsonObject:
    if not 0 <= place < len(values):
        raise NotUnderstoodError
    return an_object(values[place])
