"""Embeddings requests: what is embedded, what tells two of them apart, and what is refused."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from router_extproc.dialects.openai_embeddings import OpenAIEmbeddings
from router_extproc.errors import MalformedRequest, UnsupportedRequest
from router_extproc.llm.changes import ParameterChanges, RequestChanges
from router_extproc.llm.request import InferenceRequest

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_embeddings"
DIALECT = OpenAIEmbeddings()


def parse(**members: object) -> InferenceRequest:
    return DIALECT.parse(orjson.dumps({"model": "auto", **members}))


def same(one: InferenceRequest, other: InferenceRequest) -> bool:
    return (one.prompt, one.context) == (other.prompt, other.context)


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("question", "Which tree grows fastest?"),
        ("batch", "A beech.\nIt sheds leaves.\nAn oak, “old”.\n"),
        ("tokens", ""),
        ("conversation", "A beech."),
    ],
)
def test_what_is_embedded_is_the_prompt(name: str, prompt: str) -> None:
    request = DIALECT.parse((SAMPLES / f"{name}.request.json").read_bytes())
    assert request.prompt == prompt
    assert (request.by_name, request.prompt_is_last, request.stream) == (True, False, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"input": "a"}, {"input": ["a"]}),
        ({"input": ["a\nb"]}, {"input": ["a", "b"]}),
        ({"input": ["a\nb", "c"]}, {"input": ["a", "b\nc"]}),
        ({"input": ["a"]}, {"input": [["a"]]}),
        ({"input": [1, 2]}, {"input": [1, 3]}),
        ({"input": [[1], [2]]}, {"input": [[1, 2]]}),
        ({"input": [1]}, {"input": ["1"]}),
        ({"input": []}, {"input": ""}),
        (
            {"messages": [{"role": "user", "content": "a"}]},
            {"messages": [{"role": "system", "content": "a"}]},
        ),
        ({"input": "a"}, {"messages": [{"content": "a"}]}),
        ({"input": "a"}, {"input": "a", "dimensions": 6}),
        ({"input": "a", "dimensions": 7}, {"input": "a", "dimensions": 6}),
        ({"input": "a", "encoding_format": "base64"}, {"input": "a", "encoding_format": "float"}),
        ({"input": "a"}, {"input": "a", "some_future_member": 1}),
    ],
)
def test_other_vectors_are_other_requests(one: dict[str, object], other: dict[str, object]) -> None:
    assert not same(parse(**one), parse(**other))


@pytest.mark.parametrize("more", [{"user": "u"}, {"priority": 3}, {"request_id": "r"}, {"dimensions": None}])
def test_what_changes_no_vector_is_the_same_request(more: dict[str, object]) -> None:
    assert same(parse(input=["a"]), parse(input=["a"], **more))


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({}, "input"),
        ({"input": None}, "input"),
        ({"input": {"a": 1}}, "input"),
        ({"input": 7}, "input"),
        ({"messages": "a"}, "messages"),
        ({"messages": ["a"]}, "messages[0]"),
        ({"input": "a", "dimensions": "x"}, "dimensions"),
        ({"input": "a", "encoding_format": 1}, "encoding_format"),
        ({"input": "a", "model": 7}, "model"),
    ],
)
def test_what_no_pool_takes_is_refused(members: dict[str, object], param: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        parse(**members)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "members",
    [
        {"input": []},
        {"input": ""},
        {"input": [None, {"x": 1}, True]},
        {"input": "a", "dimensions": "6"},
        {"input": [[{"role": "user", "content": "a"}]]},
        {"messages": [[{"role": "user", "content": "a"}]]},
    ],
)
def test_what_can_be_read_is_the_pools_to_judge(members: dict[str, object]) -> None:
    assert parse(**members).dialect == "openai_embeddings"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("a", False),
        (["a", "b"], False),
        ([[{"role": "user", "content": "a"}]], False),
        ([5, 6], True),
        ([[5, 6], [7]], True),
        (["a", [5]], True),
    ],
)
def test_tokens_are_told(given: object, told: bool) -> None:  # noqa: FBT001 - the value
    """Nobody on the way can read them."""
    assert parse(input=given).is_coded is told


@pytest.mark.parametrize("depth", [300, 900])
def test_an_input_that_is_nested_deeply_is_refused(depth: int) -> None:
    with pytest.raises(MalformedRequest):
        DIALECT.parse(b'{"model": "a", "input": ' + b"[" * depth + b"1" + b"]" * depth + b"}")


def test_two_inputs_are_refused() -> None:
    """A guard could look at one text, and the pool embed the other."""
    with pytest.raises(MalformedRequest):
        DIALECT.parse(b'{"model": "a", "input": "x", "input": "y"}')


def texts(body: bytes) -> list[str]:
    found = list(DIALECT.texts(body))
    assert {text.part for text in found} <= {"user", "other"}
    return [body[text.start : text.end].decode() for text in found]


def test_every_text_that_is_embedded_is_found() -> None:
    assert texts((SAMPLES / "batch.request.json").read_bytes()) == [
        "A beech.\\nIt sheds leaves.",
        "An oak, \\u201cold\\u201d.",
        "",
        "u-17",
    ]
    assert texts((SAMPLES / "conversation.request.json").read_bytes()) == ["A beech."]
    assert texts((SAMPLES / "tokens.request.json").read_bytes()) == []
    assert texts(b'{"input": [{"role": "user", "content": "a", "x": {"type": "t"}}], "y": {"": "z"}}') == [
        "a",
        "z",
    ]


def test_parameters_of_conversations_are_not_added() -> None:
    wanted = ParameterChanges(
        set=(("temperature", b"0"), ("dimensions", b"8")), default=(("max_tokens", b"9"), ("input", b"1"))
    )
    request = parse(input="a")
    edits = DIALECT.edits(request, RequestChanges(parameters=wanted), family=None)
    edited = orjson.loads(DIALECT.edit(orjson.dumps(request.body), edits))
    assert edited == {"model": "auto", "input": "a", "dimensions": 8}
    assert DIALECT.unfit_parameter("dimensions", "many") == "an integer"


def test_no_text_is_an_answer() -> None:
    with pytest.raises(UnsupportedRequest):
        DIALECT.compose("We are open.", model="m", now_s=1.0)
