"""The list of models in the form of both APIs: OpenAI's as vLLM serves it, and Anthropic's.

Source: the OpenAI API reference, "Models"; vLLM, ModelList; the Anthropic API reference, "List Models".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import JsonObject
from router_extproc.llm.listed_model import ListedModel

OWNER: Final = "router-extproc"
#: Of Anthropic's list: models a page.
LIMIT: Final = 20
LIMIT_MAX: Final = 1000
_JSON: Final = "application/json"


def openai_list(models: Sequence[ListedModel], created_s: int) -> Rendered:
    """All models."""
    return _rendered({"object": "list", "data": [_openai(model, created_s) for model in models]})


def openai_model(model: ListedModel, created_s: int) -> Rendered:
    """One model."""
    return _rendered(_openai(model, created_s))


def anthropic_list(models: Sequence[ListedModel], created_s: int, query: Mapping[str, str]) -> Rendered:
    """One page of the models.

    Raises:
        MalformedRequest: `limit` is none, or a cursor names no model of the list.
    """
    page, more = _page(models, query)
    return _rendered(
        {
            "data": [_anthropic(model, created_s) for model in page],
            "has_more": more,
            "first_id": page[0].name if page else None,
            "last_id": page[-1].name if page else None,
        }
    )


def anthropic_model(model: ListedModel, created_s: int) -> Rendered:
    """One model."""
    return _rendered(_anthropic(model, created_s))


def _page(models: Sequence[ListedModel], query: Mapping[str, str]) -> tuple[Sequence[ListedModel], bool]:
    """The models of the page, and whether there are more in its direction."""
    limit = _limit(query.get("limit"))
    if "before_id" in query:
        before = models[: _place(models, query["before_id"], "before_id")]
        return before[-limit:], len(before) > limit
    start = _place(models, query["after_id"], "after_id") + 1 if "after_id" in query else 0
    return models[start : start + limit], len(models) > start + limit


def _limit(given: str | None) -> int:
    if given is None:
        return LIMIT
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:9]) <= LIMIT_MAX:
        raise MalformedRequest(f"'limit' must be a number from 1 to {LIMIT_MAX}.", param="limit")
    return int(given)


def _place(models: Sequence[ListedModel], name: str, param: str) -> int:
    for place, model in enumerate(models):
        if model.name == name:
            return place
    raise MalformedRequest(f"'{param}' names no model of this list.", param=param)


def _openai(model: ListedModel, created_s: int) -> JsonObject:
    return {
        "id": model.name,
        "object": "model",
        "created": created_s,
        "owned_by": OWNER,
        "max_model_len": model.context_tokens,
    }


def _anthropic(model: ListedModel, created_s: int) -> JsonObject:
    created = datetime.fromtimestamp(created_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": created,
        "max_input_tokens": model.context_tokens,
    }


def _rendered(document: JsonObject) -> Rendered:
    return Rendered(_JSON, orjson.dumps(document))
