"""Embeddings objects, the form in which an answer is kept: read, judged complete or not, made anew.

Vectors stay as they came, as numbers or as base64.
Source: the OpenAI API reference, "The embedding object"; vLLM, EmbeddingResponse.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import uuid4

from router_extproc.dialects.members import NotUnderstoodError, a_list, a_string, an_integer, an_object
from router_extproc.dialects.openai_objects import checked_usage, is_error, usage_of
from router_extproc.llm.answer import Answer, AnswerFacts, Choice, Incomplete, JsonObject, JsonValue

#: A vector is no text, and always whole.
_WHOLE: Final = (Choice("", "stop"),)
_NUMBERS: Final = frozenset({int, float})


def read_embeddings(document: JsonObject) -> Answer | Incomplete:
    """The answer that an embeddings object holds, or why it holds none."""
    if is_error(document):
        return Incomplete("error")
    try:
        return _read(document)
    except NotUnderstoodError:
        return Incomplete("malformed")


def restore(document: JsonObject) -> Answer:
    """See dialects.base.AnswerDialect."""
    answer = read_embeddings(document)
    if isinstance(answer, Incomplete):
        raise ValueError(f"the document is no complete answer: {answer.reason}")  # noqa: TRY004 - what it holds
    return answer


def renew(answer: Answer, *, now_s: float) -> Answer:
    """See dialects.base.AnswerDialect; OpenAI's own objects have neither id nor date."""
    document = dict(answer.document)
    identity = answer.facts.id and f"embd-{uuid4().hex}"
    document |= {"id": identity} if identity else {}
    document |= {"created": int(now_s)} if "created" in document else {}
    return Answer(replace(answer.facts, id=identity), document)


def _read(document: JsonObject) -> Answer | Incomplete:
    vectors = [an_object(each) for each in a_list(document.get("data"))]
    if not vectors:
        return Incomplete("no_choices")
    places = sorted(an_integer(vector.get("index")) for vector in vectors)
    if places != list(range(len(vectors))):
        raise NotUnderstoodError
    for vector in vectors:
        _check_vector(vector.get("embedding"))
    usage = usage_of({"usage": checked_usage(document.get("usage"))})
    identity, model = (a_string(document.get(name, "")) for name in ("id", "model"))
    return Answer(AnswerFacts(identity, model, _WHOLE, usage), document)


def _check_vector(vector: JsonValue) -> None:
    """Numbers, or bytes in base64."""
    if type(vector) is list and vector and _NUMBERS.issuperset(map(type, vector)):
        return
    if not a_string(vector):
        raise NotUnderstoodError
