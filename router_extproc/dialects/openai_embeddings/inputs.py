"""The inputs of an embeddings request, each of which has a vector of its own, whatever stands beside it.

Numbers and base64 are two forms of one vector, so the form is no part of an input's key.
"""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.json_body import canonical
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import ContextField, Pieces

#: The form of a vector, and what a client may say of it.
FORMAT: Final = "encoding_format"
_FORMATS: Final = frozenset({"float", "base64"})
#: What is the same for every input. Any other member may make inputs hang on each other (`late_chunking`), or
#: give numbers another size (`embed_dtype`).
_FOR_EACH: Final = frozenset(
    {
        "add_special_tokens",  # vLLM
        "cache_salt",  # vLLM
        "dimensions",
        FORMAT,
        "input",
        "input_type",  # as several servers call it: a query, or a passage
        "model",
        "priority",  # vLLM
        "request_id",  # vLLM
        "truncate_prompt_tokens",  # vLLM
        "truncation_side",  # vLLM
        "user",
    }
)
_BESIDE: Final = frozenset({"input", FORMAT})


def pieces_of(document: JsonObject, context: tuple[ContextField, ...]) -> Pieces | None:
    """The inputs, each for itself; None: they cannot be told apart.

    context: of the whole request.
    """
    inputs = _inputs(document.get("input"))
    asked = {name for name, value in document.items() if value is not None}
    if not inputs or not asked <= _FOR_EACH or document.get(FORMAT) not in (*_FORMATS, None):
        return None
    return Pieces(
        tuple(canonical(each).decode() for each in inputs),
        tuple(max(1, len(each)) for each in inputs),
        tuple(field for field in context if field.name not in _BESIDE),
    )


def answers_of(given: JsonValue) -> int:
    """How many vectors are asked for; 0: that is the pool's to say."""
    return len(_inputs(given))


def _inputs(given: JsonValue) -> list[str | list[JsonValue]]:
    """Each a text, or tokens; none where one of them is something else."""
    if type(given) is str:
        return [given]
    if type(given) is not list:
        return []
    if _are_tokens(given):
        return [given]
    inputs = [each for each in given if type(each) is str or (type(each) is list and _are_tokens(each))]
    return inputs if len(inputs) == len(given) else []


def _are_tokens(given: list[JsonValue]) -> bool:
    return {type(each) for each in given} == {int}
