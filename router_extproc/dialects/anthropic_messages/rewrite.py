"""Where the texts are in Messages answers and their events, for those who change them.

Each text of each content block has a filter of its own: text, thinking, and the input of a call. What it
holds back follows in a delta before the block's end.
Source: the Anthropic API reference, "The Message object", "Streaming Messages".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from router_extproc.dialects.base import MakeFilter, TextFilter, TextForm
from router_extproc.dialects.rewriters import RewrittenEvent, filter_strings, filter_whole
from router_extproc.llm.answer import JsonObject, JsonValue

#: Kind of delta to the member with its text.
_DELTAS: Final[Mapping[str, str]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}
#: Members of a block that are texts, or hold some.
_MEMBERS: Final = ("text", "thinking", "input", "citations")
#: Texts of one answer that are filtered; those of a hostile pool must not fill the memory.
FILTERS_MAX: Final = 1024


class MessageRewriter:
    """The texts of one answer; fits rewriters.TextRewriter."""

    def __init__(self, make: MakeFilter) -> None:
        self._make: Final = make
        #: By place of the block and kind of delta.
        self._filters: dict[tuple[int, str], TextFilter] = {}

    def rewrite(self, document: JsonObject) -> bool:
        """See TextRewriter."""
        changed = self._rewrite_member(document, "error")
        content = document.get("content")
        for block in content if type(content) is list else ():
            changed = self._rewrite_block(block) or changed
        return changed

    def _rewrite_block(self, block: JsonValue) -> bool:
        if type(block) is not dict:
            return False
        changed = [name for name in _MEMBERS if self._rewrite_member(block, name)]
        return bool(changed)

    def rewrite_event(self, document: JsonObject) -> RewrittenEvent:
        """See TextRewriter."""
        index = document.get("index")
        match document.get("type"):
            case "content_block_start":
                return RewrittenEvent(changed=self._rewrite_block(document.get("content_block")))
            case "content_block_delta":
                return self._rewrite_delta(index if type(index) is int else 0, document.get("delta"))
            case "content_block_stop":
                return RewrittenEvent(self._flush(index if type(index) is int else None))
            case "message_delta" | "message_stop":
                return RewrittenEvent(self._flush(None))
            case _:
                return RewrittenEvent(changed=self._rewrite_member(document, "error"))

    def flush(self) -> Sequence[JsonObject]:
        """See TextRewriter."""
        return self._flush(None)

    def _rewrite_delta(self, index: int, delta: JsonValue) -> RewrittenEvent:
        if type(delta) is not dict:
            return RewrittenEvent()
        kind = str(delta.get("type"))
        member = _DELTAS.get(kind)
        piece = None if member is None else delta.get(member)
        if member is None or type(piece) is not str:
            return RewrittenEvent(changed=self._rewrite_member(delta, "citation"))
        delta[member] = self._filtered(index, kind, piece)
        return RewrittenEvent(changed=delta[member] != piece)

    def _filtered(self, index: int, kind: str, piece: str) -> str:
        form: TextForm = "json" if kind == "input_json_delta" else "text"
        if (index, kind) not in self._filters and len(self._filters) >= FILTERS_MAX:
            return filter_whole(piece, self._make, form)
        if (index, kind) not in self._filters:
            self._filters[index, kind] = self._make(form)
        return self._filters[index, kind].feed(piece)

    def _flush(self, wanted: int | None) -> list[JsonObject]:
        """Deltas with what is held back of one block, or of all."""
        events: list[JsonObject] = []
        for (index, kind), filtering in self._filters.items():
            rest = filtering.finish() if wanted in {None, index} and filtering.holds else ""
            if rest:
                delta: JsonObject = {"type": kind, _DELTAS[kind]: rest}
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
        return events

    def _rewrite_member(self, holder: JsonObject, name: str) -> bool:
        """A member that is there whole."""
        value = holder.get(name)
        if not value:
            return False
        holder[name] = filter_strings(value, self._make)
        return holder[name] != value
