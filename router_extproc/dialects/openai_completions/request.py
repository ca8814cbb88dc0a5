"""Reads the body of a completion into the inference request.

The prompt is a text, tokens, or a list of either. One plain text is the question; anything else is the same
only to the letter. A member that is not known to leave the answer's meaning alone goes into the context.
Source: the OpenAI API reference, "Create completion"; vLLM, CompletionRequest.
"""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.doubled import mark_of_doubled
from router_extproc.dialects.json_body import canonical, read_object
from router_extproc.dialects.openai_completions.shapes import BODY
from router_extproc.dialects.openai_members import is_json_asked, is_schema_asked, wants_usage
from router_extproc.dialects.scalars import is_true
from router_extproc.dialects.shapes import check_members, read_answer_tokens, read_model
from router_extproc.dialects.spelling import Spelling
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import Contents, ContextField, InferenceRequest

DIALECT: Final = "openai_completions"

#: Members that cannot change what an answer means, each with its reason.
OUTSIDE_CONTEXT: Final = frozenset(
    {
        "prompt",  # a context field of its own
        "model",  # the cache key has its own field for it
        "stream",  # the form of the answer, not its content
        "stream_options",  # likewise
        "stream_interval",  # vLLM: likewise
        "user",  # names the end user for abuse reports; the model never sees it
        "priority",  # vLLM: place in the queue
        "request_id",  # vLLM: becomes the answer's id
        "session_id",  # vLLM: where it looks for a computed prefix
    }
)
SPELLING: Final = Spelling(
    frozenset(BODY)
    | {
        "allowed_token_ids", "min_p", "prompt_embeds", "prompt_logprobs", "repetition_penalty",
        "response_format", "stop_token_ids", "structured_outputs", "top_k", "truncate_prompt_tokens",
    },
    frozenset({"bad_words", "logit_bias", "stop", "stop_token_ids"}),
)  # fmt: skip
#: What every reader of a body must find the same in: who answers, and what is asked.
_DECIDING: Final = ("model", "prompt")
#: By which the answer is no continuation of the prompt alone: repeated in front of it, or led to an end.
_MORE_THAN_A_QUESTION: Final = ("echo", "suffix")
#: vLLM: the prompt, or more of it, as the model's own numbers.
_EMBEDDINGS: Final = "prompt_embeds"


def parse_request(body: bytes) -> InferenceRequest:
    """See dialects.base.RequestDialect.parse."""
    document = read_object(body)
    check_members(document, BODY)
    if document.get("prompt") in (None, "") and not document.get(_EMBEDDINGS):
        raise MalformedRequest("Either 'prompt' or 'prompt_embeds' must be given.", param="prompt")
    pieces = _pieces(document.get("prompt"))
    texts = [piece for piece in pieces if type(piece) is str]
    prompt = "\n".join(texts)
    return InferenceRequest(
        dialect=DIALECT,
        model=read_model(document),
        prompt=prompt,
        system="",
        history=(),
        context=_context(body, document, pieces),
        stream=is_true(document.get("stream")),
        stream_usage=wants_usage(document),
        prompt_is_last=_is_one_question(document, pieces),
        is_coded=len(texts) < len(pieces) or bool(document.get(_EMBEDDINGS)),
        body_bytes=len(body),
        contents=Contents(json_asked=is_json_asked(document), schema_asked=is_schema_asked(document)),
        answer_tokens=read_answer_tokens(document, "max_tokens"),
        body=document,
    )


def _pieces(prompt: JsonValue) -> list[JsonValue]:
    """The prompts of a list, or the one prompt; tokens are no text."""
    if prompt is None:
        return []
    return list(prompt) if type(prompt) is list else [prompt]


def _is_one_question(document: JsonObject, pieces: list[JsonValue]) -> bool:
    """Whether the model is asked to go on with one text, and nothing else."""
    if any(document.get(name) for name in (*_MORE_THAN_A_QUESTION, _EMBEDDINGS)):
        return False
    return len(pieces) == 1 and type(pieces[0]) is str and bool(pieces[0].strip())


def _context(body: bytes, document: JsonObject, pieces: list[JsonValue]) -> tuple[ContextField, ...]:
    """What the prompt is beside one text, then each other member by name."""
    is_one_text = len(pieces) == 1 and type(pieces[0]) is str
    written = canonical([None] if is_one_text else pieces) + mark_of_doubled(body, document, _DECIDING)
    others = SPELLING.of({name: document[name] for name in document if name not in OUTSIDE_CONTEXT})
    return (
        ContextField("prompt", written),
        *(ContextField(name, canonical(others[name])) for name in sorted(others)),
    )
