"""The list of models that the router tells."""

from __future__ import annotations

import orjson
import pytest

from router_extproc.pipeline.model_list import ModelList
from router_extproc.protocol.headers import Headers
from router_extproc.routing.catalogue import Catalogue, Target

SMALL = Target("small", "pool", "served-small", None)
MODELS = ModelList(Catalogue.of(("auto", "claude-*", "*"), (SMALL,), {"small": ("cheap", "gpt-*")}), 0)


@pytest.mark.parametrize("headers", [(), (("anthropic-version", "2023-06-01"),)])
def test_names_with_stars_may_be_asked_for_and_are_not_listed(headers: tuple[tuple[str, str], ...]) -> None:
    """A client that shows the list must be able to ask for each name in it."""
    answer = MODELS.answer("GET", "/v1/models", Headers(headers))
    assert answer is not None
    names = [model["id"] for model in orjson.loads(answer.body)["data"]]
    assert sorted(names) == ["auto", "cheap", "served-small", "small"]
    assert MODELS.catalogue.ask("claude-opus").name == "claude-*"
