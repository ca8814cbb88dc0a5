"""One spelling for members of a request that mean the same: numbers, null, and values that ask for nothing.

Only what cannot change an answer is folded, on this API and on vLLM. A default that a server may choose by
itself is no such thing: vLLM takes its temperature from the model's generation_config.
Source: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.dialects.openai_chat.shapes import BODY
from router_extproc.dialects.spelling import plain_number
from router_extproc.llm.answer import JsonObject, JsonValue

#: Null is not the same as left out: vLLM reads it as false, where its own default is true.
_NULL_COUNTS: Final = frozenset({"parallel_tool_calls"})
#: Optional members of vLLM's, beside those of the API, for which null is its own default.
_VLLM_NULLABLE: Final = frozenset(
    {
        "chat_template", "chat_template_kwargs", "documents", "length_penalty", "min_p", "prompt_logprobs",
        "repetition_penalty", "stop_token_ids", "top_k", "truncate_prompt_tokens",
    }
)  # fmt: skip
_NULLABLE: Final = (frozenset(BODY) | _VLLM_NULLABLE) - _NULL_COUNTS
#: A list or an object with nothing in it asks for nothing.
_NOTHING_IF_EMPTY: Final = frozenset(
    {"bad_words", "chat_template_kwargs", "logit_bias", "stop", "stop_token_ids"}
)
#: The same, unless the other member is there: a choice among no tools is an error, or an answer of its own.
_NOTHING_IF_EMPTY_WITHOUT: Final[Mapping[str, str]] = {"tools": "tool_choice", "functions": "function_call"}
_CHOICE_OF: Final = {choice: tools for tools, choice in _NOTHING_IF_EMPTY_WITHOUT.items()}


def one_spelling(members: JsonObject) -> JsonObject:
    """The same members, equal for requests that ask for the same."""
    return {
        name: _spelled(name, value)
        for name, value in members.items()
        if not _says_nothing(name, value, members)
    }


def _says_nothing(name: str, value: JsonValue, members: JsonObject) -> bool:
    if value is None:
        choice_of = _CHOICE_OF.get(name)
        # Beside tools, a choice of null and none at all are two things to vLLM.
        return name in _NULLABLE and not (choice_of and members.get(choice_of))
    if value not in ([], {}):
        return False
    other = _NOTHING_IF_EMPTY_WITHOUT.get(name)
    return name in _NOTHING_IF_EMPTY or (other is not None and members.get(other) is None)


def _spelled(name: str, value: JsonValue) -> JsonValue:
    if name == "stop" and isinstance(value, str):
        return [value]
    if name == "logit_bias" and isinstance(value, dict):
        return {token: plain_number(bias) for token, bias in value.items()}
    return plain_number(value)
