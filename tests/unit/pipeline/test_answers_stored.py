"""Which good answers get into the cache, and which forms of a request they may answer."""

from __future__ import annotations

import gzip
import json
import sys
import threading
import zlib
from typing import Any  # JSON bodies

import pyarrow as pa
import pytest

from router_extproc.pipeline import answer_coding
from router_extproc.pipeline.content_coding import DECODED_BYTES_MAX
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import fake_router

SSE = {"content_type": "text/event-stream"}
HEAD = {"id": "a1", "created": 5, "model": "m"}


def stream(*, usage: bool = False, done: bool = True) -> bytes:
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": "An animal."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    if usage:
        events.append({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 3}})
    lines = [b"data: " + json.dumps({**HEAD, **event}).encode() + b"\n\n" for event in events]
    return b"".join(lines) + (b"data: [DONE]\n\n" if done else b"")


@pytest.fixture
def client() -> Client:
    return Client(fake_router())


def stored(client: Client) -> str:
    return client.router.reports.answers[-1].stored


# ── complete with the terminal event ──────────────────────────────────────────────────────────


async def test_client_that_closes_after_the_terminal_event_had_the_whole_answer(client: Client) -> None:
    client.answer(await client.send(chat(stream=True)), stream(), end=False, **SSE)
    assert [report.stored for report in client.router.reports.answers] == ["stored"]
    assert (await client.send(chat(stream=True))).cache == "hit-exact"


async def test_client_that_closes_before_it_had_a_part(client: Client) -> None:
    client.answer(await client.send(chat(stream=True)), stream(done=False), end=False, **SSE)
    assert stored(client) == "aborted"
    assert (await client.send(chat(stream=True))).cache == "miss"


# ── usage ─────────────────────────────────────────────────────────────────────────────────────

WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize("form", [{}, WITH_USAGE], ids=["object", "stream with usage"])
async def test_form_with_usage_misses_what_came_without_and_brings_it(
    client: Client, form: dict[str, Any]
) -> None:
    """Official clients read the usage of an object unasked, and fail where there is none."""
    client.answer(await client.send(chat(stream=True)), stream(), **SSE)
    missed = await client.send(chat(**form))
    assert missed.cache == "miss"
    if form:
        client.answer(missed, stream(usage=True), **SSE)
    else:
        client.answer(missed, answer_json())
    for later in ({}, WITH_USAGE, {"stream": True}):
        hit = await client.send(chat(**later))
        assert hit.cache == "hit-exact"
        assert (b"prompt_tokens" in hit.immediate.body) is (later != {"stream": True})


async def test_reason_of_such_a_miss_is_told(client: Client) -> None:
    client.answer(await client.send(chat(stream=True)), stream(), **SSE)
    await client.send(chat())
    assert client.router.reports.decisions[-1].decision.explanation.cache_reason == "no-usage"


async def test_pool_that_tells_no_usage_is_taken_at_its_word(client: Client) -> None:
    body = json.loads(answer_json())
    del body["usage"]
    client.answer(await client.send(chat()), json.dumps(body).encode())
    assert (await client.send(chat())).cache == "hit-exact"


# ── compressed ────────────────────────────────────────────────────────────────────────────────


async def test_pool_is_asked_not_to_compress_what_may_be_stored(client: Client) -> None:
    sent = await client.send(chat(), accept_encoding="gzip, deflate, br, zstd")
    assert sent.sent_header("accept-encoding") == "identity"


async def test_client_settles_the_coding_of_what_is_not_stored(client: Client) -> None:
    sent = await client.send(chat(), accept_encoding="gzip", cache_control="no-store")
    assert "accept-encoding" not in dict(sent.forwarded.mutation.overwrite)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(answer_json())),
        ("X-Gzip", gzip.compress(answer_json())),
        ("gzip", gzip.compress(answer_json()[:50]) + gzip.compress(answer_json()[50:])),
        ("deflate", zlib.compress(answer_json())),
        ("deflate", raw_deflate(answer_json())),
        ("gzip", gzip.compress(answer_json("word " * 100_000))),
        ("br", pa.compress(answer_json(), codec="brotli", asbytes=True)),
        ("ZSTD", pa.compress(answer_json(), codec="zstd", asbytes=True)),
        (" Identity ", answer_json()),
    ],
    ids=["gzip", "x-gzip", "members", "deflate", "raw", "large", "br", "zstd", "identity"],
)
async def test_compressed_answer_is_stored_and_replayed_plain(
    client: Client, coding: str, body: bytes
) -> None:
    client.answer(await client.send(chat()), body, content_encoding=coding)
    assert stored(client) == "stored"
    hit = await client.send(chat())
    assert json.loads(hit.immediate.body)["choices"][0]["finish_reason"] == "stop"
    assert "content-encoding" not in dict(hit.immediate.headers)


async def test_compressed_stream_ends_with_its_terminal_event(client: Client) -> None:
    """Pools flush after each event; the end of the compressed body need not have come."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    body = packer.compress(stream()) + packer.flush(zlib.Z_SYNC_FLUSH)
    sent = await client.send(chat(stream=True))
    client.answer(sent, body, end=False, content_encoding="gzip", **SSE)
    assert stored(client) == "stored"


@pytest.mark.parametrize("coding", ["brotli", "zstd"])
async def test_a_stream_in_other_codings_is_read_at_its_end(client: Client, coding: str) -> None:
    body = pa.compress(stream(), codec=coding, asbytes=True)
    sent = await client.send(chat(stream=True))
    client.answer(sent, body, content_encoding=coding.removesuffix("otli"), **SSE)
    assert stored(client) == "stored"


async def test_a_library_that_is_not_there_yet_costs_the_first_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading it takes longer than a decision may: it is loaded beside the event loop."""
    monkeypatch.delitem(sys.modules, "pyarrow")
    started: list[int] = []
    monkeypatch.setattr(answer_coding, "load", lambda: started.append(1))
    body = pa.compress(answer_json(), codec="zstd", asbytes=True)
    client.answer(await client.send(chat()), body, content_encoding="zstd")
    assert (stored(client), started) == ("content-encoding", [1])


def test_the_library_is_loaded_once_and_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, bool]] = []

    def load(name: str) -> None:
        loaded.append((name, threading.current_thread() is threading.main_thread()))

    monkeypatch.setattr(answer_coding, "import_module", load)
    answer_coding.load.cache_clear()
    answer_coding.load()
    answer_coding.load()
    for thread in threading.enumerate():
        if thread.name == "pyarrow":
            thread.join(10)
    answer_coding.load.cache_clear()
    assert loaded == [("pyarrow", False)]


async def test_coded_bytes_are_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_coding, "CODED_BYTES_MAX", 20)
    body = pa.compress(answer_json(), codec="zstd", asbytes=True)
    client.answer(await client.send(chat()), body, content_encoding="zstd")
    assert stored(client) == "too_large"


async def test_other_codings_that_become_too_much_are_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_coding, "DECODED_BYTES_MAX", 100)
    body = pa.compress(answer_json("word " * 100), codec="zstd", asbytes=True)
    client.answer(await client.send(chat()), body, content_encoding="zstd")
    assert stored(client) == "too_large"


@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [
        ("br", answer_json(), "content-encoding"),
        ("zstd", answer_json(), "content-encoding"),
        ("compress", answer_json(), "content-encoding"),
        ("gzip, gzip", gzip.compress(gzip.compress(answer_json())), "content-encoding"),
        ("gzip", answer_json(), "content-encoding"),
        ("gzip", gzip.compress(answer_json())[:-9], "cut_off"),
        ("gzip", b"", "malformed"),
        ("gzip", b"\x1f", "cut_off"),
    ],
    ids=["br", "zstd", "compress", "twice", "not gzip", "cut", "nothing", "one byte"],
)
async def test_what_cannot_be_decoded_is_not_stored(
    client: Client, coding: str, body: bytes, why: str
) -> None:
    client.answer(await client.send(chat()), body, content_encoding=coding)
    assert stored(client) == why
    assert (await client.send(chat())).cache == "miss"


async def test_what_decodes_to_too_much_is_given_up(client: Client) -> None:
    comment = b":" + b" " * 65_533 + b"\n\n"
    body = gzip.compress(comment * (DECODED_BYTES_MAX // len(comment) + 1) + stream(), compresslevel=1)
    client.answer(await client.send(chat(stream=True)), body, content_encoding="gzip", **SSE)
    assert stored(client) == "too_large"


# ── nothing to reuse, and the pool's word ─────────────────────────────────────────────────────


@pytest.mark.parametrize("content", ["", " \n"])
async def test_empty_answer_is_not_stored_and_counted_as_such(client: Client, content: str) -> None:
    client.answer(await client.send(chat()), answer_json(content))
    assert stored(client) == "empty"
    assert (await client.send(chat())).cache == "miss"


async def test_pool_says_how_long_its_answer_is_fresh(client: Client) -> None:
    client.answer(await client.send(chat()), answer_json(), cache_control="max-age=10")
    assert (await client.send(chat())).cache == "hit-exact"
    client.router.clock.advance(11)
    assert (await client.send(chat())).cache == "miss"
