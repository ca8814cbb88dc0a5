"""Turns and contents of chat completion requests as neutral values."""

from __future__ import annotations

import json
from typing import Any  # JSON bodies

import pytest

from router_extproc.dialects.openai_chat.request import parse_request
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import Contents, InferenceRequest, Turn

ASKED = {"role": "user", "content": "Which files are there?"}


def parse(*messages: Any, **members: Any) -> InferenceRequest:
    body = {"model": "auto", "messages": list(messages), **members}
    return parse_request(json.dumps(body).encode())


def calls(*calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def function(name: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}


def result(text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "c1", "content": text}


def test_a_tool_loop_is_behind_the_question() -> None:
    request = parse(ASKED, calls(function("ls", '{"path": "."}')), result("a.py"))
    assert request.history == ()
    assert request.later == (
        Turn("assistant", "", (ToolCall("ls", '{"path": "."}'),)),
        Turn("tool", "a.py"),
    )


def test_earlier_loops_are_history() -> None:
    request = parse(ASKED, calls(function("ls")), result("a.py"), {"role": "user", "content": "Thanks."})
    assert [turn.role for turn in request.history] == ["user", "assistant", "tool"]
    assert request.later == ()


def test_custom_tools_are_called_with_text() -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    assert parse(ASKED, calls(custom)).later[0].tool_calls == (ToolCall("sql", "select 1"),)


@pytest.mark.parametrize("call", [{"type": "function"}, {"function": None}, {"function": "ls"}])
def test_a_call_without_a_function_is_none(call: dict[str, Any]) -> None:
    assert parse(ASKED, calls(call)).later[0].tool_calls == ()


def test_a_nameless_call_has_no_arguments_either() -> None:
    assert parse(ASKED, calls({"function": {"name": None, "arguments": 3}})).later[0].tool_calls == (
        ToolCall("", ""),
    )


def test_pictures_sound_and_files_are_counted() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "hologram"},
    ]
    contents = parse({"role": "user", "content": parts}).contents
    assert contents == Contents(images=1, audio=1, files=2)


def test_tools_on_offer_are_counted_in_both_forms() -> None:
    functions = [{"name": "ls", "parameters": {}}]
    tools = [{"type": "function", "function": {"name": "cat", "parameters": {}}}] * 2
    assert parse(ASKED, tools=tools, functions=functions).contents.tools_offered == 3


@pytest.mark.parametrize(
    ("member", "asked"),
    [
        ({"response_format": {"type": "json_object"}}, True),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, True),
        ({"response_format": {"type": "text"}}, False),
        ({"structured_outputs": {"json": {"type": "object"}}}, True),
        ({"structured_outputs": {"regex": "a+"}}, False),
        ({"guided_json": {"type": "object"}}, True),
        ({}, False),
    ],
)
def test_json_is_asked_for_in_every_way_that_vllm_knows(member: dict[str, Any], *, asked: bool) -> None:
    assert parse(ASKED, **member).contents.json_asked is asked


@pytest.mark.parametrize(
    ("member", "asked"),
    [
        ({"response_format": {"type": "json_object"}}, False),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, True),
        ({"structured_outputs": {"json": {"type": "object"}}}, True),
        ({"guided_json": {"type": "object"}}, True),
        ({}, False),
    ],
)
def test_a_schema_is_more_than_json(member: dict[str, Any], *, asked: bool) -> None:
    assert parse(ASKED, **member).contents.schema_asked is asked


@pytest.mark.parametrize(
    ("member", "tokens"),
    [
        ({"max_tokens": 9}, 9),
        ({"max_completion_tokens": 5, "max_tokens": 9}, 5),
        ({"max_completion_tokens": None, "max_tokens": 9}, 9),
        ({"max_tokens": 0}, 0),
        ({}, 0),
    ],
)
def test_the_longest_answer_is_read_as_pools_read_it(member: dict[str, Any], tokens: int) -> None:
    assert parse(ASKED, **member).answer_tokens == tokens
