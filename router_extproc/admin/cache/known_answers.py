"""A row of a file to warm from, read into the request and the answer that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from router_extproc.admin.cache.members import Unreadable, text_of
from router_extproc.dialects.openai_chat.compose import compose_completion
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.caching.warming import KnownAnswer

_KNOWN: Final = frozenset(
    {"question", "system", "messages", "model", "request", "answer", "decision", "headers"}
)


def read_known_answer(row: JsonValue, *, model: str, now_s: float) -> KnownAnswer:
    """A row of a file to warm from.

    Question and answer, messages with the answer last, or a whole request and its answer.

    model: what the client asks for, unless the row says so.

    Raises:
        Unreadable: not such a row.
    """
    if not isinstance(row, dict) or set(row) - _KNOWN:
        raise Unreadable(f"must be an object of {', '.join(sorted(_KNOWN))}")
    row = _without_messages(row, model)
    request = _request(row, model)
    answer = row.get("answer")
    if isinstance(answer, str):
        answer = compose_completion(answer, model=str(request.get("model")), now_s=now_s)
    if not isinstance(answer, dict):
        raise Unreadable("answer: must be a text or a chat completion")
    return KnownAnswer(_headers(row), orjson.dumps(request), orjson.dumps(answer), text_of(row, "decision"))


def _request(row: Mapping[str, JsonValue], model: str) -> dict[str, JsonValue]:
    request, question = row.get("request"), text_of(row, "question")
    if (request is None) == (question is None):
        raise Unreadable("must have either question or request or messages")
    if question is not None:
        system = text_of(row, "system")
        turns = [] if system is None else [("system", system)]
        messages: list[JsonValue] = [
            {"role": role, "content": text} for role, text in [*turns, ("user", question)]
        ]
        return {"model": text_of(row, "model") or model, "messages": messages}
    if not isinstance(request, dict) or {"system", "model"} & set(row):
        raise Unreadable("request: must be an object, and system and model stand in it")
    return request


def _without_messages(row: dict[str, JsonValue], model: str) -> dict[str, JsonValue]:
    """A logged conversation as the request before its last message, and that message as the answer."""
    if "messages" not in row:
        return row
    if {"question", "system", "request", "answer"} & set(row):
        raise Unreadable("messages: the question and the answer stand in them")
    messages = row["messages"]
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(messages, list) or not isinstance(last, dict) or last.get("role") != "assistant":
        raise Unreadable("messages: must be a list that ends with the assistant's answer")
    request: dict[str, JsonValue] = {"model": text_of(row, "model") or model, "messages": messages[:-1]}
    kept: dict[str, JsonValue] = {name: row[name] for name in ("decision", "headers") if name in row}
    return {**kept, "request": request, "answer": last.get("content")}


def _headers(row: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    headers = row.get("headers", {})
    if not isinstance(headers, dict):
        raise Unreadable("headers: must be an object")
    return tuple((name.lower(), text_of(headers, name) or "") for name in headers)
