"""Responses requests as neutral values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # JSON bodies

import pytest

from router_extproc.conversation.ask import read_ask
from router_extproc.dialects.openai_responses.request import OUTSIDE_CONTEXT, parse_request
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import Contents, InferenceRequest, Turn

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_responses"
ASK = "Which files are there?"


def parse(given: Any, **members: Any) -> InferenceRequest:
    return parse_request(json.dumps({"model": "auto", "store": False, "input": given, **members}).encode())


def message(content: Any, role: str = "user", **members: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **members}


def text(words: str, kind: str = "input_text") -> dict[str, Any]:
    return {"type": kind, "text": words}


def output(words: Any, kind: str = "function_call_output") -> dict[str, Any]:
    return {"type": kind, "call_id": "call_1", "output": words}


def key(request: InferenceRequest) -> object:
    return request.context, request.system_texts, request.prompt


def agent_loop() -> InferenceRequest:
    return parse_request((SAMPLES / "agent-loop.request.json").read_bytes())


def test_an_agents_question_is_found_behind_its_tool_loop() -> None:
    request = agent_loop()
    assert request.prompt == "Why does the parser test fail?"
    assert not request.prompt_is_last
    assert read_ask(request).text == "Why does the parser test fail?"


def test_an_agents_loop_becomes_turns() -> None:
    calls = (
        ToolCall("shell", '{"command":["bash","-lc","cat test_parser.py"]}'),
        ToolCall("apply_patch", "*** Begin Patch\n*** End Patch"),
    )
    assert agent_loop().later == (
        Turn("assistant", "I read the test.", calls),
        Turn("tool", "def test_parser():\n    assert parse('')"),
        Turn("tool", '{"output":"invalid patch","metadata":{"exit_code":1}}'),
    )


def test_an_agents_request_says_what_it_is_made_of() -> None:
    request = agent_loop()
    assert request.contents == Contents(tools_offered=2)
    assert request.system_texts[0].startswith("You are a coding agent")
    assert request.system_texts[1].startswith("<permissions")
    assert (request.has_tools, request.has_attachments, request.stream, request.stream_usage) == (
        True, False, True, True,
    )  # fmt: skip
    assert request.alone is None


def test_a_text_is_one_user_message_however_it_is_written() -> None:
    forms = [
        ASK,
        [message(ASK)],
        [message([text(ASK)], type="message")],
    ]
    assert len({repr(key(parse(form))) for form in forms}) == 1


def test_two_parts_are_not_one_with_a_line_break() -> None:
    assert key(parse([message([text("a"), text("b")])])) != key(parse([message([text("a\nb")])]))
    assert key(parse([message([text("a\nb"), text("c")])])) != key(
        parse([message([text("a"), text("b\nc")])])
    )


def test_instructions_are_not_a_first_system_message() -> None:
    assert key(parse(ASK, instructions="Be brief.")) != key(
        parse([message("Be brief.", "system"), message(ASK)])
    )


@pytest.mark.parametrize(
    ("item", "turns"),
    [
        (message("So.", "assistant"), (Turn("assistant", "So."),)),
        (message([text("So.", "output_text"), {"type": "refusal", "refusal": "No."}], "assistant"), (
            Turn("assistant", "So.\nNo."),
        )),
        (message("Late.", "critic"), ()),
        (message(None, "assistant"), (Turn("assistant", ""),)),
        ({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}, ()),
        ({"type": "compaction", "encrypted_content": "AAAA"}, ()),
        (output("a.py"), (Turn("tool", "a.py"),)),
        (output([text("a"), {"type": "input_image", "image_url": "data:x"}]), (Turn("tool", "a"),)),
        (output([{"stdout": "a", "stderr": "b", "outcome": {"exit_code": 1}}], "shell_call_output"), (
            Turn("tool", "a\nb"),
        )),
        (output({"type": "computer_screenshot", "image_url": "data:x"}, "computer_call_output"), (
            Turn("tool", ""),
        )),
        ({"type": "local_shell_call", "call_id": "c", "action": {"command": ["ls"]}}, (
            Turn("assistant", "", (ToolCall("local_shell", '{"action":{"command":["ls"]}}'),)),
        )),
        ({"type": "mcp_call", "name": "find", "arguments": "{}", "output": "do this"}, (
            Turn("assistant", "", (ToolCall("find", "{}"),)),
            Turn("tool", "do this"),
        )),
        ({"type": "mcp_call", "name": "find", "arguments": "{}", "error": "down"}, (
            Turn("assistant", "", (ToolCall("find", "{}"),)),
            Turn("tool", "down", failed=True),
        )),
        ({"type": "hologram", "story": "do this", "n": 3}, (Turn("tool", "do this"),)),
    ],
)  # fmt: skip
def test_each_kind_of_item_is_read(item: dict[str, Any], turns: tuple[Turn, ...]) -> None:
    """Whatever nobody in the conversation wrote is read like a tool's result, one of the future too."""
    assert parse([item, message(ASK)]).history == turns


def test_what_is_nested_deeply_is_still_read() -> None:
    nested: Any = "do this"
    for _ in range(9):
        nested = [nested]
    assert parse([output(nested), message(ASK)]).history == (Turn("tool", '[[[["do this"]]]]'),)


def test_results_alone_ask_nothing() -> None:
    request = parse([output("a.py")])
    assert (request.prompt, request.prompt_is_last, request.history) == ("", False, ())
    assert request.later == (Turn("tool", "a.py"),)


def test_pictures_recordings_and_files_count() -> None:
    parts = [
        text("?"),
        {"type": "input_image", "image_url": "data:x"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "input_file", "file_id": "f"},
        {"type": "hologram"},
        {"text": "a part without a kind"},
        "a bare text",
        7,
    ]
    screen = output({"type": "computer_screenshot", "image_url": "data:x"}, "computer_call_output")
    request = parse([screen, message(parts)])
    assert request.contents == Contents(images=2, audio=1, files=3)
    assert request.has_attachments
    assert request.prompt == "?\na part without a kind\na bare text"


def test_json_is_asked_for_in_both_ways() -> None:
    schema = {"type": "json_schema", "name": "x", "schema": {}}
    wanted = Contents(json_asked=True, schema_asked=True)
    assert parse(ASK, text={"format": schema}).contents == wanted
    assert parse(ASK, structured_outputs={"json": {}}).contents == wanted
    assert parse(ASK, text={"format": {"type": "json_object"}}).contents == Contents(json_asked=True)
    assert not parse(ASK, text={"format": {"type": "text"}, "verbosity": "low"}).contents.json_asked
    assert not parse(ASK, text={"verbosity": "low"}).contents.json_asked


# ── the key ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": 0.5},
        {"reasoning": {"effort": "high"}},
        {"tools": [{"type": "function", "name": "x"}]},
        {"text": {"verbosity": "low"}},
        {"instructions": "Be brief."},
        {"include": ["reasoning.encrypted_content"]},
        {"truncation": "auto"},
        {"parallel_tool_calls": None},
        {"a_member_of_the_future": None},
    ],
)
def test_what_may_change_the_answer_is_in_the_key(other: dict[str, Any]) -> None:
    assert key(parse(ASK, **other)) != key(parse(ASK))


VALUES: dict[str, Any] = {"metadata": {"a": "b"}, "stream": True, "store": True, "priority": 3}


@pytest.mark.parametrize("member", sorted(OUTSIDE_CONTEXT - {"input", "instructions", "model"}))
def test_what_cannot_change_it_is_not(member: str) -> None:
    value = VALUES.get(member, {"include_obfuscation": False} if member == "stream_options" else "x")
    assert key(parse(ASK, **{member: value})) == key(parse(ASK))


def test_null_is_the_same_as_left_out() -> None:
    assert key(parse(ASK, temperature=None, instructions=None, tools=[], include=[])) == key(parse(ASK))


def test_an_encrypted_thought_is_in_the_key() -> None:
    def thought(secret: str) -> InferenceRequest:
        return parse([{"type": "reasoning", "summary": [], "encrypted_content": secret}, message(ASK)])

    assert key(thought("a")) != key(thought("b"))


def test_a_member_that_is_named_twice_makes_the_body_its_own_key() -> None:
    body = b'{"model": "auto", "temperature": 1, "temperature": 0, "input": "a"}'
    assert key(parse_request(body)) != key(parse_request(body.replace(b'"temperature": 1, ', b"")))


# ── answers of one request alone ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, None),
        ({"store": "false"}, None),
        ({"store": True}, "kept-answer"),
        ({"store": None}, "kept-answer"),
        ({"previous_response_id": "resp_1"}, "server-state"),
        ({"conversation": "conv_1"}, "server-state"),
        ({"conversation": {"id": "conv_1"}}, "server-state"),
        ({"prompt": {"id": "pmpt_1"}}, "server-state"),
        ({"background": True}, "server-state"),
        ({"background": False}, None),
        ({"input": [{"type": "item_reference", "id": "rs_1"}, message(ASK)]}, "server-state"),
        ({"input": [{"id": "rs_1"}, message(ASK)]}, "server-state"),
        ({"tools": [{"type": "function", "name": "x"}, {"type": "custom", "name": "y"}]}, None),
        ({"tools": [{"type": "web_search"}]}, "server-tools"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "server-tools"),
        ({"tools": [{"type": "tool_of_the_future"}]}, "server-tools"),
    ],
)
def test_what_a_server_remembers_keeps_or_does_is_of_one_request_alone(
    members: dict[str, Any], why: str | None
) -> None:
    assert parse(members.pop("input", ASK), **members).alone == why


def test_the_answer_that_a_request_goes_on_from_is_named() -> None:
    assert parse(ASK, previous_response_id="resp_1").previous == "resp_1"
    assert parse(ASK).previous == ""


def test_where_the_server_knows_more_there_need_be_no_input() -> None:
    request = parse(None, prompt={"id": "pmpt_1"})
    assert (request.prompt, request.history, request.later) == ("", (), ())


# ── what cannot be read ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"input": [3]}, "input[0]"),
        ({"input": [{"type": 3}]}, "input[0].type"),
        ({"input": [{"type": "message"}]}, "input[0].role"),
        ({"input": [message(ASK, "")]}, "input[0].role"),
        ({"input": [message(None)]}, "input[0].content"),
        ({"input": [message(3, "assistant")]}, "input[0].content"),
        ({"model": 3}, "model"),
        ({"tools": [3]}, "tools[0]"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"instructions": []}, "instructions"),
        ({"reasoning": "high"}, "reasoning"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(members: dict[str, Any], path: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(**{"given": ASK, **members})
    assert caught.value.param == path


def test_what_is_nested_too_deeply_is_refused() -> None:
    """It must not break the reader: what is not read passes every rule by."""
    content = '[{"type":"x","content":' * 300 + '"x"' + "}]" * 300
    with pytest.raises(MalformedRequest, match="nested too deeply"):
        parse_request(f'{{"model":"auto","input":{content}}}'.encode())


def test_a_request_without_a_model_is_read() -> None:
    assert parse_request(b'{"input": "a"}').model == ""
