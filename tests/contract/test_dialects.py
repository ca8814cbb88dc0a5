"""Every registered dialect keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from router_extproc.dialects import DIALECTS, find_dialect
from router_extproc.testing.check_dialect import check_dialect
from router_extproc.testing.dialect_samples import DialectSamples

SAMPLES = Path(__file__).parents[1] / "samples"


def openai_chat() -> DialectSamples:
    folder = SAMPLES / "openai_chat"
    return DialectSamples(
        method="POST",
        path="/v1/chat/completions",
        request=(folder / "question.request.json").read_bytes(),
        streamed_request=(folder / "question-streamed.request.json").read_bytes(),
        answers={
            "application/json": (folder / "openai.answer.json").read_bytes(),
            "text/event-stream; charset=utf-8": (folder / "openai.answer.sse").read_bytes(),
        },
    )


def anthropic_messages() -> DialectSamples:
    folder = SAMPLES / "anthropic_messages"
    return DialectSamples(
        method="POST",
        path="/v1/messages",
        request=(folder / "question.request.json").read_bytes(),
        streamed_request=(folder / "question-streamed.request.json").read_bytes(),
        answers={
            "application/json": (folder / "thinking.answer.json").read_bytes(),
            "text/event-stream; charset=utf-8": (folder / "thinking.answer.sse").read_bytes(),
        },
    )


def openai_completions() -> DialectSamples:
    folder = SAMPLES / "openai_completions"
    return DialectSamples(
        method="POST",
        path="/v1/completions",
        request=(folder / "question.request.json").read_bytes(),
        streamed_request=(folder / "question-streamed.request.json").read_bytes(),
        answers={
            "application/json": (folder / "openai.answer.json").read_bytes(),
            "text/event-stream; charset=utf-8": (folder / "openai.answer.sse").read_bytes(),
        },
    )


def openai_embeddings() -> DialectSamples:
    folder = SAMPLES / "openai_embeddings"
    return DialectSamples(
        method="POST",
        path="/v1/embeddings",
        request=(folder / "question.request.json").read_bytes(),
        streamed_request=None,
        answers={"application/json": (folder / "openai.answer.json").read_bytes()},
    )


def openai_responses() -> DialectSamples:
    folder = SAMPLES / "openai_responses"
    return DialectSamples(
        method="POST",
        path="/v1/responses",
        request=(folder / "question.request.json").read_bytes(),
        streamed_request=(folder / "question-streamed.request.json").read_bytes(),
        answers={
            "application/json": (folder / "openai.answer.json").read_bytes(),
            "text/event-stream; charset=utf-8": (folder / "openai.answer.sse").read_bytes(),
        },
    )


SAMPLES_OF: Mapping[str, Callable[[], DialectSamples]] = {
    "openai_chat": openai_chat,
    "anthropic_messages": anthropic_messages,
    "openai_completions": openai_completions,
    "openai_embeddings": openai_embeddings,
    "openai_responses": openai_responses,
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_keeps_the_contract(name: str) -> None:
    check_dialect(DIALECTS[name], SAMPLES_OF[name]())


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_is_found_by_its_path(name: str) -> None:
    samples = SAMPLES_OF[name]()
    assert find_dialect(samples.method, samples.path) is DIALECTS[name]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/chat/completions"), ("POST", "/v1/models")])
def test_other_requests_have_no_dialect(method: str, path: str) -> None:
    assert find_dialect(method, path) is None
