"""Input items of the Responses API: read one by one, and as turns of the neutral form.

What a tool returned, and any item of a kind that only the pool knows, is read like a tool's result: nobody in
the conversation wrote it, and a guard must not miss it for the form in which it comes.
Source: the OpenAI API reference, "Create a model response", `input`; vLLM, ResponsesRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from router_extproc.dialects.json_body import canonical
from router_extproc.dialects.openai_responses.shapes import CONTENT, INPUT
from router_extproc.dialects.shapes import wrong_shape
from router_extproc.llm.answer import JsonObject, JsonValue, ToolCall
from router_extproc.llm.request import Role, Turn

MESSAGE: Final = "message"
USER: Final = "user"
#: Of messages by which whoever runs an application instructs the model.
SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_ROLES: Final[Mapping[str, Role]] = {USER: "user", "assistant": "assistant"}
#: Kind of part to its member that holds text.
TEXT_PARTS: Final[Mapping[str, str]] = {
    "input_text": "text",
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
}
REFERENCE: Final = "item_reference"
#: Each names something that the server remembers, and the client does not say.
REMEMBERED: Final = ("previous_response_id", "conversation", "prompt")
#: Of the model's own: what it thought, and the conversation so far in a form that only its provider reads.
_THOUGHTS: Final = frozenset({"reasoning", "compaction", "compaction_summary", REFERENCE})
_CALL: Final = "_call"
#: Members of a call that say what is asked of a tool, where it has no arguments as one text.
_ASKED: Final = ("input", "action", "actions", "operation", "queries", "code", "commands")
#: Members of a call in which its provider put what the tool returned.
_RETURNED: Final = ("output", "outputs", "results", "error")
#: Members that are no text to a model: names, ids and media.
NO_TEXTS: Final = frozenset(
    {
        "type", "id", "call_id", "role", "status", "name", "namespace", "phase", "encrypted_content",
        "detail", "image_url", "file_url", "file_data", "file_id", "data", "format", "server_label", "caller",
    }
)  # fmt: skip
_DEPTH_MAX: Final = 6


class Item(NamedTuple):
    """One input item as the neutral form needs it."""

    kind: str
    #: Of a message; "": it is none.
    role: str
    #: Of a message.
    texts: Sequence[str]
    #: A message has parts that are no text.
    attached: bool
    #: In one spelling.
    document: JsonObject

    @property
    def text(self) -> str:
        """The text parts joined by newlines."""
        return self.texts[0] if len(self.texts) == 1 else "\n".join(self.texts)


def read_items(document: JsonObject) -> list[Item]:
    """The items of a request; a text is one user message. There may be none where the server knows more.

    Raises:
        MalformedRequest: names the first that cannot be read.
    """
    given = document.get("input")
    if given is None and any(document.get(name) is not None for name in REMEMBERED):
        return []
    if type(given) is str:
        return [_read_item({"role": USER, "content": given}, "input")]
    if type(given) is not list:
        raise wrong_shape("input", INPUT.words)
    return [_read_item(each, f"input[{place}]") for place, each in enumerate(given)]


def _read_item(item: JsonValue, path: str) -> Item:
    if type(item) is not dict:
        raise wrong_shape(path, "an object")
    kind = item.get("type")
    if kind is None:
        # Both may be left out.
        kind = MESSAGE if "role" in item else REFERENCE
    if type(kind) is not str:
        raise wrong_shape(f"{path}.type", "the name of a kind of item")
    if kind != MESSAGE:
        return Item(kind, "", (), attached=False, document=item)
    return _read_message(item, path)


def _read_message(item: JsonObject, path: str) -> Item:
    role = item.get("role")
    if type(role) is not str or not role:
        raise wrong_shape(f"{path}.role", "the name of a role")
    content = item.get("content")
    if type(content) is str:
        kind = "output_text" if role == "assistant" else "input_text"
        parts: list[JsonValue] = [{"type": kind, "text": content}]
        return Item(MESSAGE, role, (content,), False, {**item, "type": MESSAGE, "content": parts})
    if type(content) is not list:
        if role == USER or content is not None:
            raise wrong_shape(f"{path}.content", CONTENT.words)
        content = []
    texts = [text for part in content if (text := text_of_part(part)) is not None]
    document: JsonObject = {**item, "type": MESSAGE, "content": content}
    return Item(MESSAGE, role, texts, len(texts) < len(content), document)


def text_of_part(part: JsonValue) -> str | None:
    """The text of one part; None: it is an attachment, or one that only the pool knows."""
    if type(part) is not dict:
        return part if type(part) is str else None
    text = part.get(text_member(part))
    return text if type(text) is str else None


def text_member(part: JsonObject) -> str:
    """The member of a part that holds its text; "": it has none."""
    kind = part.get("type")
    return "text" if kind is None else TEXT_PARTS.get(str(kind), "")


# ── as turns ──────────────────────────────────────────────────────────────────────────────────


def turns_of(items: Sequence[Item]) -> tuple[Turn, ...]:
    """The turns that the items are; what an assistant says and calls in one go is one turn."""
    turns: list[Turn] = []
    for turn in (turn for item in items for turn in _turns(item)):
        if turns and turn.role == turns[-1].role == "assistant":
            turn = _joined(turns.pop(), turn)  # noqa: PLW2901 - both are one
        turns.append(turn)
    return tuple(turns)


def _joined(first: Turn, second: Turn) -> Turn:
    text = "\n".join(filter(None, (first.text, second.text)))
    return Turn(first.role, text, (*first.tool_calls, *second.tool_calls))


def _turns(item: Item) -> Iterator[Turn]:
    if item.kind == MESSAGE:
        role = _ROLES.get(item.role)
        if role is not None:
            yield Turn(role, item.text)
    elif item.kind.endswith(_CALL):
        yield Turn("assistant", "", (_call(item),))
        returned: list[JsonValue] = [
            value for name in _RETURNED if (value := item.document.get(name)) is not None
        ]
        if returned:
            failed = item.document.get("error") is not None
            yield Turn("tool", _all_texts(returned), failed=failed)
    elif item.kind not in _THOUGHTS:
        yield Turn("tool", _all_texts(item.document))


def _call(item: Item) -> ToolCall:
    """The call: by its own name, or by its kind where a kind of tool has one tool alone."""
    name, arguments = item.document.get("name"), item.document.get("arguments")
    named = name if type(name) is str and name else item.kind.removesuffix(_CALL)
    if type(arguments) is str:
        return ToolCall(named, arguments)
    asked: JsonObject = {each: value for each in _ASKED if (value := item.document.get(each)) is not None}
    one = asked.get("input")
    return ToolCall(named, one if type(one) is str else canonical(asked).decode())


def _all_texts(value: JsonValue) -> str:
    return "\n".join(_texts_in(value, _DEPTH_MAX))


def _texts_in(value: JsonValue, depth: int) -> Iterator[str]:
    """Every text in the value, in order; what is deeper than the depth is one text, as JSON."""
    match value:
        case str():
            yield value
        case list() | dict() if not depth:
            yield orjson.dumps(value).decode()
        case list():
            for each in value:
                yield from _texts_in(each, depth - 1)
        case dict():
            for name, each in value.items():
                if name not in NO_TEXTS:
                    yield from _texts_in(each, depth - 1)
