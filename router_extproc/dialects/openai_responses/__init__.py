"""The Responses API of OpenAI, as vLLM serves it, too: `POST /v1/responses`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router_extproc.dialects.base import (
    EVERY_CHANGE,
    AnswerReader,
    AnswerRewriter,
    BodyText,
    Endpoint,
    MakeFilter,
    Rendered,
)
from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.openai_errors import render_error
from router_extproc.dialects.openai_objects import mark_cached
from router_extproc.dialects.openai_responses.assemble import ResponseAssembler
from router_extproc.dialects.openai_responses.changes import edits_for
from router_extproc.dialects.openai_responses.render import render_json, render_stream
from router_extproc.dialects.openai_responses.request import DIALECT, parse_request
from router_extproc.dialects.openai_responses.response import (
    compose,
    read_response,
    renew,
    restore,
)
from router_extproc.dialects.openai_responses.rewrite import ResponseRewriter
from router_extproc.dialects.openai_responses.shapes import BODY
from router_extproc.dialects.openai_responses.texts import texts_of
from router_extproc.dialects.readers import answer_reader
from router_extproc.dialects.rewriters import answer_rewriter
from router_extproc.dialects.shapes import unfit
from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer, JsonObject, JsonValue
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest


class OpenAIResponses:
    """The dialect; holds no state."""

    name = DIALECT
    endpoints = (Endpoint("POST", "/v1/responses"),)
    changeable = EVERY_CHANGE
    pieces: None = None
    usage_on_request: None = None

    def parse(self, body: bytes) -> InferenceRequest:
        """See dialects.base.RequestDialect."""
        return parse_request(body)

    def edits(
        self, request: InferenceRequest, changes: RequestChanges, *, family: str | None
    ) -> Sequence[Edit]:
        """See dialects.base.RequestDialect."""
        return edits_for(request.body, changes, family)

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
        """See dialects.base.AnswerDialect."""
        return answer_reader(
            content_type, read_response, ResponseAssembler, max_answer_bytes=max_answer_bytes
        )

    def rewrite_answer(self, content_type: str, make: MakeFilter) -> AnswerRewriter | None:
        """See dialects.base.AnswerDialect."""
        return answer_rewriter(content_type, ResponseRewriter(make), make, render_error)

    def restore(self, document: JsonObject) -> Answer:
        """See dialects.base.AnswerDialect."""
        return restore(document)

    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        """See dialects.base.AnswerDialect."""
        return render_stream(answer, request.body) if request.stream else render_json(answer, request.body)

    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        """See dialects.base.AnswerDialect."""
        return renew(answer, now_s=now_s)

    def mark_cached(self, answer: Answer) -> Answer:
        """See dialects.base.AnswerDialect."""
        return mark_cached(answer, "input_tokens_details")

    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:
        """See dialects.base.AnswerDialect."""
        return compose(text, model=model, now_s=now_s)
