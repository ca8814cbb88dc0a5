"""The embeddings API of OpenAI, as vLLM serves it: `POST /v1/embeddings`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from router_extproc.dialects.base import (
    AnswerReader,
    AnswerRewriter,
    BodyText,
    ChangeKind,
    Endpoint,
    MakeFilter,
    PieceAnswers,
    Rendered,
)
from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.openai_embeddings.answer import read_embeddings, renew, restore
from router_extproc.dialects.openai_embeddings.pieces import EmbeddingPieces
from router_extproc.dialects.openai_embeddings.request import BODY, DIALECT, parse_request
from router_extproc.dialects.openai_embeddings.rewrite import EmbeddingsRewriter
from router_extproc.dialects.openai_embeddings.texts import texts_of
from router_extproc.dialects.openai_errors import render_error
from router_extproc.dialects.openai_objects import JSON_TYPE, mark_cached
from router_extproc.dialects.parameters import Vocabulary, parameter_edits
from router_extproc.dialects.readers import JsonAnswerReader, UnreadableAnswerReader
from router_extproc.dialects.rewriters import answer_rewriter
from router_extproc.dialects.shapes import unfit
from router_extproc.errors import RequestError, UnsupportedRequest
from router_extproc.llm.answer import Answer, JsonObject, JsonValue
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest

#: Parameters of a conversation have no place in this API, and may be refused.
_VOCABULARY: Final = Vocabulary(names={}, taken={}, known=frozenset(BODY) - {"input", "messages"})


class OpenAIEmbeddings:
    """The dialect; holds no state."""

    name = DIALECT
    endpoints = (Endpoint("POST", "/v1/embeddings"),)
    changeable: frozenset[ChangeKind] = frozenset()
    pieces: PieceAnswers = EmbeddingPieces()
    usage_on_request: None = None

    def parse(self, body: bytes) -> InferenceRequest:
        """See dialects.base.RequestDialect."""
        return parse_request(body)

    def edits(
        self, request: InferenceRequest, changes: RequestChanges, *, family: str | None
    ) -> Sequence[Edit]:
        """See dialects.base.RequestDialect."""
        del family
        return parameter_edits(request.body, changes.parameters, _VOCABULARY)

    def unfit_parameter(self, name: str, value: JsonValue) -> str | None:
        """See dialects.base.RequestDialect."""
        return unfit(BODY.get(name), value)

    def texts(self, body: bytes) -> Iterator[BodyText]:
        """See dialects.base.RequestDialect."""
        return texts_of(body)

    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        """See dialects.base.RequestDialect."""
        return edit_json(body, edits)

    def render_error(self, error: RequestError) -> Rendered:
        """See dialects.base.RequestDialect."""
        return render_error(error)

    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        """See dialects.base.AnswerDialect; an answer is never a stream."""
        if content_type.partition(";")[0].strip().lower() != JSON_TYPE:
            return UnreadableAnswerReader()
        return JsonAnswerReader(read_embeddings, max_answer_bytes=max_answer_bytes)

    def rewrite_answer(self, content_type: str, make: MakeFilter) -> AnswerRewriter | None:
        """See dialects.base.AnswerDialect."""
        return answer_rewriter(content_type, EmbeddingsRewriter(make), make, render_error)

    def restore(self, document: JsonObject) -> Answer:
        """See dialects.base.AnswerDialect."""
        return restore(document)

    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        """See dialects.base.AnswerDialect."""
        del request
        return Rendered(JSON_TYPE, orjson.dumps(answer.document))

    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        """See dialects.base.AnswerDialect."""
        return renew(answer, now_s=now_s)

    def mark_cached(self, answer: Answer) -> Answer:
        """See dialects.base.AnswerDialect."""
        return mark_cached(answer)

    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:
        """See dialects.base.AnswerDialect."""
        del text, model, now_s
        raise UnsupportedRequest("This request asks for vectors, and the answer here is a text.")
