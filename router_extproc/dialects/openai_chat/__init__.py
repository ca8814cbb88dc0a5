"""The chat completions API of OpenAI, as vLLM serves it: `POST /v1/chat/completions`."""

from __future__ import annotations

from collections.abc import Sequence

from router_extproc.dialects.base import AnswerReader, Rendered
from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.openai_chat.answer import INCOMPLETE_REASONS
from router_extproc.dialects.openai_chat.reader import (
    JsonAnswerReader,
    StreamAnswerReader,
    UnreadableAnswerReader,
)
from router_extproc.dialects.openai_chat.render import render_error, render_json, render_stream
from router_extproc.dialects.openai_chat.request import DIALECT, parse_request
from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest

__all__ = ["INCOMPLETE_REASONS", "OpenAIChat"]

_METHOD = "POST"
_PATH = "/v1/chat/completions"


class OpenAIChat:
    """The dialect; holds no state."""

    name = DIALECT
    paths = (_PATH,)

    def matches(self, method: str, path: str) -> bool:
        """See dialects.base.Dialect."""
        return method == _METHOD and path.partition("?")[0] == _PATH

    def parse(self, body: bytes) -> InferenceRequest:
        """See dialects.base.Dialect."""
        return parse_request(body)

    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        """See dialects.base.Dialect."""
        return edit_json(body, edits)

    def read_answer(self, content_type: str, *, max_answer_bytes: int) -> AnswerReader:
        """See dialects.base.Dialect."""
        match content_type.partition(";")[0].strip().lower():
            case "application/json":
                return JsonAnswerReader(max_answer_bytes=max_answer_bytes)
            case "text/event-stream":
                return StreamAnswerReader(max_answer_bytes=max_answer_bytes)
            case _:
                return UnreadableAnswerReader()

    def render(self, answer: Answer, request: InferenceRequest) -> Rendered:
        """See dialects.base.Dialect."""
        if request.stream:
            return render_stream(answer, usage=request.stream_usage)
        return render_json(answer)

    def render_error(self, error: RequestError) -> Rendered:
        """See dialects.base.Dialect."""
        return render_error(error)
