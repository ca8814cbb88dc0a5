"""The neutral form of an inference request: what signals, rules and the cache look at.

The pool gets the client's own bytes (dialects edit them in place), never this. Whatever could change the
meaning of an answer is `prompt`, in `system_texts` or in `context`: a field that a dialect does not know
goes into `context`, where it makes another cache entry instead of a wrong hit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from router_extproc.llm.answer import JsonObject, ToolCall

Role = Literal["system", "user", "assistant", "tool"]
#: Why an answer is of one request alone: the server remembers part of the question; it may keep the answer,
#: for the client to go on from by its id; it may run tools, which do something or look something up.
AloneReason: TypeAlias = Literal["server-state", "kept-answer", "server-tools"]


class Turn(NamedTuple):
    """One message beside the asked one: who spoke, and its text parts joined by newlines.

    A long conversation has thousands; a frozen dataclass takes three times as long to make.
    """

    role: Role
    text: str
    #: That an assistant asked for.
    tool_calls: tuple[ToolCall, ...] = ()
    #: A tool result that its dialect marks as an error.
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """What a request is made of beside text."""

    tools_offered: int = 0
    images: int = 0
    audio: int = 0
    #: Documents and any other attachment.
    files: int = 0
    #: The answer shall be JSON, of any or of a given schema.
    json_asked: bool = False
    #: It shall be JSON of a given schema.
    schema_asked: bool = False


NO_CONTENTS: Final = Contents()


@dataclass(frozen=True, slots=True)
class ContextField:
    """One named part of the request's context in a canonical byte form (sorted keys, no spaces)."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Pieces:
    """What of a request is answered each for itself, whatever stands beside it: the inputs of a batch."""

    #: One for each, in their order: equal ones are the same piece, in whichever request they are.
    keys: tuple[str, ...]
    #: In what proportion they share the tokens of their request; each at least 1.
    sizes: tuple[int, ...]
    #: As `InferenceRequest.context`, without what is beside a piece and without the form that is asked for.
    context: tuple[ContextField, ...]


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """One question to a model, as its dialect read it."""

    #: The dialect's registry name, for example "openai_chat".
    dialect: str
    #: The model name as the client wrote it.
    model: str
    #: Text of the last user message, parts joined by newlines; "" when it has none (image only).
    prompt: str
    #: System and developer prompts, joined by newlines.
    system: str
    #: The turns before the last user message, without system prompts.
    history: tuple[Turn, ...]
    #: Everything but `prompt` and `system_texts` that can change the answer's meaning: every other turn,
    #: tools, response format, sampling parameters, attachments, unknown fields.
    #: Streamed or not is no part of it, nor is the model name (the cache key has its own field).
    context: tuple[ContextField, ...]
    #: Asked to be streamed.
    stream: bool
    #: Asked for usage at the end of a stream.
    stream_usage: bool
    #: False when the prompt is not the end of the conversation (tool results follow it) or carries
    #: no text: then only an exact match may be reused.
    prompt_is_last: bool
    has_tools: bool = False
    has_attachments: bool = False
    #: Some of what is asked is tokens or embeddings: the model understands them, and nobody on the way.
    is_coded: bool = False
    #: Size of the client's body.
    body_bytes: int = 0
    #: The text of each system and developer prompt, in their order.
    system_texts: tuple[str, ...] = ()
    #: The turns behind the last user message: tool calls, their results, the beginning of an answer.
    later: tuple[Turn, ...] = ()
    contents: Contents = NO_CONTENTS
    #: The longest answer that is asked for, in tokens: its model's window must have room for it. 0: not said.
    answer_tokens: int = 0
    #: Answers of two models cannot stand side by side, as vectors cannot: a virtual name means the default
    #: model, and no fallback answers.
    by_name: bool = False
    #: None: it is answered as a whole.
    pieces: Pieces | None = None
    #: How many answers it asks for at once; 0: that is not known.
    answers: int = 0
    #: Why no other request may share the answer; None: one may.
    alone: AloneReason | None = None
    #: The id of an earlier answer from which the pool is to go on; "": the request says all itself.
    previous: str = ""
    #: The client's body: a scope may name members of it that are in no key.
    body: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @property
    def wants_usage(self) -> bool:
        """Whether the answer's form has a place for usage, which clients then read without asking."""
        return self.stream_usage or not self.stream
