"""Embeddings objects: which are whole, and that they stay as they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from router_extproc.dialects.openai_embeddings import OpenAIEmbeddings
from router_extproc.llm.answer import Answer, Incomplete, Usage
from router_extproc.testing.check_dialect_rewriting import Keeps, rewritten
from router_extproc.testing.dialect_samples import read_answer, whole_answer

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_embeddings"
DIALECT = OpenAIEmbeddings()
JSON = "application/json; charset=utf-8"
RECORDED = sorted(
    file.name.removesuffix(".answer.json") for file in SAMPLES.glob("vllm-recorded-*.answer.json")
)
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5]}


def judged(**members: object) -> Answer | Incomplete:
    document = {"object": "list", "data": [VECTOR], "model": "m", **members}
    return read_answer(DIALECT, JSON, [orjson.dumps(document)])


def test_a_batch_in_base64_is_an_answer() -> None:
    answer = whole_answer(DIALECT, JSON, (SAMPLES / "vllm-base64.answer.json").read_bytes())
    assert answer.facts.usage == Usage(17, 0)
    assert answer.facts.model == "tiny-small"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"usage": None},
        {"model": ""},
        {"data": [VECTOR, {**VECTOR, "index": 1, "embedding": "AAA="}]},
        {"data": [{**VECTOR, "index": 1}, VECTOR]},
        {"data": [{**VECTOR, "embedding": [1, 2.5]}]},
    ],
)
def test_a_whole_object_is_an_answer(members: dict[str, object]) -> None:
    assert isinstance(judged(**members), Answer)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"data": []}, "no_choices"),
        ({"data": None}, "malformed"),
        ({"data": [7]}, "malformed"),
        ({"data": [VECTOR, VECTOR]}, "malformed"),
        ({"data": [{**VECTOR, "index": 1}]}, "malformed"),
        ({"data": [{"index": 0}]}, "malformed"),
        ({"data": [{**VECTOR, "embedding": []}]}, "malformed"),
        ({"data": [{**VECTOR, "embedding": ""}]}, "malformed"),
        ({"data": [{**VECTOR, "embedding": [True]}]}, "malformed"),
        ({"data": [{**VECTOR, "embedding": [None]}]}, "malformed"),
        ({"usage": {"prompt_tokens": "x"}}, "malformed"),
        ({"id": 7}, "malformed"),
        ({"error": {"message": "x"}}, "error"),
        ({"object": "error"}, "error"),
    ],
)
def test_anything_else_is_none(members: dict[str, object], reason: str) -> None:
    assert judged(**members) == Incomplete(reason)


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/event-stream", ""])
def test_bytes_and_streams_are_not_read(content_type: str) -> None:
    assert read_answer(DIALECT, content_type, [b"\x00"]) == Incomplete("content_type")


@pytest.mark.parametrize("name", RECORDED)
def test_what_a_real_pool_sent_is_read_however_it_is_cut(name: str) -> None:
    body = (SAMPLES / f"{name}.answer.json").read_bytes()
    request = DIALECT.parse((SAMPLES / f"{name}.request.json").read_bytes())
    whole = read_answer(DIALECT, JSON, [body])
    assert all(read_answer(DIALECT, JSON, [body[:cut], body[cut:]]) == whole for cut in range(len(body)))
    if name.endswith("error"):
        assert whole == Incomplete("error")
        return
    assert isinstance(whole, Answer)
    assert whole.facts.usage is not None
    assert orjson.loads(DIALECT.render(whole, request).body) == orjson.loads(body)


@pytest.mark.parametrize("name", ["openai", "vllm-base64"])
def test_a_replay_is_the_same_object(name: str) -> None:
    body = (SAMPLES / f"{name}.answer.json").read_bytes()
    answer = whole_answer(DIALECT, JSON, body)
    rendered = DIALECT.render(answer, DIALECT.parse((SAMPLES / "question.request.json").read_bytes()))
    assert orjson.loads(rendered.body) == orjson.loads(body)


def test_only_what_has_an_id_and_a_date_gets_new_ones() -> None:
    dated = whole_answer(DIALECT, JSON, (SAMPLES / "vllm-base64.answer.json").read_bytes())
    new: dict[str, Any] = DIALECT.renew(dated, now_s=5.5).document
    assert new["id"].startswith("embd-")
    assert new["id"] != dated.document["id"]
    assert new["created"] == 5
    plain = whole_answer(DIALECT, JSON, (SAMPLES / "openai.answer.json").read_bytes())
    assert DIALECT.renew(plain, now_s=5.5) == plain


class Shouts(Keeps):
    def finish(self) -> str:
        return super().finish().upper()


def test_only_errors_have_texts_to_be_changed() -> None:
    body = b'{"error": {"message": "not a"}, "data": ["a"]}'
    changed = rewritten(DIALECT, "application/json", body, lambda _: Shouts())
    assert orjson.loads(changed) == {"error": {"message": "NOT A"}, "data": ["a"]}
    event = rewritten(
        DIALECT, "text/event-stream", b'data: {"error": "a"}\n\ndata: {"x": "a"}\n\n', lambda _: Shouts()
    )
    assert event == b'data: {"error":"A"}\n\ndata: {"x": "a"}\n\n'
