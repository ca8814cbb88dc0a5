"""Requests that ask for the same in other spellings are one; what a pool may tell apart stays apart."""

from __future__ import annotations

import json
from typing import Any  # JSON bodies

import pytest

from router_extproc.cache.key import context_digest
from router_extproc.dialects.openai_chat.request import parse_request

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "default": 1}}}
QUESTION = [{"role": "user", "content": "Name a forest."}]
SAID = {"role": "assistant", "content": "Sherwood."}


def key(body: dict[str, Any]) -> str:
    return context_digest(parse_request(json.dumps({"model": "auto", "messages": QUESTION, **body}).encode()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"temperature": 1}, {"temperature": 1.0}),
        ({"temperature": 0}, {"temperature": -0.0}),
        ({"top_p": 1}, {"top_p": 1e0}),
        ({"presence_penalty": 2}, {"presence_penalty": 2.0}),
        ({"unheard_of": 3}, {"unheard_of": 3.0}),
        ({"logit_bias": {"50256": -100}}, {"logit_bias": {"50256": -100.0}}),
        ({"stop": None}, {}),
        ({"temperature": None}, {}),
        ({"seed": None, "n": None, "tools": None}, {}),
        ({"top_k": None}, {}),
        ({"tool_choice": None}, {}),
        ({"stop": []}, {}),
        ({"stop": "END"}, {"stop": ["END"]}),
        ({"tools": []}, {}),
        ({"tools": [], "tool_choice": None}, {}),
        ({"functions": []}, {}),
        ({"logit_bias": {}}, {}),
        ({"chat_template_kwargs": {}}, {}),
        ({"chat_template_kwargs": {"a": 1, "b": 2}}, {"chat_template_kwargs": {"b": 2, "a": 1}}),
        ({"seed": 1, "n": 2}, {"n": 2, "seed": 1}),
        ({"user": "alice", "metadata": {"run": "1"}}, {}),
        (
            {"messages": [{"role": "user", "content": "Name a forest.", "name": None}]},
            {"messages": QUESTION},
        ),
        (
            {"messages": [{"content": "Name a forest.", "role": "user"}]},
            {"messages": QUESTION},
        ),
        (
            {"messages": [*QUESTION, SAID | {"tool_calls": None, "refusal": None}, *QUESTION]},
            {"messages": [*QUESTION, SAID, *QUESTION]},
        ),
    ],
)  # fmt: skip
def test_the_same_in_another_spelling_has_the_same_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # A pool may have a default of its own: vLLM takes some from the model's generation_config.
        ({"temperature": 1}, {}),
        ({"top_p": 1}, {}),
        ({"repetition_penalty": 1.0}, {}),
        ({"unheard_of": 1}, {"unheard_of": True}),
        ({"temperature": 1}, {"temperature": 1.000001}),
        ({"seed": 9007199254740993}, {"seed": 9007199254740992}),
        ({"unheard_of": None}, {}),
        ({"unheard_of": []}, {}),
        ({"unheard_of": {}}, {}),
        ({"unheard_of": "1"}, {"unheard_of": 1}),
        # vLLM reads null as false there, and its default is true.
        ({"parallel_tool_calls": None}, {}),
        # A choice among no tools is refused, or answered in another way.
        ({"tools": [], "tool_choice": "auto"}, {"tool_choice": "auto"}),
        ({"functions": [], "function_call": "none"}, {"function_call": "none"}),
        ({"tools": [TOOL], "tool_choice": None}, {"tools": [TOOL]}),
        ({"tools": []}, {"tools": [TOOL]}),
        ({"stop": ["a", "b"]}, {"stop": ["b", "a"]}),
        ({"stop": ""}, {}),
        ({"documents": []}, {}),
        ({"allowed_token_ids": []}, {}),
        # The chat template writes a tool into the prompt as it is.
        ({"tools": [TOOL]}, {"tools": [json.loads(json.dumps(TOOL).replace("1", "1.0"))]}),
        (
            {"messages": [{"role": "user", "content": "Name a forest.", "unheard_of": None}]},
            {"messages": QUESTION},
        ),
        (
            {"messages": [*QUESTION, SAID | {"tool_calls": []}, *QUESTION]},
            {"messages": [*QUESTION, SAID, *QUESTION]},
        ),
    ],
)
def test_what_a_pool_may_tell_apart_has_another_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert key(one) != key(other)


def test_the_system_prompt_is_part_of_the_key_without_being_context() -> None:
    """Patterns leave parts of it out, so it is kept as text."""
    system = [{"role": "system", "content": "Be brief."}, *QUESTION]
    developer = [{"role": "developer", "content": "Be brief."}, *QUESTION]
    parts = [{"role": "system", "content": [{"type": "text", "text": "Be brief."}]}, *QUESTION]
    other = [{"role": "system", "content": "Be long."}, *QUESTION]
    assert key({"messages": system}) == key({"messages": parts})
    assert len({key({"messages": each}) for each in (system, developer, other, QUESTION)}) == 4


def test_where_a_system_prompt_stands_is_part_of_the_key() -> None:
    system = {"role": "system", "content": "Be brief."}
    assert key({"messages": [system, *QUESTION]}) != key({"messages": [*QUESTION, system, *QUESTION]})
