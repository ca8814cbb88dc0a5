"""Answers to a batch, taken apart and put together: nothing is lost, and nothing is made up."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest

from router_extproc.dialects.openai_embeddings import OpenAIEmbeddings
from router_extproc.llm.answer import Answer, Incomplete, Usage
from router_extproc.llm.request import InferenceRequest
from router_extproc.testing.dialect_samples import whole_answer

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_embeddings"
DIALECT = OpenAIEmbeddings()
API = DIALECT.pieces
JSON = "application/json"
USAGE = {"prompt_tokens": 10, "total_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": None}


def answer(*vectors: object, usage: object = USAGE, **members: object) -> Answer:
    data = [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(vectors)]
    document = {"object": "list", "data": data, "model": "m", "usage": usage, **members}
    return whole_answer(DIALECT, JSON, orjson.dumps(document))


def asked(given: object = "a", **members: object) -> InferenceRequest:
    return DIALECT.parse(orjson.dumps({"model": "auto", "input": given, **members}))


def coded(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def split(whole: Answer, *sizes: int) -> list[Answer]:
    parts = API.split(whole, sizes)
    assert parts is not None
    assert not isinstance(parts, Incomplete)
    return list(parts)


def vectors(of: Answer) -> list[Any]:
    data: Any = of.document["data"]
    return [each["embedding"] for each in data]


@pytest.mark.parametrize(
    ("given", "keys", "sizes"),
    [
        ("a", ('"a"',), (1,)),
        (["a"], ('"a"',), (1,)),
        (["", "ab", "ab"], ('""', '"ab"', '"ab"'), (1, 2, 2)),
        ([5, 6], ("[5,6]",), (2,)),
        ([[5, 6], [7]], ("[5,6]", "[7]"), (2, 1)),
        (["[5]", [5]], ('"[5]"', "[5]"), (3, 1)),
    ],
)
def test_every_input_is_a_piece(given: object, keys: tuple[str, ...], sizes: tuple[int, ...]) -> None:
    request = asked(given, encoding_format="base64", user="u", dimensions=3)
    assert request.pieces is not None
    assert (request.pieces.keys, request.pieces.sizes, request.answers) == (keys, sizes, len(keys))
    assert [field.name for field in request.pieces.context] == ["dimensions"]


@pytest.mark.parametrize(
    ("body", "answers"),
    [
        ({"input": []}, 0),
        ({"input": [True]}, 0),
        ({"input": ["a", None]}, 0),
        ({"input": ["a", []]}, 0),
        ({"input": ["a", {"text": "b"}]}, 0),
        ({"messages": [{"role": "user", "content": "a"}]}, 0),
        ({"input": ["a", "b"], "late_chunking": True}, 2),
        ({"input": "a", "embed_dtype": "float16"}, 1),
        ({"input": "a", "encoding_format": "bytes"}, 1),
    ],
)
def test_what_may_hang_together_has_no_pieces(body: dict[str, object], answers: int) -> None:
    request = DIALECT.parse(orjson.dumps({"model": "auto", **body}))
    assert (request.pieces, request.answers) == (None, answers)


def test_a_member_named_twice_leaves_no_pieces() -> None:
    """A pool may read the other one."""
    request = DIALECT.parse(b'{"model": "a", "input": "x", "dimensions": 1, "dimensions": 2}')
    assert request.pieces is None


@pytest.mark.parametrize("sizes", [(1, 1), (1, 2), (7, 1), (1, 100)])
def test_the_tokens_of_a_batch_are_divided_without_a_rest(sizes: tuple[int, ...]) -> None:
    parts = split(answer([1.0], [2.0]), *sizes)
    assert [vectors(part) for part in parts] == [[[1.0]], [[2.0]]]
    counts = [part.facts.usage.prompt_tokens for part in parts if part.facts.usage is not None]
    assert sum(counts) == 10
    assert counts[0] == 10 * sizes[0] // sum(sizes)
    assert API.join(parts, asked()).facts.usage == Usage(10, 0)


def test_vectors_stand_in_the_order_of_their_inputs() -> None:
    turned = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    parts = split(answer(data=turned), 1, 1)
    assert [vectors(part) for part in parts] == [[[1.0]], [[2.0]]]


@pytest.mark.parametrize("usage", [None, {}])
def test_what_tells_no_tokens_makes_up_none(usage: object) -> None:
    told, untold = split(answer([1.0]), 1)[0], split(answer([1.0], usage=usage), 1)[0]
    assert untold.facts.usage is None
    assert API.join([told, untold], asked()).facts.usage is None
    bare = Answer(untold.facts, {name: untold.document[name] for name in ("object", "data", "model")})
    assert "usage" not in API.join([bare], asked()).document


@pytest.mark.parametrize(
    ("vector", "numbers", "text"),
    [
        ([0.5, 1], [0.5, 1], coded(0.5, 1)),
        ([0.1], [0.1], coded(0.1)),
        ([0.10000000149011612], [0.10000000149011612], coded(0.1)),
        ([1e-7, -0.006929283495992422], [1e-7, -0.006929283495992422], coded(1e-7, -0.006929283495992422)),
        (coded(0.1, -2.0), [0.10000000149011612, -2.0], coded(0.1, -2.0)),
    ],
)
def test_a_vector_is_told_in_either_form(vector: object, numbers: list[float], text: str) -> None:
    part = split(answer(vector), 1)
    assert vectors(API.join(part, asked())) == [numbers]
    assert vectors(API.join(part, asked(encoding_format="float"))) == [numbers]
    assert vectors(API.join(part, asked(encoding_format="base64"))) == [text]


@pytest.mark.parametrize(
    "whole",
    [
        answer([0.1234567890123]),
        answer([1e300]),
        answer([1.0], [0.1234567890123]),
        answer("AAA="),
        answer("no base64"),
        answer([1.0], object="list", warnings=["truncated"]),
    ],
)
def test_what_has_no_second_form_is_kept_whole(whole: Answer) -> None:
    assert API.split(whole, (1,) * API.count(whole)) is None


@pytest.mark.parametrize(
    ("whole", "sizes"),
    [
        (answer([1.0]), (1, 1)),
        (answer([1.0], [2.0]), (1,)),
        (answer([1.0], [2.0, 3.0]), (1, 1)),
        (answer(coded(float("nan"))), (1,)),
        (answer(coded(float("inf"))), (1,)),
    ],
)
def test_what_does_not_fit_is_no_answer(whole: Answer, sizes: tuple[int, ...]) -> None:
    assert API.split(whole, sizes) == Incomplete("malformed")


def test_a_stored_vector_of_unknown_form_stays_as_it_is() -> None:
    """An entry of another version may hold anything."""
    assert vectors(API.join([answer("AAA=")], asked())) == ["AAA="]


@pytest.mark.parametrize("name", ["vllm-recorded-batch", "vllm-recorded-numbers", "vllm-recorded-tokens"])
def test_what_a_real_pool_sent_comes_together_as_it_was(name: str) -> None:
    request = DIALECT.parse((SAMPLES / f"{name}.request.json").read_bytes())
    whole = whole_answer(DIALECT, JSON, (SAMPLES / f"{name}.answer.json").read_bytes())
    assert request.pieces is not None
    joined = API.join(split(whole, *request.pieces.sizes), request)
    assert joined.document["data"] == whole.document["data"]
    assert joined.facts == whole.facts
