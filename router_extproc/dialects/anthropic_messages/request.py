"""Reads the body of a Messages request into the inference request.

Tool results stand in user messages here; in the neutral form each is a turn of the role "tool", so that
what a human said last is found behind them. A member that is not known to leave the answer's meaning alone
goes into the context.
Source: the Anthropic API reference, "Create a Message"; vLLM, AnthropicMessagesRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from router_extproc.dialects.anthropic_messages.blocks import (
    contents_of,
    turns_of_blocks,
    without_hints,
    without_text,
)
from router_extproc.dialects.anthropic_messages.shapes import BODY, CONTENT
from router_extproc.dialects.doubled import mark_of_doubled
from router_extproc.dialects.json_body import canonical, read_object
from router_extproc.dialects.scalars import is_true
from router_extproc.dialects.shapes import (
    check_members,
    read_answer_tokens,
    read_messages,
    read_model,
    wrong_shape,
)
from router_extproc.dialects.spelling import plain_number
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import ContextField, InferenceRequest, Turn

DIALECT: Final = "anthropic_messages"

#: Members that cannot change what an answer means, each with its reason.
OUTSIDE_CONTEXT: Final = frozenset(
    {
        "messages",  # a context field of its own, without the prompt
        "system",  # likewise, without its texts
        "model",  # the cache key has its own field for it
        "stream",  # the form of the answer, not its content
        "metadata",  # names the end user for abuse reports; the model never sees it
        "service_tier",  # price and waiting time
        "cache_control",  # where the provider keeps a computed prefix
    }
)
_USER: Final = "user"
#: What every reader of a body must find the same in: who answers, and what is asked.
_DECIDING: Final = ("model", "messages", "system")
#: A list with nothing in it asks for nothing; a choice among no tools is an error, or an answer of its own.
_NOTHING_IF_EMPTY: Final = frozenset({"stop_sequences"})


class _Message(NamedTuple):
    """One message as the neutral form needs it."""

    role: str
    #: A string is one text block.
    blocks: Sequence[JsonObject]

    @property
    def texts(self) -> list[str]:
        """Of its own text blocks; those of tool results are not among them."""
        return [str(block["text"]) for block in self.blocks if block["type"] == "text"]

    @property
    def is_asked(self) -> bool:
        """A user says something in it beside tool results."""
        return self.role == _USER and any(block["type"] != "tool_result" for block in self.blocks)


def parse_request(body: bytes) -> InferenceRequest:
    """See dialects.base.RequestDialect.parse."""
    document = read_object(body)
    # First: it refuses what is nested too deeply for readers that call themselves.
    doubled = mark_of_doubled(body, document, _DECIDING)
    check_members(document, BODY)
    messages = [_read_message(each, place) for place, each in enumerate(read_messages(document))]
    system = _system_blocks(document)
    asked = next((place for place in reversed(range(len(messages))) if messages[place].is_asked), None)
    prompt = "" if asked is None else "\n".join(messages[asked].texts)
    turns = [list(turns_of_blocks(message.role, message.blocks)) for message in messages]
    system_texts = tuple(str(block["text"]) for block in system if block["type"] == "text")
    stream = is_true(document.get("stream"))
    return InferenceRequest(
        dialect=DIALECT,
        model=read_model(document, required=True),
        prompt=prompt,
        system="\n".join(system_texts),
        history=_before(turns, asked),
        context=_context(doubled, document, messages, asked),
        stream=stream,
        stream_usage=stream,
        prompt_is_last=_is_last(messages, asked) and bool(prompt.strip()),
        has_tools=bool(document.get("tools")),
        has_attachments=_has_attachments(messages),
        body_bytes=len(body),
        system_texts=system_texts,
        later=tuple(turn for each in turns[_after(asked) :] for turn in each),
        contents=contents_of(document, [block for message in messages for block in message.blocks]),
        answer_tokens=read_answer_tokens(document, "max_tokens"),
        body=document,
    )


def _read_message(message: JsonObject, place: int) -> _Message:
    role = message.get("role")
    if type(role) is not str or not role:
        raise wrong_shape(f"messages[{place}].role", "the name of a role")
    content = message.get("content")
    if type(content) is str:
        return _Message(role, [{"type": "text", "text": content}])
    if type(content) is not list:
        raise wrong_shape(f"messages[{place}].content", CONTENT.words)
    return _Message(role, _read_blocks(content, f"messages[{place}].content"))


def _read_blocks(blocks: Sequence[JsonValue], path: str) -> list[JsonObject]:
    """The blocks, each with a kind; kinds that only the pool knows are kept as they are."""
    objects: list[JsonObject] = []
    for place, block in enumerate(blocks):
        if type(block) is not dict or type(block.get("type")) is not str:
            raise wrong_shape(f"{path}[{place}]", "a content block with a type")
        if block["type"] == "text" and type(block.get("text")) is not str:
            raise wrong_shape(f"{path}[{place}].text", "a string")
        objects.append(block)
    return objects


def _system_blocks(document: JsonObject) -> Sequence[JsonObject]:
    system = document.get("system")
    if system is None:
        return ()
    if type(system) is str:
        return [{"type": "text", "text": system}]
    return _read_blocks(system if type(system) is list else [], "system")


# ── what is asked, and what stands around it ──────────────────────────────────────────────────


def _is_last(messages: Sequence[_Message], asked: int | None) -> bool:
    """The question ends the conversation, and no tool results stand in its message."""
    if asked is None or asked != len(messages) - 1:
        return False
    return all(block["type"] != "tool_result" for block in messages[asked].blocks)


def _before(turns: Sequence[Sequence[Turn]], asked: int | None) -> tuple[Turn, ...]:
    """The turns before the question; tool results in its own message come before it."""
    if asked is None:
        return ()
    own = (turn for turn in turns[asked] if turn.role == "tool")
    return (*(turn for each in turns[:asked] for turn in each), *own)


def _after(asked: int | None) -> int:
    return 0 if asked is None else asked + 1


def _has_attachments(messages: Sequence[_Message]) -> bool:
    known = {"text", "tool_use", "tool_result", "thinking", "redacted_thinking"}
    return any(block["type"] not in known for message in messages for block in message.blocks)


def _context(
    doubled: bytes, document: JsonObject, messages: Sequence[_Message], asked: int | None
) -> tuple[ContextField, ...]:
    """Every message without its prompt, the system prompt without its texts, then each other member.

    doubled: what makes the key of a body its own that names a member twice, else nothing.
    """
    turns: list[JsonValue] = [
        {"role": message.role, "content": _blocks_of(message, asked=place == asked)}
        for place, message in enumerate(messages)
    ]
    return (
        ContextField("messages", canonical(turns) + doubled),
        *_system_field(document),
        *(
            ContextField(name, canonical(plain_number(without_hints(document[name]))))
            for name in sorted(document)
            if name not in OUTSIDE_CONTEXT and not _says_nothing(name, document)
        ),
    )


def _says_nothing(name: str, document: JsonObject) -> bool:
    if document[name] is None:
        return True
    if document[name] != []:
        return False
    return name in _NOTHING_IF_EMPTY or (name == "tools" and document.get("tool_choice") is None)


def _blocks_of(message: _Message, *, asked: bool) -> list[JsonValue]:
    blocks = without_text(message.blocks) if asked else message.blocks
    return [without_hints(block) for block in blocks]


def _system_field(document: JsonObject) -> Iterator[ContextField]:
    """How many texts the system prompt has, and what else its blocks say."""
    blocks = _system_blocks(document)
    if blocks:
        plain = map(without_hints, blocks)
        holes: list[JsonValue] = [
            {**block, "text": None} if block["type"] == "text" else block for block in plain
        ]
        yield ContextField("system", canonical(holes))
