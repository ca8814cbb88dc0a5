"""What the stand-in pools answer: fixed texts that say what they are.

The same question to the same pool gives the same answer, to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from router_extproc.llm.answer import JsonValue

#: Longer questions are echoed cut.
ECHO_CHARS_MAX = 200
#: A question with all the words of a key gets its text; the first that fits.
CANNED: Mapping[frozenset[str], str] = {
    frozenset({"non", "renewable"}): (
        "Non-renewable energy comes mainly from:\n\n"
        "1. coal,\n2. oil,\n3. natural gas,\n4. uranium for nuclear power."
    ),
    frozenset({"renewable", "energy"}): (
        "The main renewable energy sources are:\n\n1. sunlight, through solar panels and collectors,\n"
        "2. wind, on land and at sea,\n3. water, in dams, rivers and tides,\n4. biomass,\n"
        "5. heat from the earth."
    ),
    frozenset({"hello"}): "Hello! 👋 What can a stand-in do for you?",
}
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the pool needs to know of a request."""

    model: str
    question: str
    stream: bool
    stream_usage: bool
    choices: int
    #: The name of the tool that the client demands, if any.
    tool: str | None
    prompt_tokens: int


def answer_text(pool: str, question: str) -> str:
    """The pool's answer to a question."""
    words = set(_WORD.findall(question.casefold()))
    canned = next((text for key, text in CANNED.items() if key <= words), None)
    body = canned or f'A model would now answer: "{question[:ECHO_CHARS_MAX]}"'
    return f"[demo pool '{pool}': a stand-in, not a language model]\n\n{body}"


def count_tokens(text: str) -> int:
    """Words, as a stand-in for tokens."""
    return len(text.split())


def pieces(text: str) -> list[str]:
    """The text in words with the white space behind each; joined they are the text."""
    return re.findall(r"\S+\s*|\s+", text)


def read_request(body: object) -> Asked | None:
    """What was asked, or None when it is no chat completion request."""
    if not isinstance(body, dict):
        return None
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not isinstance(messages, list):
        return None
    texts = [_text(message) for message in messages]
    users = [text for message, text in zip(messages, texts, strict=True) if _role(message) == "user"]
    options, choices = body.get("stream_options"), body.get("n")
    return Asked(
        model,
        question=users[-1] if users else "",
        stream=body.get("stream") is True,
        stream_usage=isinstance(options, dict) and options.get("include_usage") is True,
        choices=choices if isinstance(choices, int) and choices > 0 else 1,
        tool=_demanded_tool(body),
        prompt_tokens=sum(map(count_tokens, texts)),
    )


def _role(message: object) -> object:
    return message.get("role") if isinstance(message, dict) else None


def _text(message: object) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(
        part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def _demanded_tool(body: Mapping[str, object]) -> str | None:
    match body.get("tool_choice"), body.get("tools"):
        case {"function": {"name": str(name)}}, _:
            return name
        case "required", [{"function": {"name": str(name)}}, *_]:
            return name
    return None


def message_of(pool: str, asked: Asked) -> dict[str, JsonValue]:
    """The assistant's message: a text, or a call of the demanded tool without arguments."""
    if asked.tool is None:
        return {"role": "assistant", "content": answer_text(pool, asked.question)}
    call: dict[str, JsonValue] = {
        "id": f"call_{pool}",
        "type": "function",
        "function": {"name": asked.tool, "arguments": "{}"},
    }
    return {"role": "assistant", "content": None, "tool_calls": [call]}
