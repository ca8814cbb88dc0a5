"""APIs beside conversations in front of two real vLLM servers: each answer is that of the model it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from router_extproc.testing.demo_process import Demo

pytestmark = pytest.mark.vllm

TEXT = "Which tree grows fastest?"
MESSAGES = [{"role": "user", "content": TEXT}]


def post(url: str, path: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(url + path, json=body, timeout=60.0, trust_env=False)


def other_name(model: str) -> str:
    return "large" if model == "small" else "small"


@pytest.mark.parametrize("model", ["small", "large"])
@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/tokenize", {"prompt": TEXT}),
        ("/tokenize", {"messages": MESSAGES}),
        ("/detokenize", {"tokens": [2029, 3392, 7502]}),
        ("/v1/messages/count_tokens", {"messages": MESSAGES}),
    ],
    ids=["tokenize", "tokenize messages", "detokenize", "count_tokens"],
)
def test_tokens_are_those_of_the_model_it_names(
    demo: Demo, pools: Mapping[str, str], model: str, path: str, asked: dict[str, Any]
) -> None:
    body = {"model": model, **asked}
    through, direct = post(demo.url, path, body), post(pools[model], path, body)
    assert (through.status_code, through.headers["x-router-model"]) == (200, model)
    assert through.json() == direct.json()
    # The other server does not know the name: had it been asked, it would have said so.
    assert post(pools[other_name(model)], path, body).status_code == 404


@pytest.mark.parametrize("path", ["/v1/embeddings", "/pooling", "/classify", "/rerank", "/score"])
def test_an_api_that_the_server_does_not_have_is_its_own_error(
    demo: Demo, pools: Mapping[str, str], path: str
) -> None:
    """These servers generate text, and nothing else."""
    body = {
        "model": "large",
        "input": TEXT,
        "query": TEXT,
        "documents": [TEXT],
        "text_1": TEXT,
        "text_2": TEXT,
    }
    through, direct = post(demo.url, path, body), post(pools["large"], path, body)
    assert through.headers["x-router-model"] == "large"
    assert (through.status_code, through.content) == (direct.status_code, direct.content)
    assert through.status_code >= 400
