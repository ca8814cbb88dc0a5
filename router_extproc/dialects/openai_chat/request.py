"""Reads the body of a chat completion into the inference request.

A member that is not known to leave the answer's meaning alone goes into the context: one that is new
then makes another cache entry, never a wrong hit.
Source: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from router_extproc.dialects.doubled import mark_of_doubled
from router_extproc.dialects.json_body import canonical, read_object
from router_extproc.dialects.openai_chat.shapes import CHECKED, MESSAGE
from router_extproc.dialects.openai_chat.spelling import SPELLING
from router_extproc.dialects.openai_chat.turns import contents_of, kind_of, turn_of
from router_extproc.dialects.openai_members import wants_usage
from router_extproc.dialects.scalars import is_true
from router_extproc.dialects.shapes import (
    check_members,
    read_answer_tokens,
    read_messages,
    read_model,
    wrong_shape,
)
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import ContextField, InferenceRequest, Turn

DIALECT: Final = "openai_chat"

#: Members that cannot change what an answer means, each with its reason.
OUTSIDE_CONTEXT: Final = frozenset(
    {
        "messages",  # a context field of its own, without the prompt
        "model",  # the cache key has its own field for it
        "stream",  # the form of the answer, not its content
        "stream_options",  # likewise
        "stream_interval",  # vLLM: likewise
        "user",  # names the end user for abuse reports; the model never sees it
        "safety_identifier",  # its successor
        "metadata",  # labels of the client's own for stored completions
        "store",  # whether the provider keeps the answer for its owner
        "service_tier",  # price and waiting time
        "priority",  # vLLM: place in the queue
        "request_id",  # vLLM: becomes the answer's id
        "prompt_cache_key",  # where the provider looks for a computed prefix
        "prompt_cache_retention",  # how long it keeps one
    }
)
#: What every reader of a body must find the same in: who answers, and what is asked.
_DECIDING: Final = ("model", "messages")
#: Of messages by which whoever runs an application instructs the model.
SYSTEM_ROLES: Final = frozenset({"system", "developer"})
#: Kind of part to its member that holds text; the last three are vLLM's.
_TEXT_PARTS: Final[Mapping[str, str]] = {
    "text": "text",
    "refusal": "refusal",
    "input_text": "text",
    "output_text": "text",
    "thinking": "thinking",
}
#: Of these, those of the API itself: their member must be a text.
_STRICT_PARTS: Final = frozenset({"text", "refusal"})


class _Message(NamedTuple):
    """One message as the neutral form needs it."""

    role: str
    texts: tuple[str, ...]
    attached: bool

    @property
    def text(self) -> str:
        """The text parts joined by newlines."""
        return self.texts[0] if len(self.texts) == 1 else "\n".join(self.texts)


def parse_request(body: bytes) -> InferenceRequest:
    """See dialects.base.Dialect.parse."""
    document = read_object(body)
    check_members(document, CHECKED)
    originals = read_messages(document, MESSAGE)
    messages = [_read_message(original, place) for place, original in enumerate(originals)]
    asked = _last_user_message(messages)
    prompt = "" if asked is None else messages[asked].text
    before, after = (0, 0) if asked is None else (asked, asked + 1)
    return InferenceRequest(
        dialect=DIALECT,
        model=read_model(document),
        prompt=prompt,
        system="\n".join(message.text for message in messages if message.role in SYSTEM_ROLES),
        history=_turns(originals[:before], messages[:before]),
        context=_context(body, document, originals, asked),
        stream=is_true(document.get("stream")),
        stream_usage=wants_usage(document),
        prompt_is_last=asked == len(messages) - 1 and bool(prompt.strip()),
        has_tools=bool(document.get("tools") or document.get("functions")),
        has_attachments=any(message.attached for message in messages),
        body_bytes=len(body),
        system_texts=tuple(message.text for message in messages if message.role in SYSTEM_ROLES),
        later=_turns(originals[after:], messages[after:]),
        contents=contents_of(document, originals),
        answer_tokens=read_answer_tokens(document, "max_completion_tokens", "max_tokens"),
        body=document,
    )


def _read_message(message: JsonObject, place: int) -> _Message:
    """Role and text of one message; it may have none."""
    role = message.get("role")
    if type(role) is not str or not role:
        raise wrong_shape(f"messages[{place}].role", "the name of a role")
    content = message.get("content")
    if type(content) is str:
        return _Message(role, (content,), attached=False)
    if type(content) is list:
        return _read_parts(role, content, f"messages[{place}].content")
    return _Message(role, (), attached=False)


def _read_parts(role: str, parts: Sequence[JsonValue], path: str) -> _Message:
    """A message in parts: some are text, any other is an attachment."""
    texts = [_part_text(part, f"{path}[{place}]") for place, part in enumerate(parts)]
    said = tuple(text for text in texts if text is not None)
    return _Message(role, said, attached=len(said) < len(parts))


def _part_text(part: JsonValue, path: str) -> str | None:
    """The text of one part; None: it is an attachment.

    vLLM also takes a bare string as a part, and a part without a kind by the member that it has.
    """
    if type(part) is str:
        return part
    if type(part) is not dict:
        raise wrong_shape(path, "an object")
    kind = kind_of(part)
    member = _TEXT_PARTS.get(kind)
    if member is None:
        return None
    text = part.get(member)
    if type(text) is str:
        return text
    if kind in _STRICT_PARTS:
        raise wrong_shape(f"{path}.{member}", "a string")
    return None


def _last_user_message(messages: Sequence[_Message]) -> int | None:
    """Where the question stands; None: there is none, as where a pool is to go on from a system prompt."""
    places = reversed(range(len(messages)))
    return next((place for place in places if messages[place].role == "user"), None)


def _turns(originals: Sequence[JsonObject], messages: Sequence[_Message]) -> tuple[Turn, ...]:
    """The turns without system prompts; roles that only the pool knows stay in the context alone."""
    turns = (turn_of(each, message.text) for each, message in zip(originals, messages, strict=True))
    return tuple(turn for turn in turns if turn is not None)


def _context(
    body: bytes, document: JsonObject, originals: Sequence[JsonObject], asked: int | None
) -> tuple[ContextField, ...]:
    """Every message without its prompt or system prompt, then each other member by name."""
    turns: list[JsonValue] = [
        _without_nulls(_without_text(each) if place == asked or each["role"] in SYSTEM_ROLES else each)
        for place, each in enumerate(originals)
    ]
    messages = canonical(turns) + mark_of_doubled(body, document, _DECIDING)
    others = SPELLING.of({name: document[name] for name in document if name not in OUTSIDE_CONTEXT})
    return (
        ContextField("messages", messages),
        *(ContextField(name, canonical(others[name])) for name in sorted(others)),
    )


def _without_nulls(message: JsonObject) -> JsonObject:
    """The message without the members that it says nothing with."""
    if None not in message.values():
        return message
    return {name: value for name, value in message.items() if value is not None or name not in MESSAGE}


def _without_text(message: JsonObject) -> JsonObject:
    """The message with holes where its text was; a plain string is the same as one text part."""
    content = message.get("content")
    if content is None:
        return message
    parts: list[JsonValue] = list(content) if type(content) is list else [{"type": "text", "text": content}]
    return {**message, "content": _with_holes(parts)}


def _with_holes(parts: Sequence[JsonValue]) -> list[JsonValue]:
    """The parts without their text.

    With several text parts, each keeps its number of line breaks: together with the joined prompt
    that tells where one part ends and the next begins.
    """
    several = sum(_is_text(part) for part in parts) > 1
    return [_with_hole(part, several=several) if _is_text(part) else part for part in parts]


def _is_text(part: JsonValue) -> bool:
    """Whether the part's text is in the prompt."""
    if type(part) is not dict:
        return type(part) is str
    return type(part.get(_TEXT_PARTS.get(kind_of(part), ""))) is str


def _with_hole(part: JsonValue, *, several: bool) -> JsonValue:
    """One text part, its text replaced by the number of line breaks or by nothing."""
    if type(part) is dict:
        member = _TEXT_PARTS[kind_of(part)]
        return {**part, member: str(part[member]).count("\n") if several else None}
    return str(part).count("\n") if several else None
