"""A decision's changes in the body of a Responses request, and the texts in it."""

from __future__ import annotations

import json
from typing import Any  # JSON trees

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.json_strings import text_of
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
)

RESPONSES = DIALECTS["openai_responses"]
BOTH = SurroundSystemPrompt("Be brief.", "Be polite.")
HI = {"role": "user", "content": "Hi"}
LATE = {"type": "message", "role": "system", "content": "Late."}


def sent(changes: RequestChanges, family: str | None = None, **members: object) -> dict[str, Any]:
    """What the pool reads beside the model."""
    raw = json.dumps({"model": "auto", "input": "Hi", **members}).encode()
    edits = RESPONSES.edits(RESPONSES.parse(raw), changes, family=family)
    found: dict[str, Any] = json.loads(RESPONSES.edit(raw, edits))
    del found["model"]
    return found


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"input": "Hi", "instructions": "Be brief.\n\nBe polite."}),
        ({"instructions": "A"}, {"input": "Hi", "instructions": "Be brief.\n\nA\n\nBe polite."}),
        (
            {"input": [{"role": "developer", "content": "A"}, HI]},
            {
                "instructions": "Be brief.",
                "input": [{"role": "developer", "content": "A\n\nBe polite."}, HI],
            },
        ),
        (
            {"instructions": "A", "input": [{**LATE, "content": [{"type": "input_text", "text": "B"}]}, HI]},
            {
                "instructions": "Be brief.\n\nA",
                "input": [
                    {
                        **LATE,
                        "content": [
                            {"type": "input_text", "text": "B"},
                            {"type": "input_text", "text": "Be polite."},
                        ],
                    },
                    HI,
                ],
            },
        ),
    ],
)
def test_the_system_prompt_is_the_instructions_and_the_messages_behind_them(
    given: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert sent(RequestChanges(BOTH), **given) == wanted


def test_a_replaced_system_prompt_leaves_no_other() -> None:
    kept = {"type": "function_call_output", "call_id": "c", "output": "x", "role": "system"}
    replaced = RequestChanges(ReplaceSystemPrompt("Be kind."))
    assert sent(replaced, instructions="A", input=[LATE, HI, kept, LATE]) == {
        "instructions": "Be kind.", "input": [HI, kept],
    }  # fmt: skip
    assert sent(replaced) == {"instructions": "Be kind.", "input": "Hi"}


PARAMETERS = ParameterChanges(
    set=(("temperature", b"0"), ("seed", b"7"), ("top_k", b"3")),
    default=(("truncation", b'"auto"'),),
    max=(("max_tokens", 50), ("n", 1)),
    removed=("top_logprobs",),
)


def test_the_length_has_one_name_whatever_a_decision_calls_it() -> None:
    given = {"max_output_tokens": 99, "top_logprobs": 2, "n": 4}
    assert sent(RequestChanges(parameters=PARAMETERS), **given) == {
        "input": "Hi", "max_output_tokens": 50, "temperature": 0, "top_k": 3, "truncation": "auto", "n": 1,
    }  # fmt: skip


def test_a_cap_is_written_where_the_pool_would_fill_its_context() -> None:
    capped = RequestChanges(parameters=ParameterChanges(max=(("max_completion_tokens", 50),)))
    assert sent(capped) == {"input": "Hi", "max_output_tokens": 50}


ON, OFF = ReasoningChange(on=True), ReasoningChange(on=False)


@pytest.mark.parametrize(
    ("family", "change", "given", "wanted"),
    [
        ("qwen3", OFF, {}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("gpt_oss", ON, {}, {"reasoning": {"effort": "high"}}),
        (
            "gpt_oss",
            OFF,
            {"reasoning": {"summary": "auto"}},
            {"reasoning": {"summary": "auto", "effort": "low"}},
        ),
        ("gpt_oss", ON, {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}),
        ("qwen3", OFF, {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}),
        (None, ON, {}, {}),
    ],
)
def test_each_family_is_told_in_its_way_to_reason(
    family: str | None, change: ReasoningChange, given: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert sent(RequestChanges(reasoning=change), family, **given) == {"input": "Hi", **wanted}


def test_a_clients_wish_is_overruled_by_force() -> None:
    forced = RequestChanges(reasoning=ReasoningChange(on=False, force=True))
    assert sent(forced, "gpt_oss", reasoning={"effort": "high"})["reasoning"] == {"effort": "low"}


# ── texts ─────────────────────────────────────────────────────────────────────────────────────


def texts(**members: object) -> dict[str, tuple[str, str]]:
    body = json.dumps({"model": "auto", **members}).encode()
    found = RESPONSES.texts(body)
    return {text_of(body[each.start : each.end].decode()): (each.part, each.form) for each in found}


def test_every_text_of_a_request_has_its_part() -> None:
    assert texts(
        instructions="rules",
        input=[
            {"type": "message", "role": "developer", "content": "more rules"},
            {"role": "user", "content": [{"type": "input_text", "text": "question"}]},
            {"type": "reasoning", "id": "rs_1", "encrypted_content": "AA", "summary": [{"text": "thought"}]},
            {"type": "function_call", "name": "f", "call_id": "c", "arguments": '{"a":"b"}'},
            {"type": "custom_tool_call", "name": "f", "call_id": "c", "input": "patch"},
            {"type": "function_call_output", "call_id": "c", "output": "result"},
            {"type": "function_call_output", "call_id": "c", "output": [
                {"type": "input_text", "text": "part"}, {"type": "input_image", "image_url": "data:xx"},
            ]},
            {"type": "mcp_call", "name": "m", "arguments": "{}", "output": "found"},
            {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}},
        ],
        tools=[{"type": "function", "name": "f", "description": "what it does"}],
        tool_choice="auto", previous_response_id="resp_1", text={"format": {"type": "text", "name": "n"}},
        user="someone",
    ) == {
        "rules": ("system", "text"), "more rules": ("system", "text"), "question": ("user", "text"),
        "thought": ("assistant", "text"), '{"a":"b"}': ("tool_calls", "json"),
        "patch": ("tool_calls", "text"), "result": ("tool", "text"),
        "part": ("tool", "text"), "{}": ("tool_calls", "json"),
        "found": ("tool", "text"), "exec": ("tool_calls", "text"), "ls": ("tool_calls", "text"),
        "what it does": ("tools", "text"), "someone": ("other", "text"),
    }  # fmt: skip


def test_an_input_that_is_one_text_is_the_users() -> None:
    assert texts(input="question") == {"question": ("user", "text")}
