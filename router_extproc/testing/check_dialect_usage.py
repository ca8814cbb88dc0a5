"""The part of a dialect's contract that usage on a client's behalf needs: asked for, and hidden again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import orjson

from router_extproc.dialects.base import AnswerRewriter, Dialect, UsageOnRequest
from router_extproc.llm.request import InferenceRequest
from router_extproc.testing.dialect_samples import DialectSamples, require, single_bytes, whole_answer

_STREAM: Final = "text/event-stream"


def hidden(rewriter: AnswerRewriter, *pieces: bytes) -> bytes:
    """An answer that came in these pieces, through what hides its usage."""
    passed = [rewriter.feed(piece, last=False) for piece in pieces]
    return b"".join((*passed, rewriter.feed(b"", last=True)))


def _check_who_is_asked_for(dialect: Dialect, samples: DialectSamples) -> None:
    usage = dialect.usage_on_request
    if usage is None:
        return
    require(not usage.ask(dialect.parse(samples.request)), "what is not streamed has usage anyway")
    if samples.streamed_request is not None:
        asks = dialect.parse(samples.streamed_request)
        require(not usage.ask(asks), "a client that asks itself is left alone")


def _check_what_asks(dialect: Dialect, samples: DialectSamples) -> None:
    usage = dialect.usage_on_request
    if usage is None:
        return
    streamed = samples.request.replace(b"{", b'{"stream": true, ', 1)
    asked = _asked(dialect, usage, streamed)
    before, after = dialect.parse(streamed), dialect.parse(asked)
    require(after.stream_usage, "an edited request asks for usage")
    require(not usage.ask(after), "it is asked for once")
    require(_key(before) == _key(after), "asking is in no key of the cache")
    added = {*orjson.loads(asked)} - {*orjson.loads(streamed)}
    require(len(added) == 1 and len(asked) > len(streamed), "one member is added")
    require(all(piece in asked for piece in streamed.split(b"{", 1)), "every other byte stays")


def _check_what_is_hidden(dialect: Dialect, samples: DialectSamples) -> None:
    usage = dialect.usage_on_request
    for content_type, body in samples.answers.items():
        rewriter = None if usage is None else usage.hide(content_type)
        if rewriter is None or usage is None:
            continue
        got = hidden(rewriter, *single_bytes(body))
        seen, meant = whole_answer(dialect, content_type, got), whole_answer(dialect, content_type, body)
        require(meant.facts.usage_is_known, "the sample has usage")
        require(not seen.facts.usage_is_known, "a client that did not ask sees no usage")
        all_else = replace(meant.facts, usage=None, usage_is_known=False)
        require(seen.facts == all_else, "and all else")
        again = usage.hide(content_type)
        require(again is not None and hidden(again, got) == got, "what has no usage passes byte for byte")


def _asked(dialect: Dialect, usage: UsageOnRequest, body: bytes) -> bytes:
    edits = usage.ask(dialect.parse(body))
    require(edits, "a stream without usage can be asked for it")
    return dialect.edit(body, edits)


def _key(request: InferenceRequest) -> object:
    return request.context, request.prompt, request.system_texts


USAGE_RULES: Final[tuple[Callable[[Dialect, DialectSamples], None], ...]] = (
    _check_who_is_asked_for,
    _check_what_asks,
    _check_what_is_hidden,
)
