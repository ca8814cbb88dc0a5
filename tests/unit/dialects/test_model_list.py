"""The list of models as both APIs' clients read it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from router_extproc.dialects.model_list import anthropic_list, anthropic_model, openai_list, openai_model
from router_extproc.errors import MalformedRequest
from router_extproc.llm.listed_model import ListedModel

MODELS = [ListedModel("auto", 32768), ListedModel("org/a"), *(ListedModel(f"m{each}") for each in range(30))]


def page(**query: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(anthropic_list(MODELS, 0, query).body)
    return found


def test_openais_list_says_each_window_as_vllm_does() -> None:
    found = orjson.loads(openai_list(MODELS[:2], 7).body)
    assert found == {
        "object": "list",
        "data": [
            {
                "id": name,
                "object": "model",
                "created": 7,
                "owned_by": "router-extproc",
                "max_model_len": window,
            }
            for name, window in (("auto", 32768), ("org/a", None))
        ],
    }
    assert orjson.loads(openai_model(MODELS[0], 7).body) == found["data"][0]


def test_anthropics_model_has_a_date() -> None:
    assert orjson.loads(anthropic_model(MODELS[0], 0).body) == {
        "type": "model",
        "id": "auto",
        "display_name": "auto",
        "created_at": "1970-01-01T00:00:00Z",
        "max_input_tokens": 32768,
    }


def test_anthropics_list_comes_in_pages() -> None:
    first = page()
    assert (len(first["data"]), first["has_more"], first["first_id"], first["last_id"]) == (
        20,
        True,
        "auto",
        "m17",
    )
    second = page(after_id="m17")
    assert (len(second["data"]), second["has_more"], second["first_id"]) == (12, False, "m18")
    before = page(before_id="m2", limit="2")
    assert ([each["id"] for each in before["data"]], before["has_more"]) == (["m0", "m1"], True)
    assert page(before_id="org/a")["has_more"] is False


def test_a_page_behind_the_last_model_is_empty() -> None:
    assert page(after_id="m29") == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": ""},
        {"limit": "x"},
        {"limit": "\u0661"},
        {"limit": "9" * 5000},
        {"after_id": "none"},
        {"before_id": ""},
    ],
)
def test_a_page_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(MalformedRequest) as refused:
        page(**query)
    assert refused.value.param == next(iter(query))
