"""A decision's changes in the body of a chat completion: what is said there, and that nothing else moves."""

from __future__ import annotations

import json
from typing import Any  # JSON trees

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.errors import MalformedRequest
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
    SystemPromptChange,
)
from router_extproc.llm.edits import Set

CHAT = OpenAIChat()
USER = {"role": "user", "content": "Hi"}


def changed(body: object, changes: RequestChanges, family: str | None = None) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CHAT.edit(raw, CHAT.edits(CHAT.parse(raw), changes, family=family))


def asked(*messages: object, **members: object) -> dict[str, Any]:
    return {"model": "auto", "messages": list(messages) or [USER], **members}


# ── system prompt ─────────────────────────────────────────────────────────────────────────────


def said(change: SystemPromptChange, *messages: object) -> list[Any]:
    """The messages that the pool reads."""
    found: list[Any] = json.loads(changed(asked(*messages), RequestChanges(change)))["messages"]
    return found


def system(content: object, role: str = "system") -> dict[str, object]:
    return {"role": role, "content": content}


BRIEF = SurroundSystemPrompt(before="Be brief.")
POLITE = SurroundSystemPrompt(after="Be polite.")
BOTH = SurroundSystemPrompt("Be brief.", "Be polite.")


@pytest.mark.parametrize("role", ["system", "developer"])
def test_text_goes_in_front_of_the_clients_or_behind_it(role: str) -> None:
    own = system("You are a pirate.", role)
    assert said(BRIEF, own, USER) == [{**own, "content": "Be brief.\n\nYou are a pirate."}, USER]
    assert said(POLITE, own, USER) == [{**own, "content": "You are a pirate.\n\nBe polite."}, USER]
    both = "Be brief.\n\nYou are a pirate.\n\nBe polite."
    assert said(BOTH, own, USER) == [{**own, "content": both}, USER]


def test_a_prompt_in_parts_gets_a_part_more() -> None:
    part = {"type": "text", "text": "You are a pirate."}
    brief, polite = ({"type": "text", "text": text} for text in ("Be brief.", "Be polite."))
    assert said(BOTH, system([part]), USER) == [system([brief, part, polite]), USER]


@pytest.mark.parametrize("content", ["", None, []])
def test_an_empty_prompt_is_filled(content: object) -> None:
    assert said(BRIEF, system(content), USER) == [system("Be brief."), USER]
    assert said(BOTH, system(content), USER) == [system("Be brief.\n\nBe polite."), USER]


def test_without_one_there_is_a_new_first_message() -> None:
    assert said(BRIEF, USER) == [system("Be brief."), USER]
    assert said(BOTH, USER) == [system("Be brief.\n\nBe polite."), USER]
    assert said(ReplaceSystemPrompt("Be kind."), USER) == [system("Be kind."), USER]


def test_several_first_messages_are_one_prompt() -> None:
    a, b = system("A"), system("B", "developer")
    text = [system("Be brief.\n\nA"), system("B\n\nBe polite.", "developer"), USER]
    assert said(BOTH, a, b, USER) == text


@pytest.mark.parametrize("first", [[], [system("A")], [system([{"type": "text", "text": "A"}])]])
def test_a_replaced_prompt_leaves_none_of_the_clients(first: list[object]) -> None:
    """Not even one that the client hides further down."""
    replaced = said(ReplaceSystemPrompt("Be kind."), *first, USER, system("B"), USER, system("C"))
    assert replaced == [system("Be kind."), USER, USER]


def test_ten_thousand_system_prompts_are_replaced_at_once() -> None:
    many = [system("A")] * 10_000
    assert said(ReplaceSystemPrompt("Be kind."), *many, USER) == [system("Be kind."), USER]


# ── parameters ────────────────────────────────────────────────────────────────────────────────


def parameters(body: object, **changes: Any) -> dict[str, Any]:
    """What the pool reads beside model and messages."""
    forms: dict[str, Any] = {}
    for kind, value in changes.items():
        encode = kind in {"set", "default"}
        items = value if kind == "removed" else value.items()
        forms[kind] = tuple((k, orjson.dumps(v)) for k, v in items) if encode else tuple(items)
    found: dict[str, Any] = json.loads(changed(body, RequestChanges(parameters=ParameterChanges(**forms))))
    return {name: value for name, value in found.items() if name not in {"model", "messages"}}


@pytest.mark.parametrize(
    ("given", "changes", "sent"),
    [
        ({"temperature": 2}, {"set": {"temperature": 0}}, {"temperature": 0}),
        ({}, {"set": {"temperature": 0}}, {"temperature": 0}),
        ({"a": 1}, {"set": {"b": {"c": [1]}}}, {"a": 1, "b": {"c": [1]}}),
        ({}, {"default": {"seed": 7}}, {"seed": 7}),
        ({"seed": None}, {"default": {"seed": 7}}, {"seed": 7}),
        ({"seed": 1}, {"default": {"seed": 7}}, {"seed": 1}),
        ({"n": 5}, {"max": {"n": 1}}, {"n": 1}),
        ({"n": 1}, {"max": {"n": 2}}, {"n": 1}),
        ({}, {"max": {"n": 1}}, {}),
        ({"n": None}, {"max": {"n": 1}}, {"n": None}),
        ({"x": "9"}, {"max": {"x": 1}}, {"x": 1}),
        ({"x": " 1e9 "}, {"max": {"x": 1}}, {"x": 1}),
        ({"x": "nan"}, {"max": {"x": 1}}, {"x": 1}),
        ({"x": True}, {"max": {"x": 0}}, {"x": 0}),
        ({"x": "1"}, {"max": {"x": 1}}, {"x": "1"}),
        ({"x": "many"}, {"max": {"x": 1}}, {"x": "many"}),
        ({"x": [9]}, {"max": {"x": 1}}, {"x": [9]}),
        ({"logprobs": True, "a": 1}, {"removed": ["logprobs", "b"]}, {"a": 1}),
        ({"seed": 1}, {"removed": ["seed"], "default": {"seed": 7}}, {"seed": 7}),
        ({"seed": 1}, {"removed": ["seed"], "set": {"seed": 7}}, {"seed": 7}),
        ({}, {"default": {"seed": 9}, "max": {"seed": 7}}, {"seed": 7}),
        ({"seed": 8}, {"default": {"seed": 1}, "max": {"seed": 7}}, {"seed": 7}),
    ],
)
def test_parameters_become_what_the_decision_wants(given: Any, changes: Any, sent: Any) -> None:
    assert parameters(asked(**given), **changes) == sent


@pytest.mark.parametrize(
    ("given", "changes", "sent"),
    [
        ({"max_completion_tokens": 9}, {"set": {"max_tokens": 5}}, {"max_completion_tokens": 5}),
        ({"max_tokens": 9}, {"set": {"max_completion_tokens": 5}}, {"max_tokens": 5}),
        ({"max_tokens": 9}, {"max": {"max_output_tokens": 5}}, {"max_tokens": 5}),
        ({}, {"set": {"max_output_tokens": 5}}, {"max_tokens": 5}),
        ({"max_completion_tokens": 9}, {"default": {"max_tokens": 5}}, {"max_completion_tokens": 9}),
        ({"max_completion_tokens": 9}, {"max": {"max_tokens": 5}}, {"max_completion_tokens": 5}),
        (
            {"max_completion_tokens": 9, "max_tokens": 3},
            {"max": {"max_tokens": 5}},
            {"max_completion_tokens": 5, "max_tokens": 3},
        ),
        ({"max_completion_tokens": 9, "max_tokens": 3}, {"removed": ["max_tokens"]}, {}),
        (
            {},
            {"default": {"max_completion_tokens": 9}, "max": {"max_tokens": 5}},
            {"max_completion_tokens": 5},
        ),
    ],
)
def test_a_parameter_with_two_names_is_one(given: Any, changes: Any, sent: Any) -> None:
    assert parameters(asked(**given), **changes) == sent


@pytest.mark.parametrize(
    ("given", "cap", "sent"),
    [
        ({}, {"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": None}, {"max_tokens": 5}, {"max_tokens": 5}),
        ({}, {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        ({}, {"temperature": 0.5}, {"temperature": 0.5}),
        ({}, {"temperature": 1}, {}),
    ],
)
def test_a_cap_is_written_where_the_pools_own_default_would_exceed_it(
    given: Any, cap: Any, sent: Any
) -> None:
    assert parameters(asked(**given), max=cap) == sent


def test_every_doubled_member_is_capped() -> None:
    """A pool may read the first or the last."""
    body = b'{"n": 9, "model": "a", "messages": [{"role": "user", "content": "Hi"}], "n": null, "n":8}'
    cap = RequestChanges(parameters=ParameterChanges(max=(("n", 1),)))
    assert changed(body, cap) == body.replace(b"9", b"1").replace(b"8", b"1")
    last_is_null = body.replace(b"null", b"7").replace(b"8", b"null")
    assert changed(last_is_null, cap) == last_is_null.replace(b"9", b"1").replace(b"7", b"1")


# ── reasoning ─────────────────────────────────────────────────────────────────────────────────


def reasoning(family: str | None, change: ReasoningChange, **given: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(changed(asked(**given), RequestChanges(reasoning=change), family))
    return {name: value for name, value in found.items() if name not in {"model", "messages"}}


ON, OFF = ReasoningChange(on=True), ReasoningChange(on=False)


@pytest.mark.parametrize(
    ("family", "change", "sent"),
    [
        ("qwen3", ON, {"chat_template_kwargs": {"enable_thinking": True}}),
        ("qwen3", OFF, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("deepseek", OFF, {"chat_template_kwargs": {"thinking": False}}),
        ("gpt_oss", ON, {"reasoning_effort": "high"}),
        ("gpt_oss", OFF, {"reasoning_effort": "low"}),
        ("gpt_oss", ReasoningChange(on=True, effort="medium"), {"reasoning_effort": "medium"}),
        (
            "qwen3",
            ReasoningChange(on=True, effort="low"),
            {"chat_template_kwargs": {"enable_thinking": True}},
        ),
        (None, ON, {}),
        ("unheard_of", ON, {}),
    ],
)
def test_each_family_is_told_in_its_own_way(family: str, change: ReasoningChange, sent: Any) -> None:
    assert reasoning(family, change) == sent


@pytest.mark.parametrize(
    ("family", "wish"),
    [
        ("qwen3", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("qwen3", {"reasoning_effort": "none"}),
        ("gpt_oss", {"reasoning_effort": "low"}),
        ("gpt_oss", {"chat_template_kwargs": {"reasoning_effort": "low"}}),
        ("qwen3", {"chat_template_kwargs": "nonsense"}),
    ],
)
def test_the_clients_own_wish_is_kept(family: str, wish: dict[str, Any]) -> None:
    assert reasoning(family, ON, **wish) == wish


def test_the_clients_other_variables_are_no_wish() -> None:
    given = {"chat_template_kwargs": {"custom": 1, "enable_thinking": None}}
    assert reasoning("qwen3", ON, **given) == {"chat_template_kwargs": {"custom": 1, "enable_thinking": True}}


def test_force_overrules_the_client() -> None:
    forced = ReasoningChange(on=False, force=True)
    given = {"chat_template_kwargs": {"custom": 1, "enable_thinking": True}, "reasoning_effort": "high"}
    sent = reasoning("qwen3", forced, **given)
    assert sent["chat_template_kwargs"] == {"custom": 1, "enable_thinking": False}
    assert reasoning("gpt_oss", forced, reasoning_effort="high") == {"reasoning_effort": "low"}


# ── everything else stays ─────────────────────────────────────────────────────────────────────

NAMES = st.sampled_from(["n", "max_tokens", "seed", "x", "temperature", "logprobs", "é", 'q"uote'])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "system", "developer", "assistant"]),
            "content": st.text(max_size=9),
        },
        optional={"x": JSON},
    ),
    max_size=4,
)


@given(
    before=MESSAGES,
    after=MESSAGES,
    extra=st.dictionaries(st.text(max_size=3) | st.just("x"), JSON, max_size=3),
    change=st.sampled_from([BRIEF, POLITE, BOTH, ReplaceSystemPrompt("Be kind."), None]),
    indent=st.sampled_from([None, 1, "\t"]),
    ascii_only=st.booleans(),
)
def test_any_other_part_of_any_body_stays(
    before: Any, after: Any, extra: Any, change: Any, indent: Any, *, ascii_only: bool
) -> None:
    """Beside what is meant to change, the pool reads the document that the client wrote."""
    body = {**extra, "model": "auto", "messages": [*before, USER, *after], "n": 3, "logprobs": True}
    raw = json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        request = CHAT.parse(raw)
    except MalformedRequest:
        # It reaches no pool.
        return
    wanted = ParameterChanges(set=(("seed", b"7"),), max=(("n", 1),), removed=("logprobs",))
    edits = CHAT.edits(request, RequestChanges(change, wanted), family=None)
    sent = orjson.loads(CHAT.edit(raw, [Set(("model",), "pool"), *edits]))
    assert sent["model"] == "pool"
    assert (sent["seed"], sent["n"], "logprobs" in sent) == (7, 1, False)
    theirs = orjson.loads(raw)
    rest = {"model", "messages", "seed", "n", "logprobs"}
    assert _without(sent, rest) == _without(theirs, rest)
    is_system = {"system", "developer"}.__contains__
    others = [each for each in theirs["messages"] if not is_system(each["role"])]
    assert [each for each in sent["messages"] if not is_system(each["role"])] == others


def _without(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def test_bytes_beside_a_system_prompt_stay() -> None:
    """Escapes, white space, numbers and doubled members as the client wrote them."""
    body = (
        rb' { "model":"auto", "x":1.50E+3 ,"x":-0 ,"messages" :[ {"content":"\u0041\/" ,"role": "system"},'
        rb' {"role":"user","content":"\ud83d\ude00" } ] } '
    )
    assert changed(body, RequestChanges(BRIEF)) == body.replace(rb'"\u0041', rb'"Be brief.\n\n\u0041')
    assert changed(body, RequestChanges(POLITE)) == body.replace(rb"\/", rb"\/\n\nBe polite.")


def test_huge_numbers_and_deep_values_stay() -> None:
    deep = b"[" * 200 + b"]" * 200
    body = (
        b'{"messages":[{"role":"system","content":"A","x":' + deep + b'},{"role":"user","content":"Hi"}],'
        b'"big":123456789012345678901234567890,"tiny":1e-320,"model":"auto","y":' + deep + b',"n":9}'
    )
    cap = RequestChanges(BRIEF, ParameterChanges(max=(("n", 1),)))
    expected = body.replace(b'"A"', rb'"Be brief.\n\nA"').replace(b'"n":9', b'"n":1')
    assert changed(body, cap) == expected


def test_a_member_behind_strings_full_of_quotes_and_backslashes_is_found() -> None:
    text = rb"\\\"{[\\" + b"x" * 9
    body = (
        b'{"messages":[{"role":"user","content":"' + text + b'"}],"a":"' + text + b'","model":"auto","n":9}'
    )
    cap = RequestChanges(parameters=ParameterChanges(max=(("n", 1),)))
    assert changed(body, cap) == body.replace(b":9}", b":1}")
