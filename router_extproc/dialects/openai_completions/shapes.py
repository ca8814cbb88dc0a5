"""The shapes that the completions API prescribes for the members of a request.

Source: the OpenAI API reference, "Create completion"; vLLM, CompletionRequest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.dialects.scalars import integer
from router_extproc.dialects.shapes import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    OBJECT,
    STRING,
    STRING_OR_LIST,
    Shape,
)

PROMPT: Final = Shape(frozenset({str, list}), "a string, a list of strings, or tokens")
#: vLLM reads true as one: a decision that sets it for chat completions means nothing else here.
LOGPROBS: Final = Shape(frozenset({int, bool}), "an integer", read=integer)

#: Optional members of the body; null is the same as left out.
BODY: Final[Mapping[str, Shape]] = {
    "best_of": INTEGER,
    "echo": BOOLEAN,
    "frequency_penalty": NUMBER,
    "logit_bias": OBJECT,
    "logprobs": LOGPROBS,
    "max_tokens": INTEGER,
    "n": INTEGER,
    "presence_penalty": NUMBER,
    "prompt": PROMPT,
    "seed": INTEGER,
    "stop": STRING_OR_LIST,
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "suffix": STRING,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "user": STRING,
}
