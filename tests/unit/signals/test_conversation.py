"""The conversation signal tells what a request is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from router_extproc.conversation.ask import read_ask
from router_extproc.dialects import DIALECTS
from router_extproc.dialects.json_body import canonical
from router_extproc.dialects.openai_chat.request import parse_request
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import Contents, InferenceRequest, Turn
from router_extproc.models.examples import ExampleClassifier
from router_extproc.signals.base import Subject
from router_extproc.signals.conversation import MATCHES, ConversationSettings
from router_extproc.testing.subjects import subject_of

READ_A = ToolCall("read", '{"path":"a"}')
READ_B = ToolCall("read", '{"path":"b"}')


def request_of(
    *, turns: int = 1, later: Sequence[Turn] = (), stream: bool = False, **contents: int
) -> InferenceRequest:
    history = [Turn("user", "Hello"), Turn("assistant", "Hello!")] * (turns - 1)
    request = subject_of("Go on", history=history).request
    return replace(request, later=tuple(later), stream=stream, contents=Contents(**contents))


def calling(*calls: ToolCall) -> list[Turn]:
    """A loop of these calls, one after the other, each with a result."""
    return [turn for call in calls for turn in (Turn("assistant", "", (call,)), Turn("tool", "done"))]


def matches(request: InferenceRequest, **facts: Any) -> bool:  # Any: as YAML gives it
    settings = ConversationSettings.model_validate({"type": "conversation", **facts})
    assert list(settings.problems("signals.x")) == []
    signal = settings.open("x", NO_CLASSIFIERS)
    reading = signal.read(Subject(request, {}, None, read_ask(request)))
    assert reading.label in {MATCHES, None}
    return reading.label == MATCHES


class NoClassifiers:
    """It needs none. Fits models.base.Classifiers."""

    def trained(self, model: str, *, where: str) -> ExampleClassifier:
        raise AssertionError(model, where)

    def require_tasks(self, *, where: str) -> None:
        raise AssertionError(where)

    def by_examples(self, examples: Any) -> ExampleClassifier:  # Any: never asked
        raise AssertionError(examples)


NO_CLASSIFIERS = NoClassifiers()


@pytest.mark.parametrize("fact", ["images", "audio", "files", "tools_offered"])
def test_what_a_request_holds_is_counted(fact: str) -> None:
    none, two = request_of(), request_of(**{fact: 2})
    assert (matches(none, **{fact: True}), matches(two, **{fact: True})) == (False, True)
    assert (matches(none, **{fact: False}), matches(two, **{fact: False})) == (True, False)
    assert (matches(none, **{fact: {"min": 2}}), matches(two, **{fact: {"min": 2}})) == (False, True)
    assert (matches(none, **{fact: {"max": 1}}), matches(two, **{fact: {"max": 1}})) == (True, False)


def test_turns_are_user_messages_with_the_last_one() -> None:
    assert matches(request_of(turns=5), turns={"min": 5, "max": 5})
    assert not matches(request_of(turns=4), turns={"min": 5})


def test_calls_of_the_whole_conversation_count() -> None:
    request = request_of(later=calling(READ_A))
    earlier = replace(request, history=(Turn("user", "Hello"), *calling(READ_A, READ_B)))
    assert matches(request, tools_called={"min": 1, "max": 1})
    assert matches(earlier, tools_called={"min": 3})
    assert matches(request_of(), tools_called=False)


def test_the_same_call_again_is_a_repetition() -> None:
    assert not matches(request_of(later=calling(READ_A)), call_repeated=True)
    assert not matches(request_of(later=calling(READ_A, READ_B)), call_repeated=True)
    assert matches(request_of(later=calling(READ_A, READ_A)), call_repeated=True)
    assert matches(request_of(later=calling(READ_A, READ_B, READ_A, READ_A)), call_repeated={"min": 2})
    assert not matches(request_of(later=calling(READ_A, READ_A, READ_B)), call_repeated=True)


def test_calls_before_the_question_are_no_repetition() -> None:
    request = replace(request_of(later=calling(READ_A)), history=(Turn("user", "Hi"), *calling(READ_A)))
    assert not matches(request, call_repeated=True)


@pytest.mark.parametrize(
    "text",
    [
        "Error: no such table",
        "Traceback (most recent call last):\n",
        '{"error": "not found"}',
        "exit code: 1",
        "Command failed with exit code 2",
        "fatal: not a git repository",
        "ValueError: too small",
        "[ERROR] timeout",
        "<tool_use_error>String not found</tool_use_error>",
        "java.lang.NullPointerException: null",
        "Failed to read",
        "Permission denied",
        "Exited with status 127",
    ],
)
def test_a_result_that_begins_with_an_error_has_failed(text: str) -> None:
    assert matches(
        request_of(later=[Turn("assistant", "", (READ_A,)), Turn("tool", text)]), last_result_failed=True
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "done",
        "0 errors, 0 warnings",
        "def handle_error(error): ...",
        "exit code: 0",
        "The error budget is fine.",
        "All tests passed; no failure.",
        "Errors are listed in the file.",
        '{"result": "ok", "error": null}',
        "1 | error = 3",
    ],
)
def test_a_result_that_only_speaks_of_errors_has_not_failed(text: str) -> None:
    request = request_of(later=[Turn("assistant", "", (READ_A,)), Turn("tool", text)])
    assert matches(request, last_result_failed=False)


def test_a_result_that_its_dialect_marks_has_failed() -> None:
    assert matches(request_of(later=[Turn("tool", "no", failed=True)]), last_result_failed=True)


def test_of_parallel_results_any_may_have_failed() -> None:
    later = [Turn("assistant", "", (READ_A, READ_B)), Turn("tool", "Error: no"), Turn("tool", "done")]
    assert matches(request_of(later=later), last_result_failed=True)


def test_an_error_that_the_model_has_answered_is_not_the_last_result() -> None:
    later = [Turn("tool", "Error: no"), *calling(READ_A)]
    assert matches(request_of(later=later), last_result_failed=False)


def test_a_reminder_behind_a_result_does_not_end_the_loop() -> None:
    """Claude Code puts one into the message of the result, which then counts as the last user message."""
    result = {"type": "tool_result", "tool_use_id": "1", "content": "no", "is_error": True}
    reminder = {"type": "text", "text": "<system-reminder>Facts.</system-reminder>"}
    use = {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "read", "input": {}}]}
    step = [use, {"role": "user", "content": [result, reminder]}]
    messages = [{"role": "user", "content": "Fix it"}, *step, *step]
    body = {"model": "auto", "max_tokens": 9, "messages": messages}
    request = DIALECTS["anthropic_messages"].parse(canonical(body))
    assert matches(request, last_result_failed=True, call_repeated={"min": 1, "max": 1})
    new = {**body, "messages": [*messages, {"role": "user", "content": "Try another file"}]}
    request = DIALECTS["anthropic_messages"].parse(canonical(new))
    assert matches(request, last_result_failed=False, call_repeated=False, tools_called={"min": 2})


def test_the_form_of_the_answer_is_a_fact() -> None:
    assert matches(request_of(stream=True), streamed=True)
    assert matches(request_of(), streamed=False)
    assert matches(request_of(json_asked=True), json_asked=True)


def test_all_named_facts_must_hold() -> None:
    request = request_of(images=1, tools_offered=3)
    assert matches(request, images=True, tools_offered={"min": 3})
    assert not matches(request, images=True, tools_offered={"min": 4})
    assert not matches(request, images=False, tools_offered={"min": 3})


@pytest.mark.parametrize(
    ("facts", "path", "problem"),
    [
        ({}, "signals.x", "names no fact"),
        ({"images": {}}, "signals.x.images", "write min, max or both"),
        ({"turns": {"min": 3, "max": 2}}, "signals.x.turns.max", "must be >= min (3), got 2"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(facts: Any, path: str, problem: str) -> None:
    (found,) = ConversationSettings.model_validate({"type": "conversation", **facts}).problems("signals.x")
    assert (found.path, problem in found.problem) == (path, True)


@pytest.mark.parametrize(
    "facts", [{"pictures": True}, {"images": {"min": -1}}, {"streamed": {"min": 1}}, {"turns": 3}]
)
def test_what_is_no_fact_or_no_count_is_refused(facts: Any) -> None:
    with pytest.raises(ValidationError):
        ConversationSettings.model_validate({"type": "conversation", **facts})


def test_facts_are_read_from_a_chat_completion() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    body = {
        "model": "auto",
        "stream": True,
        "tools": [{"type": "function", "function": {"name": "look"}}],
        "response_format": {"type": "json_object"},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What is in this picture?"}, picture]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "Error: blurred"},
        ],
    }
    request = parse_request(canonical(body))
    facts = {
        "images": True,
        "tools_offered": True,
        "tools_called": True,
        "json_asked": True,
        "streamed": True,
    }
    assert matches(request, **facts, last_result_failed=True, turns={"max": 1})
