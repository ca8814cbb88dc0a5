"""Messages requests as neutral values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # JSON bodies

import pytest

from router_extproc.dialects.anthropic_messages.request import OUTSIDE_CONTEXT, parse_request
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import Contents, InferenceRequest, Turn

SAMPLES = Path(__file__).parents[3] / "samples" / "anthropic_messages"
ASKED = {"role": "user", "content": "Which files are there?"}
HINT = {"cache_control": {"type": "ephemeral"}}


def parse(*messages: Any, **members: Any) -> InferenceRequest:
    body = {"model": "auto", "max_tokens": 10, "messages": list(messages), **members}
    return parse_request(json.dumps(body).encode())


def text(words: str, **members: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **members}


def result(words: Any, **members: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": words, **members}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def key(request: InferenceRequest) -> object:
    return request.context, request.system_texts, request.prompt


def agent_loop() -> InferenceRequest:
    return parse_request((SAMPLES / "agent-loop.request.json").read_bytes())


def test_an_agents_question_is_found_behind_its_tool_results() -> None:
    request = agent_loop()
    assert request.prompt == "Why does the parser test fail?"
    assert not request.prompt_is_last
    assert request.history == ()


def test_an_agents_loop_becomes_turns() -> None:
    calls = (ToolCall("read", '{"lines":40,"path":"test_parser.py"}'), ToolCall("run", "{}"))
    assert agent_loop().later == (
        Turn("assistant", "I look at both.", calls),
        Turn("tool", "def test_parser():\n    assert parse('')"),
        Turn("tool", "exit status 1", failed=True),
    )


def test_an_agents_request_says_what_it_is_made_of() -> None:
    request = agent_loop()
    assert request.contents == Contents(tools_offered=2, images=1)
    assert request.system_texts == ("You edit code in a terminal.", "Answer in few words.")
    assert (request.has_tools, request.has_attachments, request.stream, request.stream_usage) == (True,) * 4


def test_results_in_the_asked_message_come_before_the_question() -> None:
    request = parse(user(result("a.py"), text("And the other?")))
    assert request.prompt == "And the other?"
    assert request.history == (Turn("tool", "a.py"),)
    assert not request.prompt_is_last


def test_a_conversation_of_results_alone_asks_nothing() -> None:
    request = parse(user(result("a.py")))
    assert (request.prompt, request.prompt_is_last) == ("", False)
    assert request.later == (Turn("tool", "a.py"),)


PLAIN = {"type": "text", "media_type": "text/plain", "data": "do this"}


@pytest.mark.parametrize(
    "block",
    [
        result("do this"),
        result([{"type": "search_result", "source": "u", "content": [text("do this")]}]),
        result([{"type": "document", "source": PLAIN}]),
        {"type": "document", "source": PLAIN},
        {"type": "document", "source": {"type": "content", "content": [text("do this")]}},
        {"type": "search_result", "source": "u", "content": [text("do this")]},
        {"type": "mcp_tool_result", "tool_use_id": "t", "content": [text("do this")]},
        {
            "type": "web_fetch_tool_result",
            "content": {"type": "web_fetch_result", "content": {"type": "document", "source": PLAIN}},
        },
        {
            "type": "code_execution_tool_result",
            "content": {"type": "code_execution_result", "stdout": "do this"},
        },
    ],
)
def test_whatever_holds_material_is_read_like_a_tool_result(block: dict[str, Any]) -> None:
    """A guard that reads tool results must not miss an instruction for the form in which it comes."""
    request = parse(user(block, text("Sum it up.")))
    assert request.history == (Turn("tool", "do this"),)
    assert request.prompt == "Sum it up."


def test_material_is_not_looked_for_without_end() -> None:
    nested: Any = "x"
    for _ in range(200):
        nested = {"type": "document", "content": nested}
    assert parse(user(result([nested]), text("a"))).history == (Turn("tool", ""),)


@pytest.mark.parametrize("levels", [130, 250, 450])
@pytest.mark.parametrize("start", ['{"type":"tool_result","content":', '{"type":"tool_use","input":'])
def test_what_is_nested_too_deeply_is_refused(levels: int, start: str) -> None:
    """It must not break the reader: what is not read passes every rule by."""
    content = f"[{start}" * levels + '"x"' + "}]" * levels
    body = f'{{"model":"auto","messages":[{{"role":"user","content":{content}}}]}}'.encode()
    with pytest.raises(MalformedRequest, match="nested too deeply"):
        parse_request(body)


def test_bytes_of_a_document_are_no_text() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}
    assert parse(user({"type": "document", "title": "A", "source": pdf}, text("a"))).history == (
        Turn("tool", "A"),
    )


def test_a_plain_string_is_the_same_as_one_text_block() -> None:
    assert key(parse(ASKED)) == key(parse(user(text("Which files are there?"))))


def test_two_text_blocks_are_not_one_with_a_line_break() -> None:
    assert key(parse(user(text("a"), text("b")))) != key(parse(user(text("a\nb"))))
    assert key(parse(user(text("a\nb"), text("c")))) != key(parse(user(text("a"), text("b\nc"))))


@pytest.mark.parametrize(
    ("with_hint", "without"),
    [
        (parse(user(text("a", **HINT))), parse(user(text("a")))),
        (parse(ASKED, system=[text("s", **HINT)]), parse(ASKED, system=[text("s")])),
        (parse(ASKED, tools=[{"name": "x", **HINT}]), parse(ASKED, tools=[{"name": "x"}])),
        (parse(user(result([text("r", **HINT)], **HINT))), parse(user(result([text("r")])))),
        (parse(ASKED, **HINT), parse(ASKED)),
    ],
    ids=["block", "system", "tool", "result", "top"],
)
def test_where_a_prefix_is_kept_is_no_part_of_the_key(
    with_hint: InferenceRequest, without: InferenceRequest
) -> None:
    assert key(with_hint) == key(without)


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": 0.5},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"tools": [{"name": "x"}]},
        {"stop_sequences": ["."]},
        {"system": "Be brief."},
        {"a_member_of_the_future": 1},
    ],
)
def test_what_may_change_the_answer_is_in_the_key(other: dict[str, Any]) -> None:
    assert key(parse(ASKED, **other)) != key(parse(ASKED))


@pytest.mark.parametrize("member", sorted(OUTSIDE_CONTEXT - {"messages", "system", "model", "stream"}))
def test_what_cannot_change_it_is_not(member: str) -> None:
    values: dict[str, Any] = {"metadata": {"user_id": "u"}, "service_tier": "auto", **HINT}
    assert key(parse(ASKED, **{member: values[member]})) == key(parse(ASKED))


def test_a_signature_of_thinking_is_in_the_key() -> None:
    def thought(signature: str) -> InferenceRequest:
        block = {"type": "thinking", "thinking": "So.", "signature": signature}
        return parse(ASKED, {"role": "assistant", "content": [block]}, {"role": "user", "content": "Go on"})

    assert key(thought("a")) != key(thought("b"))


def test_a_member_that_is_named_twice_makes_the_body_its_own_key() -> None:
    body = (
        b'{"model": "auto", "max_tokens": 1, "max_tokens": 2, "messages": [{"role": "user", "content": "a"}]}'
    )
    once = body.replace(b'"max_tokens": 1, ', b"")
    assert key(parse_request(body)) != key(parse_request(once))


def test_json_is_asked_for_in_both_ways() -> None:
    schema = {"type": "json_schema", "schema": {"type": "object"}}
    assert parse(ASKED, output_config={"format": schema}).contents.json_asked
    assert parse(ASKED, output_format=schema).contents.json_asked
    assert not parse(ASKED, output_config={"effort": "low"}).contents.json_asked


def test_files_and_pictures_in_results_count() -> None:
    picture, file = {"type": "image", "source": {}}, {"type": "document", "source": {}}
    contents = parse(user(file, text("?"), result([picture, text("r")]))).contents
    assert (contents.images, contents.files) == (1, 1)


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [user("x")]}, "messages[0].content[0]"),
        ({"messages": [user({"text": "x"})]}, "messages[0].content[0]"),
        ({"messages": [user({"type": "text"})]}, "messages[0].content[0].text"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"system": [{"type": "text"}]}, "system[0].text"),
        ({"system": 3}, "system"),
        ({"tools": [3]}, "tools[0]"),
        ({"max_tokens": "many"}, "max_tokens"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(members: dict[str, Any], path: str) -> None:
    body = {"model": "auto", "max_tokens": 1, "messages": [ASKED], **members}
    with pytest.raises(MalformedRequest) as caught:
        parse_request(json.dumps(body).encode())
    assert caught.value.param == path


@pytest.mark.parametrize(
    "members", [{"temperature": 1.0}, {"stop_sequences": []}, {"tools": []}, {"top_k": None}]
)
def test_another_spelling_is_the_same_question(members: dict[str, Any]) -> None:
    plain = {"temperature": 1} if "temperature" in members else {}
    assert key(parse(ASKED, **members)) == key(parse(ASKED, **plain))


@pytest.mark.parametrize("members", [{"tools": [], "tool_choice": {"type": "auto"}}, {"betas": []}])
def test_an_empty_list_that_may_mean_something_is_another_question(members: dict[str, Any]) -> None:
    name = next(iter(members))
    assert key(parse(ASKED, **members)) != key(parse(ASKED, **{**members, name: None}))


@pytest.mark.parametrize("members", [{"max_tokens": "100"}, {"temperature": "0.7"}, {"stream": 1}])
def test_loosely_typed_members_pass(members: dict[str, Any]) -> None:
    request = parse(ASKED, **members)
    assert request.stream is ("stream" in members)
    assert request.prompt_is_last


def test_blocks_of_a_system_prompt_that_are_no_text_are_context() -> None:
    told = parse(ASKED, system=[{"type": "text", "text": "Be kind."}, {"type": "image", "source": {}}])
    assert (told.system, told.system_texts) == ("Be kind.", ("Be kind.",))
    assert key(told) != key(parse(ASKED, system="Be kind."))


def test_a_block_of_the_future_passes() -> None:
    request = parse(user({"type": "hologram", "data": "AAAA"}, text("What is this?")))
    assert request.prompt == "What is this?"
    assert request.has_attachments


def test_a_role_of_the_future_passes() -> None:
    request = parse({"role": "system", "content": "Late advice."}, ASKED)
    assert request.prompt == "Which files are there?"
    assert request.history == ()


def test_two_models_in_one_body_must_both_be_names() -> None:
    body = b'{"model": 3, "model": "auto", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]}'
    with pytest.raises(MalformedRequest):
        parse_request(body)
