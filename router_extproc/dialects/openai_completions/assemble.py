"""Puts the events of a streamed completion together into the object it would have been.

Texts are joined, and lists (log probabilities, token ids) grow; pieces that contradict each other are none.
Source: the OpenAI API reference, "Create completion", streaming; vLLM, CompletionStreamResponse.
"""

from __future__ import annotations

from router_extproc.dialects.members import a_list, a_string, an_integer, an_object, others
from router_extproc.dialects.merging import add_whole, first_finish
from router_extproc.dialects.openai_completions.completion import CHOICE_MEMBERS, read_completion
from router_extproc.dialects.openai_objects import END_OF_STREAM, is_error, take_fact
from router_extproc.dialects.readers import PoolFailedError, answer_object
from router_extproc.dialects.size import growth_of
from router_extproc.dialects.sse import SseEvent
from router_extproc.llm.answer import Answer, Incomplete, JsonObject, JsonValue


class TextAssembler:
    """One streamed answer in the making; see dialects.readers.Assembler."""

    def __init__(self) -> None:
        #: See dialects.readers.Assembler.
        self.held_bytes = 0
        self.started = False
        self.ended = False
        self._top: JsonObject = {}
        self._choices: dict[int, _ChoicePieces] = {}

    def add(self, event: SseEvent) -> None:
        """Take one event."""
        if event.event == "error":
            raise PoolFailedError
        said = event.data.strip()
        if said == END_OF_STREAM:
            self.ended = True
        elif said.startswith(b"{") or event.event == "message":
            # An event with a name of its own that holds no object is a keep-alive.
            self._add_object(answer_object(said))

    def answer(self) -> Answer | Incomplete:
        """The answer that the events made."""
        choices: list[JsonValue] = [pieces.document() for pieces in self._choices.values()]
        return read_completion({**self._top, "choices": choices})

    def _add_object(self, document: JsonObject) -> None:
        """One text completion object."""
        if is_error(document):
            raise PoolFailedError
        for name, value in document.items():
            if name != "choices":
                self.held_bytes += take_fact(self._top, name, value)
        for place, choice in enumerate(a_list(document.get("choices") or [])):
            self._add_choice(an_object(choice), place)

    def _add_choice(self, choice: JsonObject, place: int) -> None:
        """One entry of `choices`; it may leave its index out."""
        index = place if choice.get("index") is None else an_integer(choice["index"])
        pieces = self._choices.setdefault(index, _ChoicePieces(index))
        text = a_string(choice.get("text") or "")
        self.held_bytes += len(text) + growth_of(pieces.facts, others(choice, CHOICE_MEMBERS))
        self.started = self.started or bool(text)
        pieces.add(text, choice)


class _ChoicePieces:
    """One choice in the making."""

    __slots__ = ("_finish", "_index", "_texts", "facts")

    def __init__(self, index: int) -> None:
        self._index = index
        self._texts: list[str] = []
        self._finish: JsonValue = None
        #: What is said of it beside text and end.
        self.facts: JsonObject = {}

    def add(self, text: str, choice: JsonObject) -> None:
        """Take one event's part of this choice."""
        self._texts.append(text)
        self._finish = first_finish(self._finish, choice.get("finish_reason"))
        for name, value in others(choice, CHOICE_MEMBERS).items():
            add_whole(self.facts, name, value)

    def document(self) -> JsonObject:
        """The choice object."""
        text = "".join(self._texts)
        return {"index": self._index, "text": text, "finish_reason": self._finish, **self.facts}
