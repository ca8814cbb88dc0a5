"""A decision's changes as edits of a completion request: parameters alone.

Source: the OpenAI API reference, "Create completion"; vLLM, CompletionRequest.
"""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.parameters import Vocabulary, parameter_edits
from router_extproc.llm.answer import JsonObject
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.edits import Edit

#: Tokens that a pool writes where nobody says how many.
TOKENS_UNTOLD: Final = 16
_LENGTH: Final = ("max_tokens",)
VOCABULARY: Final = Vocabulary(
    names=dict.fromkeys(("max_tokens", "max_completion_tokens", "max_output_tokens"), _LENGTH),
    taken={"max_tokens": TOKENS_UNTOLD, "temperature": 1.0, "top_p": 1.0},
)


def edits_for(document: JsonObject, changes: RequestChanges) -> list[Edit]:
    """See dialects.base.RequestDialect.edits; `document` is what `parse` read."""
    return parameter_edits(document, changes.parameters, VOCABULARY)
