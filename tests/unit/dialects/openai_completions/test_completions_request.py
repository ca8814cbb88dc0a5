"""Completion requests: what is one question, what is the same only to the letter, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router_extproc.cache.key import context_digest
from router_extproc.dialects import DIALECTS
from router_extproc.dialects.json_strings import text_of
from router_extproc.errors import MalformedRequest
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
)
from router_extproc.llm.request import InferenceRequest

COMPLETIONS = DIALECTS["openai_completions"]
SAMPLES = sorted((Path(__file__).parents[3] / "samples" / "openai_completions").glob("*.request.json"))


def parse(prompt: object = "Once upon a time", **members: object) -> InferenceRequest:
    return COMPLETIONS.parse(json.dumps({"model": "auto", "prompt": prompt, **members}).encode())


def key(*prompt: object, **members: object) -> tuple[str, str]:
    request = parse(*prompt, **members)
    return request.prompt, context_digest(request)


def edited(changes: RequestChanges, **members: object) -> object:
    body = json.dumps({"model": "auto", "prompt": "a", **members}).encode()
    edits = COMPLETIONS.edits(COMPLETIONS.parse(body), changes, family="qwen3")
    return json.loads(COMPLETIONS.edit(body, edits))


def test_one_text_is_the_question() -> None:
    request = parse(stream=True, stream_options={"include_usage": True})
    assert (request.prompt, request.prompt_is_last, request.stream_usage) == ("Once upon a time", True, True)
    assert (request.system, request.history, request.later, request.has_tools) == ("", (), (), False)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (["Once", "upon"], "Once\nupon"),
        (["", "upon"], "\nupon"),
        ([5, 6], ""),
        ([[5, 6], [7]], ""),
        (["Once", [7]], "Once"),
        ("  ", "  "),
        ([], ""),
        (None, ""),
    ],
)
def test_anything_else_is_matched_to_the_letter(prompt: object, text: str) -> None:
    """Signals read what is text in it."""
    request = parse(prompt, prompt_embeds=None if prompt else "AA==")
    assert (request.prompt, request.prompt_is_last) == (text, False)


@pytest.mark.parametrize(
    "members",
    [{"echo": True}, {"suffix": "end"}, {"prompt_embeds": "AA=="}],
    ids=lambda value: next(iter(value)),
)
def test_what_is_more_than_a_question_is_matched_to_the_letter(members: dict[str, object]) -> None:
    """An answer that repeats its prompt, or leads to an end, fits no other one."""
    assert not parse(**members).prompt_is_last
    assert parse(**dict.fromkeys(members)).prompt_is_last


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"prompt": "a"}, {"prompt": ["a"]}),
        ({"stop": "b"}, {"stop": ["b"]}),
        ({"temperature": 1}, {"temperature": 1.0}),
        ({}, {"logprobs": None, "suffix": None, "stop": [], "user": "me", "request_id": "r"}),
        ({"stream": True}, {"stream": False}),
    ],
)
def test_two_spellings_of_a_request_are_one(one: dict[str, object], other: dict[str, object]) -> None:
    assert key(**one) == key(**other)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": ["a", "b"]},
        {"prompt": "a\nb", "n": 2},
        {"prompt": ["a\nb", ""]},
        {"prompt": [97]},
        {"prompt": "a\nb", "echo": True},
        {"prompt": "a\nb", "suffix": "c"},
        {"prompt": "a\nb", "logprobs": 0},
        {"prompt": "a\nb", "best_of": 3},
        {"prompt": "a\nb", "seed": 1},
        {"prompt": "a\nb", "unheard_of": None},
    ],
)
def test_another_request_is_another_one(other: dict[str, object]) -> None:
    assert key(**other) != key("a\nb")


def test_prompts_that_are_joined_to_the_same_text_stay_apart() -> None:
    """Signals read the joined text; the answers are of different prompts."""
    prompts = [["a", "b\nc"], ["a\nb", "c"], ["a", "b", "c"], [5, 6], [[5], [6]], [[5, 6]], [56]]
    assert len({key(prompt) for prompt in prompts}) == len(prompts)


def test_a_doubled_member_is_the_same_in_the_same_bytes_alone() -> None:
    body = b'{"model":"auto","prompt":"b","n":1,"n":2}'
    assert context_digest(COMPLETIONS.parse(body)) != context_digest(parse("b", n=2))


@pytest.mark.parametrize("name", ["model", "prompt"])
def test_what_decides_has_one_value(name: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        COMPLETIONS.parse(b'{"%s":"c","model":"auto","prompt":"a"}' % name.encode())
    assert refused.value.param == name


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": {"text": "a"}}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"stop": {}}, "stop"),
        ({"stream_options": {"include_usage": "yes, please"}}, "stream_options.include_usage"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(members: dict[str, object], param: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        parse(**members)
    assert refused.value.param == param


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name.removesuffix(".request.json"))
def test_samples_are_read_unless_vllm_refuses_them(file: Path) -> None:
    refused = ("vllm-error-empty", "vllm-error-type")
    if file.name.startswith(refused):
        with pytest.raises(MalformedRequest):
            COMPLETIONS.parse(file.read_bytes())
    else:
        assert COMPLETIONS.parse(file.read_bytes()).model


@pytest.mark.parametrize("prompt", [[5, 6], [[5], [6]], ["Once", [5]]])
def test_tokens_are_told(prompt: object) -> None:
    """Nobody on the way can read them."""
    assert parse(prompt).is_coded
    assert parse(prompt_embeds="AA==").is_coded
    assert not parse(["Once", "upon"], echo=True).is_coded


def test_json_that_is_asked_for_is_told() -> None:
    asked = [
        {"response_format": {"type": "json_object"}},
        {"structured_outputs": {"json": {}}},
        {"guided_json": {}},
    ]
    assert [parse(**members).contents.json_asked for members in asked] == [True] * 3
    assert not parse(structured_outputs={"regex": "a"}).contents.json_asked


# ── changes ───────────────────────────────────────────────────────────────────────────────────


def test_parameters_are_written() -> None:
    changes = RequestChanges(
        parameters=ParameterChanges(set=(("temperature", b"0"),), max=(("max_tokens", 100),))
    )
    assert edited(changes, max_tokens=500) == {
        "model": "auto",
        "prompt": "a",
        "max_tokens": 100,
        "temperature": 0,
    }


def test_a_cap_over_what_a_pool_writes_untold_adds_nothing() -> None:
    """Without max_tokens a pool of this API writes 16 tokens."""
    cap = {
        most: RequestChanges(parameters=ParameterChanges(max=(("max_tokens", most),))) for most in (8, 100)
    }
    assert edited(cap[8]) == {"model": "auto", "prompt": "a", "max_tokens": 8}
    assert edited(cap[100]) == {"model": "auto", "prompt": "a"}


def test_what_only_a_conversation_has_is_left() -> None:
    changes = RequestChanges(ReplaceSystemPrompt("operator"), reasoning=ReasoningChange(on=False, force=True))
    assert edited(changes) == {"model": "auto", "prompt": "a"}


def test_a_value_that_chat_completions_take_is_none_too_many() -> None:
    """A decision's parameters are for every API: `logprobs: true` is how chat completions say it."""
    assert COMPLETIONS.unfit_parameter("logprobs", value=True) is None
    assert COMPLETIONS.unfit_parameter("suffix", 5) == "a string"


def test_every_text_is_found_with_its_part() -> None:
    body = json.dumps(
        {
            "model": "m",
            "prompt": ["one", "two"],
            "suffix": "end",
            "cache_salt": "s",
            "stop": ["x"],
            "user": "me",
        }
    ).encode()
    found = {text_of(body[each.start : each.end].decode()): each.part for each in COMPLETIONS.texts(body)}
    assert found == {"one": "user", "two": "user", "end": "user", "x": "other", "me": "other"}
