"""Chat completion requests as neutral values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # JSON bodies

import pytest

from router_extproc.dialects.openai_chat.request import OUTSIDE_CONTEXT, parse_request
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import InferenceRequest, Turn

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_chat"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def parse(*messages: Any, **members: Any) -> InferenceRequest:
    body = {"model": "auto", "messages": list(messages), **members}
    return parse_request(json.dumps(body).encode())


def user(content: Any, **members: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **members}


def text(words: str, **members: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **members}


def sample(name: str) -> InferenceRequest:
    return parse_request((SAMPLES / f"{name}.request.json").read_bytes())


def context(request: InferenceRequest) -> dict[str, bytes]:
    return {field.name: field.value for field in request.context}


def refused(body: Any) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as raised:
        parse_request(json.dumps(body).encode())
    return raised.value


# ── what is read ──────────────────────────────────────────────────────────────────────────────


def test_plain_question() -> None:
    request = sample("question")
    assert request.model == "auto"
    assert request.prompt == "Which tree grows fastest?"
    assert request.system == "You are a helpful assistant."
    assert request.history == ()
    assert request.prompt_is_last
    flags = [request.stream, request.stream_usage, request.has_tools, request.has_attachments]
    assert flags == [False] * 4


def test_tool_result_after_the_question() -> None:
    request = sample("tools-after-question")
    assert request.system == "Use tools.\nBe brief."
    assert request.prompt == "Is it raining in Lima?"
    assert not request.prompt_is_last
    assert request.has_tools
    assert b"call_1" in context(request)["messages"]
    assert b'"name":"ada"' in context(request)["messages"]


def test_legacy_functions() -> None:
    request = sample("legacy-functions")
    assert request.prompt == "And at seven."
    alarm = (ToolCall("alarm", '{"hour": 6}'),)
    assert request.history == (
        Turn("user", "Wake me at six."),
        Turn("assistant", "", alarm),
        Turn("tool", "set"),
    )
    assert request.has_tools
    assert request.prompt_is_last
    assert context(request)["function_call"] == b'"auto"'


def test_pictures_sounds_and_files_are_attachments_in_their_order() -> None:
    request = sample("pictures")
    assert request.prompt == "Compare these:\nwith\nthat one"
    assert request.has_attachments
    messages = context(request)["messages"]
    assert messages.index(b"iVBORw0KGgo=") < messages.index(b"UklGRg==") < messages.index(b"file-7")
    assert b"that one" not in messages


def test_system_prompts_are_no_history() -> None:
    request = parse(
        {"role": "system", "content": "a"},
        user("b"),
        {"role": "assistant", "content": "c"},
        {"role": "developer", "content": "d"},
        user("e"),
    )
    assert request.system == "a\nd"
    assert request.history == (Turn("user", "b"), Turn("assistant", "c"))


def test_system_prompt_after_the_question_ends_the_conversation() -> None:
    assert not parse(user("a"), {"role": "system", "content": "b"}).prompt_is_last


@pytest.mark.parametrize("content", ["", " \n", [], [PICTURE], [text("")]])
def test_question_without_words_is_matched_exactly_only(content: Any) -> None:
    assert not parse(user(content)).prompt_is_last


@pytest.mark.parametrize(
    ("members", "stream", "usage"),
    [
        ({}, False, False),
        ({"stream": None, "stream_options": None}, False, False),
        ({"stream": True}, True, False),
        ({"stream": True, "stream_options": {}}, True, False),
        ({"stream": True, "stream_options": {"include_usage": False}}, True, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
    ],
)
def test_stream_and_usage(members: dict[str, Any], stream: bool, usage: bool) -> None:  # noqa: FBT001
    request = parse(user("a"), **members)
    assert (request.stream, request.stream_usage) == (stream, usage)


def test_roles_that_only_the_pool_knows_are_context() -> None:
    request = parse({"role": "critic", "content": "hm"}, user("a"))
    assert request.history == ()
    assert b"critic" in context(request)["messages"]


def test_bare_strings_are_text_parts() -> None:
    assert parse(user(["a", text("b")])).prompt == "a\nb"


def test_refusal_part_is_text() -> None:
    refusal = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    request = parse(user("a"), refusal, user("b"))
    assert request.history[1] == Turn("assistant", "no")
    assert not request.has_attachments


@pytest.mark.parametrize(
    ("kind", "member"), [("input_text", "text"), ("output_text", "text"), ("thinking", "thinking")]
)
def test_parts_that_vllm_reads_as_text_are_text(kind: str, member: str) -> None:
    """A guard must not miss an attack for the kind of its part."""
    request = parse(user([text("a"), {"type": kind, member: "b"}]))
    assert (request.prompt, request.has_attachments) == ("a\nb", False)
    assert request.contents.files == 0
    assert context(request) != context(parse(user([text("a"), text("b")])))
    assert context(request) == context(parse(user([text("c"), {"type": kind, member: "d"}])))


def test_such_a_part_without_text_is_the_pools_to_refuse() -> None:
    request = parse(user([text("a"), {"type": "thinking", "thinking": None}]))
    assert (request.prompt, request.has_attachments) == ("a", True)


def test_attachment_of_an_earlier_turn_counts() -> None:
    assert parse(user([PICTURE]), user("a")).has_attachments


def test_request_knows_its_size() -> None:
    assert sample("question").body_bytes == (SAMPLES / "question.request.json").stat().st_size


def test_long_text_is_read_whole() -> None:
    words = 'a"\\\né🌳' * 200_000
    assert parse(user(words)).prompt == words


# ── what splits the cache and what does not ───────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(OUTSIDE_CONTEXT - {"messages", "model", "stream", "stream_options"}))
def test_members_that_leave_the_meaning_alone_are_no_context(name: str) -> None:
    values = {"store": True, "metadata": {"a": "b"}, "priority": 3, "stream_interval": 2}
    assert parse(user("a"), **{name: values.get(name, "x")}).context == parse(user("a")).context


@pytest.mark.parametrize(
    "members",
    [
        {"temperature": 0.1},
        {"seed": 1},
        {"n": 2},
        {"stop": ["x"]},
        {"max_tokens": 5},
        {"logprobs": True},
        {"response_format": {"type": "json_object"}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tool_choice": "none"},
        {"guided_regex": "a+"},
        {"cache_salt": "s"},
        {"": 1},
    ],
)
def test_every_other_member_is_context(members: dict[str, Any]) -> None:
    assert parse(user("a"), **members).context != parse(user("a")).context


@pytest.mark.parametrize(
    "other",
    [
        [{"role": "system", "content": "b"}, user("q")],
        [user("b"), user("q")],
        [user("q", name="ada")],
        [user([text("q"), PICTURE])],
        [user([PICTURE, text("q")])],
        [user([text("q", cache_control={"type": "ephemeral"})])],
        [user("q"), {"role": "assistant", "content": "b"}],
    ],
)
def test_everything_around_the_question_is_context(other: list[Any]) -> None:
    assert parse(*other).context != parse(user("q")).context


def test_another_question_has_the_same_context() -> None:
    assert parse(user("a")).context == parse(user("b\nc")).context


def test_picture_before_or_after_the_text_is_another_context() -> None:
    assert parse(user([text("q"), PICTURE])).context != parse(user([PICTURE, text("q")])).context


def test_string_is_the_same_as_one_text_part() -> None:
    assert parse(user("q")).context == parse(user([text("q")])).context


def test_where_one_part_ends_is_context() -> None:
    one, other = parse(user([text("a\nb"), text("c")])), parse(user([text("a"), text("b\nc")]))
    assert one.prompt == other.prompt
    assert one.context != other.context


def test_bare_string_is_not_taken_for_a_number() -> None:
    assert parse(user(["a", "b"])).context != parse(user([text("a"), text("b")])).context


def test_key_order_and_spaces_do_not_matter() -> None:
    streamed = sample("question-streamed")
    assert streamed.context == sample("question").context


def test_doubled_members_share_with_the_same_bytes_only() -> None:
    """The pool may read the member that this package did not."""
    asked = b'{"model":"auto","messages":[{"role":"user","content":"q"}],"seed":1'
    hidden = asked + b',"seed":2}'
    request = parse_request(hidden)
    assert request.prompt == "q"
    assert request.context != parse(user("q"), seed=2).context
    assert request.context != parse_request(hidden.replace(b'"seed":1', b'"seed":3')).context
    assert request.context == parse_request(hidden).context


# ── what pools read, too ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ["system", "developer", "assistant", "tool"])
def test_a_request_without_a_question_is_matched_exactly_only(role: str) -> None:
    """A pool answers a system prompt, and goes on from an answer's beginning."""
    request = parse({"role": role, "content": "Once upon"})
    assert (request.prompt, request.prompt_is_last, request.history) == ("", False, ())
    other = parse({"role": role, "content": "Far away"})
    assert (request.context, request.system_texts) != (other.context, other.system_texts)


def test_a_prefill_is_matched_exactly_only() -> None:
    request = parse(user("Tell a story."), {"role": "assistant", "content": "Once upon"})
    assert (request.prompt, request.prompt_is_last) == ("Tell a story.", False)
    assert request.later == (Turn("assistant", "Once upon"),)


@pytest.mark.parametrize("members", [{}, {"model": None}, {"model": ""}])
def test_a_request_without_a_model_leaves_the_choice_to_others(members: dict[str, Any]) -> None:
    body = {"messages": [user("x")], **members}
    assert not parse_request(json.dumps(body).encode()).model


@pytest.mark.parametrize(
    ("part", "prompt", "files", "images"),
    [
        ({"text": "b"}, "a\nb", 0, 0),
        ({"refusal": "b"}, "a\nb", 0, 0),
        ({"type": None, "text": "b"}, "a\nb", 0, 0),
        ({"image_url": "data:,"}, "a", 0, 1),
        ({"type": ["text"], "image_url": "data:,"}, "a", 0, 1),
        ({"hologram": 1}, "a", 1, 0),
    ],
)
def test_a_part_without_a_kind_is_what_its_members_tell(
    part: Any, prompt: str, files: int, images: int
) -> None:
    """A guard must not miss a text for the lack of a word beside it."""
    request = parse(user([text("a"), part]))
    assert request.prompt == prompt
    assert (request.contents.files, request.contents.images) == (files, images)
    assert request.has_attachments is bool(files or images)
    assert request.context != parse(user([text("a"), text("b")])).context


@pytest.mark.parametrize("message", [{"role": "user"}, {"role": "user", "content": None}])
def test_a_user_may_say_nothing(message: dict[str, Any]) -> None:
    request = parse(message)
    assert (request.prompt, request.prompt_is_last) == ("", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", 100.0),
        ("temperature", "0.7"),
        ("n", "1"),
        ("n", 1_000_000_000),
        ("seed", 1.0),
        ("seed", 10**30),
        ("logprobs", 1),
        ("metadata", "x"),
        ("store", "maybe"),
        ("audio", 1),
    ],
)
def test_a_loosely_typed_member_passes_and_is_no_other_question(name: str, value: Any) -> None:
    request = parse(user("a"), **{name: value})
    assert request.prompt_is_last
    assert request.prompt == "a"


@pytest.mark.parametrize(("value", "streamed"), [(1, True), ("true", True), (0, False), ("off", False)])
def test_a_stream_is_asked_for_as_pools_read_it(value: Any, streamed: bool) -> None:  # noqa: FBT001
    """The form of a replay is the form that the pool would have sent."""
    request = parse(user("a"), stream=value, stream_options={"include_usage": value})
    assert (request.stream, request.stream_usage) == (streamed, streamed)


# ── what is refused ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"model": "a"}, "messages"),
        ({"model": "a", "messages": None}, "messages"),
        ({"model": "a", "messages": []}, "messages"),
        ({"model": "a", "messages": {"role": "user"}}, "messages"),
        ({"model": "a", "messages": ["x"]}, "messages[0]"),
        ({"model": 1, "messages": [user("x")]}, "model"),
        ({"model": ["a"], "messages": [user("x")]}, "model"),
    ],
)
def test_missing_or_wrong_at_the_top(body: Any, param: str) -> None:
    assert refused(body).param == param


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"content": "x"}, "role"),
        ({"role": "", "content": "x"}, "role"),
        ({"role": 1, "content": "x"}, "role"),
        ({"role": "user", "content": 1}, "content"),
        ({"role": "user", "content": {"text": "x"}}, "content"),
        ({"role": "assistant", "content": True}, "content"),
        (user("x", name=1), "name"),
        (user([1]), "content[0]"),
        (user([text("x"), None]), "content[1]"),
        (user([{"text": 1}]), "content[0].text"),
        (user([{"type": "text"}]), "content[0].text"),
        (user([{"type": "text", "text": 1}]), "content[0].text"),
        ({"role": "assistant", "tool_calls": {}}, "tool_calls"),
        ({"role": "assistant", "tool_calls": ["x"]}, "tool_calls[0]"),
        ({"role": "assistant", "function_call": "x"}, "function_call"),
        ({"role": "tool", "content": "x", "tool_call_id": 1}, "tool_call_id"),
    ],
)
def test_wrong_message_is_named(message: Any, param: str) -> None:
    error = refused({"model": "a", "messages": [user("x"), message]})
    assert error.param == f"messages[1].{param}"
    assert f"'{error.param}'" in error.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", "maybe"),
        ("stream", 2),
        ("stream_options", True),
        ("temperature", "warm"),
        ("temperature", [0.7]),
        ("n", 1.5),
        ("max_tokens", "many"),
        ("seed", [1]),
        ("stop", 5),
        ("tools", {"a": 1}),
        ("tool_choice", 1),
        ("functions", "f"),
        ("response_format", "json"),
        ("logit_bias", []),
        ("logprobs", "x"),
        ("user", 5),
    ],
)
def test_wrong_type_of_a_member_is_named(name: str, value: Any) -> None:
    error = refused({"model": "a", "messages": [user("x")], name: value})
    assert error.param == name


@pytest.mark.parametrize(("name", "value"), [("tools", [{}, "x"]), ("functions", [{}, 3])])
def test_wrong_element_of_a_list_is_named(name: str, value: Any) -> None:
    assert refused({"model": "a", "messages": [user("x")], name: value}).param == f"{name}[1]"


def test_wrong_stream_option_is_named() -> None:
    body = {"model": "a", "messages": [user("x")], "stream_options": {"include_usage": "maybe"}}
    assert refused(body).param == "stream_options.include_usage"


@pytest.mark.parametrize("value", [None, [], ""])
def test_empty_values_of_optional_members_pass(value: Any) -> None:
    members = {"tools": value or None, "stop": value, "temperature": None}
    assert not parse(user("a"), **members).has_tools


def test_deep_nesting_is_refused() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    assert "deep" in refused({"model": "a", "messages": [user("x")], "extra": deep}).message


def test_errors_repeat_nothing_that_the_client_wrote() -> None:
    error = refused({"model": "a", "messages": [user([{"type": "text", "secret": "word", "text": 1}])]})
    assert "secret" not in error.message
    assert "word" not in error.message
