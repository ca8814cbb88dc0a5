"""Puts the events of a streamed message together into the object it would have been.

Source: the Anthropic API reference, "Streaming Messages"; vLLM, serving_messages.
"""

from __future__ import annotations

from typing import Final

import orjson

from router_extproc.dialects.anthropic_messages.message import read_message
from router_extproc.dialects.members import NotUnderstoodError, a_list, a_string, an_integer, an_object
from router_extproc.dialects.named_events import object_of
from router_extproc.dialects.size import size_of
from router_extproc.dialects.sse import SseEvent
from router_extproc.llm.answer import Answer, Incomplete, JsonObject

#: Kind of delta to the member that it adds text to, which is the same in the delta and in the block.
_TEXT_DELTAS: Final = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
#: The text of a tool's input, until its block ends.
_INPUT: Final = "partial_json"


class MessageAssembler:
    """One streamed message in the making; see dialects.readers.Assembler."""

    def __init__(self) -> None:
        #: See dialects.readers.Assembler.
        self.held_bytes = 0
        self.started = False
        self.ended = False
        self._top: JsonObject | None = None
        self._blocks: list[_Block] = []

    def add(self, event: SseEvent) -> None:
        """Take one event."""
        document = object_of(event)
        if document is not None:
            self._take(document)

    def answer(self) -> Answer | Incomplete:
        """The answer that the events made."""
        if self._top is None:
            return Incomplete("malformed")
        try:
            content = [block.document() for block in self._blocks]
        except NotUnderstoodError:
            return Incomplete("malformed")
        return read_message({**self._top, "content": [*content]})

    def _take(self, document: JsonObject) -> None:
        match document.get("type"):
            case "message_start":
                self._start(an_object(document.get("message")))
            case "content_block_start":
                self._start_block(document)
            case "content_block_delta":
                self._grow_block(document)
            case "message_delta":
                self._finish(document)
            case "message_stop":
                self.ended = True
            case "content_block_stop" | "ping":
                pass
            case str():
                pass  # Kinds of events that come later must be ignored, says the API.
            case _:
                raise NotUnderstoodError

    def _start(self, message: JsonObject) -> None:
        if self._top is not None or a_list(message.get("content") or []):
            raise NotUnderstoodError
        self._top = message
        self.held_bytes += size_of(message)

    def _start_block(self, document: JsonObject) -> None:
        block = an_object(document.get("content_block"))
        if an_integer(document.get("index")) != len(self._blocks):
            raise NotUnderstoodError
        self._blocks.append(_Block(block))
        self.held_bytes += size_of(block)
        # Text and thinking begin with nothing; a call begins with its name.
        self.started = self.started or block.get("type") == "tool_use"

    def _grow_block(self, document: JsonObject) -> None:
        index = an_integer(document.get("index"))
        if not 0 <= index < len(self._blocks):
            raise NotUnderstoodError
        delta = an_object(document.get("delta"))
        self.held_bytes += self._blocks[index].add(delta)
        self.started = True

    def _finish(self, document: JsonObject) -> None:
        """Why the model stopped, and the counts so far: the last ones count."""
        if self._top is None:
            raise NotUnderstoodError
        delta = an_object(document.get("delta") or {})
        self._top.update(delta)
        usage = document.get("usage")
        if usage is not None:
            self._top["usage"] = {**an_object(self._top.get("usage") or {}), **an_object(usage)}


class _Block:
    """One content block in the making."""

    __slots__ = ("_pieces", "_start")

    def __init__(self, start: JsonObject) -> None:
        self._start = start
        self._pieces: dict[str, list[str]] = {}

    def add(self, delta: JsonObject) -> int:
        """Take one delta; about how many bytes it adds.

        Raises:
            NotUnderstoodError: a kind that is not known: what it adds would be lost.
        """
        kind = a_string(delta.get("type"))
        if kind == "citations_delta":
            return self._cite(an_object(delta.get("citation")))
        member = _INPUT if kind == "input_json_delta" else _TEXT_DELTAS.get(kind)
        if member is None:
            raise NotUnderstoodError
        piece = a_string(delta.get(member))
        self._pieces.setdefault(member, []).append(piece)
        return len(piece)

    def document(self) -> JsonObject:
        """The block object."""
        block = dict(self._start)
        for member, pieces in self._pieces.items():
            text = "".join(pieces)
            if member == _INPUT:
                block["input"] = _input(text)
            else:
                block[member] = a_string(block.get(member) or "") + text
        return block

    def _cite(self, citation: JsonObject) -> int:
        held = a_list(self._start.get("citations") or [])
        self._start["citations"] = [*held, citation]
        return size_of(citation)


def _input(text: str) -> JsonObject:
    """A tool's input; a tool without parameters may get no text at all."""
    try:
        return an_object(orjson.loads(text or "{}"))
    except orjson.JSONDecodeError as error:
        raise NotUnderstoodError from error
