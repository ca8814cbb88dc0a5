"""Which APIs are routed by the model they name, and how their JSON bodies name one."""

from __future__ import annotations

import orjson
import pytest

from router_extproc.dialects import INFERENCE_PATHS
from router_extproc.dialects.routed import ROUTED_APIS, ROUTED_PATHS, find_routed
from router_extproc.dialects.routed.json_model import JsonModel
from router_extproc.dialects.routed.usage import ANSWER_BYTES_MAX, NOT_READ
from router_extproc.errors import ModelNotFound
from router_extproc.llm.answer import Incomplete, Usage

JSON = JsonModel()


@pytest.mark.parametrize("path", ROUTED_PATHS)
def test_a_path_is_found_with_query_and_slash(path: str) -> None:
    api = find_routed("POST", path)
    assert api is not None
    assert path in api.paths
    assert find_routed("POST", path + "/?api-version=1") is api


def test_no_path_belongs_to_two_apis() -> None:
    paths = [*ROUTED_PATHS, *INFERENCE_PATHS]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/tokenize"), ("POST", "/tokenize/x"), ("POST", "/v1/files"), ("POST", "")]
)
def test_other_requests_belong_to_none(method: str, path: str) -> None:
    assert find_routed(method, path) is None


def test_errors_have_the_form_of_the_api() -> None:
    error = ModelNotFound("No such model.", param="model")
    told = orjson.loads(ROUTED_APIS["tokenize"].render_error(error).body)
    assert told["error"]["code"] == "model_not_found"
    told = orjson.loads(ROUTED_APIS["count_tokens"].render_error(error).body)
    assert told["type"] == "error"
    assert told["error"]["type"] == "not_found_error"


USAGE = b'{"results": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}'


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (USAGE, Usage(5, 0)),
        (USAGE + b" " * (ANSWER_BYTES_MAX - len(USAGE)), Usage(5, 0)),
        (USAGE + b" " * ANSWER_BYTES_MAX, None),
        (USAGE[:-1], None),
        (b'{"usage": {"type": "duration", "seconds": 3}}', None),
        (b'{"usage": 7}', None),
        (b'{"count": 3}', None),
        (b"[1]", None),
        (b"RIFF\x00", None),
        (b"", None),
    ],
)
def test_of_an_answer_only_its_usage_is_read(body: bytes, usage: Usage | None) -> None:
    """Its first byte is no first token."""
    reader = ROUTED_APIS["rerank"].read_answer("application/json", max_answer_bytes=9)
    for start in range(0, len(body), 1 << 16):
        assert not reader.feed(body[start : start + (1 << 16)]).started
    assert reader.finish() == Incomplete(NOT_READ, usage)


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (b'{"model": "large", "prompt": "x"}', "large"),
        (b'{"prompt": "x", "model": "small", "model": "large"}', "large"),
        (b'{"prompt": "x"}', None),
        (b'{"model": null}', None),
        (b'{"model": ""}', None),
        (b'{"model": 7}', None),
        (b'{"model": "large"', None),
        (b'["model"]', None),
        (b"--b\r\n", None),
        (b"", None),
    ],
)
def test_the_member_names_the_model(body: bytes, model: str | None) -> None:
    assert JSON.read(body, "text/plain") == model


def test_a_json_body_gets_another_name_and_nothing_else() -> None:
    body = b'{ "prompt" : "\\u00e9 model", "model":"a",\n"model" : "large", "x": [1.0, 1e2] }'
    renamed = JSON.rename(body, "", "Qwen/Qwen3")
    assert renamed == body.replace(b'"a"', b'"Qwen/Qwen3"').replace(b'"large"', b'"Qwen/Qwen3"')
