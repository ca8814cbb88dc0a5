"""The completions API of OpenAI, as vLLM serves it: `POST /v1/completions`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from router_extproc.dialects.base import (
    AnswerReader,
    AnswerRewriter,
    BodyText,
    ChangeKind,
    Endpoint,
    MakeFilter,
    Rendered,
    UsageOnRequest,
)
from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.openai_completions.assemble import TextAssembler
from router_extproc.dialects.openai_completions.changes import edits_for
from router_extproc.dialects.openai_completions.completion import compose, read_unstreamed, restore
from router_extproc.dialects.openai_completions.render import render_json, render_stream
from router_extproc.dialects.openai_completions.request import DIALECT, parse_request
from router_extproc.dialects.openai_completions.rewrite import TextCompletionRewriter
from router_extproc.dialects.openai_completions.shapes import BODY
from router_extproc.dialects.openai_completions.texts import texts_of
from router_extproc.dialects.openai_errors import render_error
from router_extproc.dialects.openai_objects import mark_cached, renew
from router_extproc.dialects.openai_usage import StreamUsage
from router_extproc.dialects.readers import answer_reader
from router_extproc.dialects.rewriters import answer_rewriter
from router_extproc.dialects.shapes import unfit
from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer, JsonObject, JsonValue
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest

#: A prompt is all that the model reads: nothing is a system prompt, and no template has a switch.
_NONE: Final[frozenset[ChangeKind]] = frozenset()


class OpenAICompletions:
    """The dialect; holds no state."""

    name = DIALECT
    endpoints = (Endpoint("POST", "/v1/completions"),)
    changeable = _NONE
    pieces: None = None
    usage_on_request: UsageOnRequest = StreamUsage()

    def parse(self, body: bytes) -> InferenceRequest:
        """See dialects.base.RequestDialect."""
        return parse_request(body)

    def edits(
        self, request: InferenceRequest, changes: RequestChanges, *, family: str | None
    ) -> Sequence[Edit]:
        """See dialects.base.RequestDialect."""
        del family
        return edits_for(request.body, changes)

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
        return answer_reader(content_type, read_unstreamed, TextAssembler, max_answer_bytes=max_answer_bytes)

    def rewrite_answer(self, content_type: str, make: MakeFilter) -> AnswerRewriter | None:
        """See dialects.base.AnswerDialect."""
        return answer_rewriter(content_type, TextCompletionRewriter(make), make, render_error)

    def restore(self, document: JsonObject) -> Answer:
        """See dialects.base.AnswerDialect."""
        return restore(document)

    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        """See dialects.base.AnswerDialect."""
        if request.stream:
            return render_stream(answer, usage=request.stream_usage)
        return render_json(answer)

    def renew(self, answer: Answer, *, now_s: float) -> Answer:
        """See dialects.base.AnswerDialect."""
        return renew(answer, kind="cmpl", now_s=now_s)

    def mark_cached(self, answer: Answer) -> Answer:
        """See dialects.base.AnswerDialect."""
        return mark_cached(answer)

    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:
        """See dialects.base.AnswerDialect."""
        return compose(text, model=model, now_s=now_s)
