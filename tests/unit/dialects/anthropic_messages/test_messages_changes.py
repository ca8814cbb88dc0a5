"""A decision's changes in the body of a Messages request."""

from __future__ import annotations

import json
from typing import Any  # JSON trees

import pytest

from router_extproc.dialects.anthropic_messages import AnthropicMessages
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
)

MESSAGES = AnthropicMessages()
BOTH = SurroundSystemPrompt("Be brief.", "Be polite.")
PARAMETERS = ParameterChanges(
    set=(("temperature", b"0"), ("seed", b"7")),
    default=(("top_k", b"3"),),
    max=(("max_completion_tokens", 50), ("n", 1)),
    removed=("stop_sequences",),
)


def sent(changes: RequestChanges, family: str | None = None, **members: object) -> dict[str, Any]:
    """What the pool reads beside model and messages."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}], **members}
    raw = json.dumps(body).encode()
    found: dict[str, Any] = json.loads(
        MESSAGES.edit(raw, MESSAGES.edits(MESSAGES.parse(raw), changes, family=family))
    )
    return {name: value for name, value in found.items() if name not in {"model", "messages"}}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "Be brief.\n\nBe polite."),
        ({"system": ""}, "Be brief.\n\nBe polite."),
        ({"system": "A"}, "Be brief.\n\nA\n\nBe polite."),
        (
            {"system": [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}]},
            [
                {"type": "text", "text": "Be brief."},
                {"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "Be polite."},
            ],
        ),
    ],
)
def test_the_system_member_is_the_system_prompt(given: dict[str, Any], text: object) -> None:
    assert sent(RequestChanges(BOTH), **given) == {"system": text}
    assert sent(RequestChanges(ReplaceSystemPrompt("Be kind.")), **given) == {"system": "Be kind."}


def test_only_parameters_that_the_api_knows_are_added() -> None:
    given = {"max_tokens": 99, "stop_sequences": ["x"], "n": 4}
    assert sent(RequestChanges(parameters=PARAMETERS), **given) == {
        "max_tokens": 50, "temperature": 0, "top_k": 3, "n": 1,
    }  # fmt: skip


def test_what_a_request_needs_is_not_taken_out() -> None:
    removing = RequestChanges(parameters=ParameterChanges(removed=("max_tokens",)))
    assert sent(removing, max_tokens=9) == {"max_tokens": 9}


ON, OFF = ReasoningChange(on=True), ReasoningChange(on=False)


@pytest.mark.parametrize(
    ("change", "max_tokens", "thinking"),
    [
        (OFF, 9999, {"type": "disabled"}),
        (ON, 9999, {"type": "enabled", "budget_tokens": 4096}),
        (ReasoningChange(on=True, effort="low"), 9999, {"type": "enabled", "budget_tokens": 1024}),
        (ReasoningChange(on=True, effort="high"), 2000, {"type": "enabled", "budget_tokens": 1999}),
        (ON, 1024, None),
    ],
)
def test_thinking_has_a_budget_inside_the_answers_length(
    change: ReasoningChange, max_tokens: int, thinking: Any
) -> None:
    found = sent(RequestChanges(reasoning=change), "qwen3", max_tokens=max_tokens)
    assert found.get("thinking") == thinking


def test_the_clients_own_wish_is_kept_unless_it_is_overruled() -> None:
    own = {"type": "enabled", "budget_tokens": 2000}
    assert sent(RequestChanges(reasoning=OFF), "qwen3", thinking=own) == {"thinking": own}
    forced = RequestChanges(reasoning=ReasoningChange(on=False, force=True))
    assert sent(forced, "qwen3", thinking=own) == {"thinking": {"type": "disabled"}}
    assert sent(forced, None, thinking=own) == {"thinking": own}
