"""Which members of a chat completion request say nothing, by their value or by another member's.

Source: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.openai_chat.shapes import BODY
from router_extproc.dialects.spelling import Spelling

#: Null is not the same as left out: vLLM reads it as false, where its own default is true.
_NULL_COUNTS: Final = frozenset({"parallel_tool_calls"})
#: Optional members of vLLM's, beside those of the API, for which null is its own default.
_VLLM_NULLABLE: Final = frozenset(
    {
        "chat_template", "chat_template_kwargs", "documents", "length_penalty", "min_p", "prompt_logprobs",
        "repetition_penalty", "stop_token_ids", "top_k", "truncate_prompt_tokens",
    }
)  # fmt: skip
SPELLING: Final = Spelling(
    (frozenset(BODY) | _VLLM_NULLABLE) - _NULL_COUNTS,
    frozenset({"bad_words", "chat_template_kwargs", "logit_bias", "stop", "stop_token_ids"}),
    # A choice among no tools is an error, or an answer of its own.
    {"tools": "tool_choice", "functions": "function_call"},
)
