"""Where the texts are in responses and their events, for those who change them.

A stream says each text several times: in pieces, whole, in its part, in its item, in the last object. The
pieces have a filter of their own, and what it made of them is said again wherever the same text is. What it
holds back follows in a delta before the text's end, and later events are numbered on.
Log probabilities are left alone: they spell the text out token by token.
Source: the OpenAI API reference, "The response object", "Streaming events".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from router_extproc.dialects.base import MakeFilter, TextFilter, TextForm
from router_extproc.dialects.rewriters import EVENT_BYTES_MAX, RewrittenEvent, filter_whole
from router_extproc.llm.answer import JsonObject, JsonValue

_DELTA: Final = ".delta"
_DONE: Final = ".done"
_NUMBER: Final = "sequence_number"
#: Members of events and objects that are no texts: names, ids, kinds and media.
_NO_TEXTS: Final = frozenset(
    {
        "type", "id", "object", "status", "model", "role", "name", "namespace", "call_id", "item_id", "phase",
        "encrypted_content", "logprobs", "top_logprobs", "previous_response_id", "file_id", "container_id",
        "obfuscation", "service_tier", "truncation", "event_id", "partial_image_b64", "image_url",
    }
)  # fmt: skip
#: Members that are JSON as a text.
_JSON: Final = frozenset({"arguments"})
_JSON_DELTAS: Final = frozenset(
    {"response.function_call_arguments.delta", "response.mcp_call_arguments.delta"}
)
#: Deltas that are no texts: bytes of a recording.
_NO_DELTAS: Final = frozenset({"response.audio.delta"})
#: Events that say that texts inside an item, or all of them, are over.
_ENDS: Final = frozenset(
    {"response.output_item.done", "response.completed", "response.incomplete", "response.failed", "error"}
)
#: Texts of one answer that are filtered; those of a hostile pool must not fill the memory.
FILTERS_MAX: Final = 1024
#: Kind of delta, and the places of its item and of its part.
_Slot: TypeAlias = tuple[JsonValue, ...]
_PLACES: Final = ("output_index", "content_index", "summary_index")


@dataclass(slots=True)
class _Text:
    """One text that comes in pieces."""

    filter: TextFilter
    #: What a delta of it says beside its piece.
    envelope: JsonObject
    heard: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class ResponseRewriter:
    """The texts of one answer; fits rewriters.TextRewriter."""

    def __init__(self, make: MakeFilter) -> None:
        self._make: Final = make
        self._texts: dict[_Slot, _Text] = {}
        #: Texts that were heard and are over, and what was made of them.
        self._known: dict[tuple[str, TextForm], str] = {}
        self._left_bytes = EVENT_BYTES_MAX
        #: Events that were put in between.
        self._added = 0

    def rewrite(self, document: JsonObject) -> bool:
        """See TextRewriter."""
        rewritten = {name: self._filtered(name, value) for name, value in document.items()}
        changed = rewritten != document
        document.update(rewritten)
        return changed

    def rewrite_event(self, document: JsonObject) -> RewrittenEvent:
        """See TextRewriter."""
        kind = document.get("type")
        if type(kind) is not str:
            return RewrittenEvent(changed=self.rewrite(document))
        if kind.endswith(_DELTA) and type(document.get("delta")) is str:
            changed = kind not in _NO_DELTAS and self._rewrite_delta(kind, document)
            return RewrittenEvent(changed=self._number(document) or changed)
        before = self._ended(kind, document)
        changed = self.rewrite(document)
        self._number_each(before, document)
        return RewrittenEvent(before, self._number(document) or changed)

    def flush(self) -> Sequence[JsonObject]:
        """See TextRewriter."""
        return self._end(list(self._texts))

    # ── pieces ────────────────────────────────────────────────────────────────────────────────

    def _rewrite_delta(self, kind: str, document: JsonObject) -> bool:
        piece, form = str(document["delta"]), _form_of(kind)
        slot = _slot(kind, document)
        if slot not in self._texts and len(self._texts) >= FILTERS_MAX:
            document["delta"] = filter_whole(piece, self._make, form)
            return document["delta"] != piece
        if slot not in self._texts:
            self._texts[slot] = _Text(self._make(form), {**document, "delta": ""})
        text = self._texts[slot]
        passed = text.filter.feed(piece)
        if self._left_bytes > 0:
            self._left_bytes -= len(piece)
            text.heard.append(piece)
            text.said.append(passed)
        document["delta"] = passed
        return passed != piece

    def _ended(self, kind: str, document: JsonObject) -> list[JsonObject]:
        """Deltas with what is held back of the texts that this event ends."""
        if kind in _ENDS:
            item = document.get("output_index")
            return self._end([slot for slot in self._texts if item is None or slot[1] == item])
        if not kind.endswith(_DONE):
            return []
        slot = _slot(kind.removesuffix(_DONE) + _DELTA, document)
        return self._end([slot] if slot in self._texts else [])

    def _end(self, slots: Sequence[_Slot]) -> list[JsonObject]:
        events: list[JsonObject] = []
        for slot in slots:
            text = self._texts.pop(slot)
            rest = text.filter.finish()
            if rest:
                events.append({**text.envelope, "delta": rest})
            self._known["".join(text.heard), _form_of(str(slot[0]))] = "".join((*text.said, rest))
        return events

    # ── numbers ───────────────────────────────────────────────────────────────────────────────

    def _number_each(self, events: Sequence[JsonObject], following: JsonObject) -> None:
        """New events come before the following one, and take its number and those after it."""
        number = following.get(_NUMBER)
        for event in events:
            if type(number) is int:
                event[_NUMBER] = number + self._added
            self._added += 1

    def _number(self, document: JsonObject) -> bool:
        number = document.get(_NUMBER)
        if not self._added or type(number) is not int:
            return False
        document[_NUMBER] = number + self._added
        return True

    # ── whole texts ───────────────────────────────────────────────────────────────────────────

    def _filtered(self, name: str, value: JsonValue) -> JsonValue:
        """The value, each text in it filtered by itself; `name`: of the member that it is."""
        if name in _NO_TEXTS:
            return value
        match value:
            case str():
                return self._whole(value, "json" if name in _JSON else "text")
            case list():
                return [self._filtered(name if type(each) is str else "", each) for each in value]
            case dict():
                return {inner: self._filtered(inner, each) for inner, each in value.items()}
            case _:
                return value

    def _whole(self, text: str, form: TextForm) -> str:
        known = self._known.get((text, form))
        return filter_whole(text, self._make, form) if known is None else known


def _form_of(kind: str) -> TextForm:
    return "json" if kind in _JSON_DELTAS else "text"


def _slot(kind: str, document: Mapping[str, JsonValue]) -> _Slot:
    places = (document.get(name) for name in _PLACES)
    return (kind, *(place if type(place) is int else None for place in places))
