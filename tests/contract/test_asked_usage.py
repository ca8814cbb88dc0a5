"""Usage that only the router asked for, hidden in recorded streams wherever they are cut; no network."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import AnswerRewriter
from router_extproc.testing.check_dialect_usage import hidden
from router_extproc.testing.dialect_samples import single_bytes

SAMPLES = Path(__file__).parents[1] / "samples"
STREAMS = {
    "openai_chat": [*(SAMPLES / "vllm").glob("*.sse"), *(SAMPLES / "openai_chat").glob("*.answer.sse")],
    "openai_completions": [*(SAMPLES / "openai_completions").glob("*.answer.sse")],
}
ALL = [pytest.param(name, file, id=file.name) for name, files in STREAMS.items() for file in sorted(files)]
#: Where a vLLM puts it depends on whether usage follows.
ELSEWHERE = "system_fingerprint"
#: Other ones in each answer.
OWN = {"id", "created", ELSEWHERE}


def hider(dialect: str) -> AnswerRewriter:
    usage = DIALECTS[dialect].usage_on_request
    found = None if usage is None else usage.hide("text/event-stream")
    assert found is not None
    return found


def events(body: bytes) -> list[dict[str, object]]:
    frames = [frame.partition(b"data: ")[2] for frame in body.split(b"\n\n")]
    read = [orjson.loads(frame) for frame in frames if frame.startswith(b"{")]
    return [{name: value for name, value in event.items() if name not in OWN} for event in read]


@pytest.mark.parametrize(("dialect", "file"), ALL)
def test_wherever_a_recorded_stream_is_cut_the_client_gets_the_same(dialect: str, file: Path) -> None:
    """Cut in two in its first and last events, which are not alike; and the whole of it into single bytes."""
    body = file.read_bytes()
    ends = [0] * 4 + [found.end() for found in re.finditer(rb"\n\n", body)]
    for part in (body[: body.index(b"\n\n") + 2], body[ends[-4] :]):
        whole = hidden(hider(dialect), part)
        for cut in range(len(part) + 1):
            assert hidden(hider(dialect), part[:cut], part[cut:]) == whole, cut
    assert hidden(hider(dialect), *single_bytes(body)) == hidden(hider(dialect), body)


@pytest.mark.parametrize(("dialect", "file"), ALL)
def test_only_usage_is_taken_out_of_a_recorded_stream(dialect: str, file: Path) -> None:
    body = file.read_bytes()
    alone = [event for event in events(body) if event.get("usage") and event["choices"] == []]
    left = [event for event in events(body) if event not in alone]
    meant = [
        {name: value for name, value in event.items() if name != "usage" or value is not None}
        for event in left
    ]
    assert events(hidden(hider(dialect), body)) == meant


def test_a_real_vllm_asked_by_the_router_says_to_the_client_what_it_says_unasked() -> None:
    """Both were recorded of the same request and seed; only where the fingerprint stands differs."""
    seen = hidden(
        hider("openai_completions"), (SAMPLES / "openai_completions/vllm-text-usage.answer.sse").read_bytes()
    )
    assert events(seen) == events((SAMPLES / "openai_completions/vllm-text.answer.sse").read_bytes())


@pytest.mark.parametrize("name", ["chat", "reasoning"])
def test_chunks_of_a_real_vllm_have_the_members_that_they_have_unasked(name: str) -> None:
    """These were recorded without a seed."""
    seen = hidden(hider("openai_chat"), (SAMPLES / f"vllm/{name}-usage.sse").read_bytes())
    unasked = (SAMPLES / f"vllm/{name}.sse").read_bytes()
    assert {tuple(event) for event in events(seen)} == {tuple(event) for event in events(unasked)}
