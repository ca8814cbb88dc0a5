"""The traps in which a semantic cache gives a wrong answer: not one may work, on any backend.

One worker stores, another one without a near tier of its own is asked: what it knows comes from the
backend. Questions that trap by their words meet the shipped encoder and verifier; traps beside the words
meet a verifier that accepts everything, so that nothing else saves them.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from router_extproc.cache.base import CacheBackend, Selector
from router_extproc.models.base import Encoder
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import AcceptingVerifier, fake_router
from tests.contract.conftest import OpenBackend

QUESTIONS = Path(__file__).parents[1] / "samples" / "questions"


def read_pairs(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


TRAPS = read_pairs(QUESTIONS / "traps.jsonl")
#: Questions that differ in how they are written, or in one word.
WRITTEN = [pair for path in sorted((QUESTIONS / "writing").glob("*.jsonl")) for pair in read_pairs(path)]
CONTRAST = read_pairs(QUESTIONS / "contrast.jsonl")
#: Long questions that one word or one condition tells apart.
LONG = read_pairs(QUESTIONS / "long.jsonl")
#: Questions of which one has a word that narrows it, and questions with words that do not.
NARROWED = read_pairs(QUESTIONS / "narrowed.jsonl")
STRESSED = read_pairs(QUESTIONS / "stressed.jsonl")
HARMLESS = read_pairs(QUESTIONS / "harmless.jsonl")
KINDS = sorted({trap["trap"] for trap in TRAPS})

PROMPT = "Which rivers flow through the old town of Prague?"
#: The same words but one: every encoder finds it alike.
NEAR = "Which rivers flow through the old town of Prague now?"
#: How long a backend may take to show what was written.
SETTLE_S = 20.0


class Workers:
    """Two workers over one backend; the second one has seen nothing."""

    def __init__(self, backend: CacheBackend, clock: ManualClock, encoder: Encoder, verifier: Any) -> None:
        def worker() -> Client:
            router = fake_router(backend=backend, clock=clock, encoder=encoder, verifier=verifier)
            return Client(router)

        self.first, self.second = worker(), worker()

    @asynccontextmanager
    async def storing(self) -> AsyncIterator[Client]:
        """The first worker; at the end of the block all that it stored is in the backend, and seen."""
        async with self.first.router.cache:
            yield self.first
            await self.first.ask(chat("the last word"))
        deadline_s = asyncio.get_running_loop().time() + SETTLE_S
        while (await self.second.send(chat("the last word"))).cache != "hit-exact":
            assert asyncio.get_running_loop().time() < deadline_s, "what was written is not seen"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def workers(
    open_backend: OpenBackend, encoder: Encoder | None = None, verifier: Any = None
) -> AsyncIterator[Workers]:
    clock, encoder = ManualClock(), encoder or FakeEncoder()
    async with open_backend(clock, encoder.dim) as backend:
        yield Workers(backend, clock, encoder, verifier or AcceptingVerifier())


# ── words ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_traps(kind: str) -> None:
    assert Counter(trap["trap"] for trap in TRAPS)[kind] >= 20


@pytest.mark.parametrize(("stored", "asked"), [("text_a", "text_b"), ("text_b", "text_a")])
async def test_no_trap_in_words_works(
    open_backend: OpenBackend, encoder: OnnxEncoder, stored: str, asked: str
) -> None:
    """All questions of all traps in one partition: any hit is a wrong one. Which came first is chance."""
    wrong = []
    async with workers(open_backend, encoder, open_verifier()) as both:
        async with both.storing() as client:
            for trap in TRAPS:
                await client.ask(chat(trap[stored]), cache_control="no-cache")
        for trap in TRAPS:
            sent = await both.second.send(chat(trap[asked]), cache_control="no-store")
            wrong += [trap] * (sent.cache != "miss")
    assert wrong == []


async def missed_and_hit(
    open_backend: OpenBackend, encoder: OnnxEncoder, pairs: list[dict[str, str]]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Each pair is another tenant's; every second one is asked the other way around."""
    missed, hit = [], []
    turned = [(pair["text_a"], pair["text_b"])[:: -1 if at % 2 else 1] for at, pair in enumerate(pairs)]
    async with workers(open_backend, encoder, open_verifier()) as both:
        async with both.storing() as client:
            for at, (stored, _) in enumerate(turned):
                await client.ask(chat(stored), cache_control="no-cache", authorization=f"Bearer {at}")
        for at, (_, asked) in enumerate(turned):
            sent = await both.second.send(chat(asked), cache_control="no-store", authorization=f"Bearer {at}")
            (missed if sent.cache == "miss" else hit).append(pairs[at])
    return missed, hit


@pytest.mark.parametrize(
    "pairs", [WRITTEN, CONTRAST, LONG, NARROWED], ids=["writing", "contrast", "long", "narrowed"]
)
async def test_no_pair_that_differs_in_a_mark_or_a_word_works(
    open_backend: OpenBackend, encoder: OnnxEncoder, pairs: list[dict[str, str]]
) -> None:
    _, hit = await missed_and_hit(open_backend, encoder, pairs)
    assert hit == []


async def test_words_that_do_not_narrow_leave_a_hit(open_backend: OpenBackend, encoder: OnnxEncoder) -> None:
    """Stress, politeness, and other words for the same."""
    missed, _ = await missed_and_hit(open_backend, encoder, STRESSED)
    assert missed == []


async def test_harmless_variants_are_hits(open_backend: OpenBackend, encoder: OnnxEncoder) -> None:
    """Lower case, no question mark, other marks for the same: people type what they like."""
    missed, _ = await missed_and_hit(open_backend, encoder, HARMLESS)
    assert missed == []


async def test_a_rephrasing_is_still_a_hit(open_backend: OpenBackend, encoder: OnnxEncoder) -> None:
    """Else a cache that never answers would pass."""
    async with workers(open_backend, encoder, open_verifier()) as both:
        async with both.storing() as client:
            await client.ask(chat("What are the main renewable energy sources?"))
        asked = chat("Which are the main sources of renewable energy?")
        assert (await both.second.send(asked)).cache == "hit-semantic"


async def test_text_that_the_encoder_cuts_is_no_trap(open_backend: OpenBackend) -> None:
    """Two long texts that differ at their end have one vector."""
    long = "river " * 300
    async with workers(open_backend) as both:
        async with both.storing() as client:
            await client.ask(chat(long + "first"))
        assert (await both.second.send(chat(long + "second"))).cache == "miss"
        assert (await both.second.send(chat(long + "first"))).cache == "hit-exact"


# ── context ───────────────────────────────────────────────────────────────────────────────────


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {}}}


def behind(*turns: dict[str, Any], text: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [*turns, {"role": "user", "content": text}]}


def turn(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


def looking_at(url: str, text: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
    return behind(text=parts)


#: By name: a request as it was asked first, and as it is asked now, about one text.
CONTEXTS: Mapping[str, Callable[[bool, str], dict[str, Any]]] = {
    "system prompt": lambda first, text: behind(turn("system", "Rhyme." if first else "Hm."), text=text),
    "no system prompt": lambda first, text: behind(*[turn("system", "Rhyme.")] * first, text=text),
    "system or developer": lambda first, text: behind(
        turn("system" if first else "developer", "Hm."), text=text
    ),
    "history": lambda first, text: behind(
        turn("user", "Hi"), turn("assistant", "Yes?" if first else "No?"), text=text
    ),
    "role in history": lambda first, text: behind(
        turn("user", "Hi"), turn("assistant" if first else "user", "Yes?"), text=text
    ),
    "borders in history": lambda first, text: behind(
        turn("user", "ab" if first else "a"), turn("assistant", "c" if first else "bc"), text=text
    ),
    "tools": lambda first, text: chat(text, tools=[tool("f" if first else "g")]),
    "tool choice": lambda first, text: chat(text, tools=[tool("f")], tool_choice="none" if first else "auto"),
    "response format": lambda first, text: chat(
        text, response_format={"type": "json_object" if first else "text"}
    ),
    "temperature": lambda first, text: chat(text, temperature=0.1 if first else 0.9),
    "top_p": lambda first, text: chat(text, top_p=0.1 if first else 0.9),
    "seed": lambda first, text: chat(text, seed=1 if first else 2),
    "stop": lambda first, text: chat(text, stop=["a"] if first else ["b"]),
    "longest answer": lambda first, text: chat(text, max_tokens=5 if first else 500),
    "answers wanted": lambda first, text: chat(text, n=1 if first else 2),
    "unknown field": lambda first, text: chat(text, unheard_of=1 if first else 2),
    "image": lambda first, text: looking_at(f"https://example.org/{'a' if first else 'b'}.png", text),
    "no image": lambda first, text: looking_at("https://example.org/a.png", text) if first else chat(text),
    "model": lambda first, text: chat(text, model="small" if first else "large"),
    "routed or pinned": lambda first, text: chat(text, model="auto" if first else "small"),
}


async def test_no_other_context_is_answered(open_backend: OpenBackend) -> None:
    """Each context is another tenant's, so that one cannot save or spoil another."""
    wrong, missed = [], []
    async with workers(open_backend) as both:
        async with both.storing() as client:
            for name, body in CONTEXTS.items():
                await client.ask(body(True, PROMPT), authorization=f"Bearer {name}")
        for name, body in CONTEXTS.items():
            for text in (PROMPT, NEAR):
                sent = await both.second.send(body(False, text), authorization=f"Bearer {name}")
                wrong += [(name, text)] * (sent.cache != "miss")
            same = await both.second.send(body(True, NEAR), authorization=f"Bearer {name}")
            missed += [name] * (same.cache != "hit-semantic")
    assert (wrong, missed) == ([], [])


async def test_no_other_tenant_is_answered(open_backend: OpenBackend) -> None:
    async with workers(open_backend) as both:
        async with both.storing() as client:
            await client.ask(chat(PROMPT), authorization="Bearer a")
        for headers in ({"authorization": "Bearer b"}, {"x_api_key": "Bearer a"}, {"cookie": "s=1"}):
            for text in (PROMPT, NEAR):
                assert (await both.second.send(chat(text), anonymous=True, **headers)).cache == "miss"
        for headers in ({"authorization": ""}, {}):
            assert (await both.second.send(chat(PROMPT), anonymous=True, **headers)).cache == "bypass"
        assert (await both.second.send(chat(NEAR), authorization="Bearer a")).cache == "hit-semantic"


async def test_an_answer_that_varies_is_given_for_equal_headers_only(open_backend: OpenBackend) -> None:
    """A worker learns it from an answer that it sees, and makes its keys with it from then on."""
    async with workers(open_backend) as both:
        async with both.storing() as client:
            for worker in (both.second, client, client):
                sent = await worker.send(chat(PROMPT), accept_language="de")
                if sent.cache == "miss":
                    worker.answer(sent, answer_json(), vary="Accept-Language, Accept-Encoding")
        for headers in ({"accept_language": "fr"}, {}):
            for text in (PROMPT, NEAR):
                assert (await both.second.send(chat(text), **headers)).cache == "miss"
        german = {"accept_language": "de", "accept_encoding": "gzip"}
        assert (await both.second.send(chat(PROMPT), **german)).cache == "hit-exact"
        assert (await both.second.send(chat(NEAR), **german)).cache == "hit-semantic"


# ── answers ───────────────────────────────────────────────────────────────────────────────────

#: By name: what the pool sent, which must not be answered with.
UNFIT: Mapping[str, tuple[bytes, dict[str, Any]]] = {
    "failed": (answer_json(), {"status": 500}),
    "refused": (answer_json(), {"status": 429}),
    "moved": (answer_json(), {"status": 302}),
    "aborted": (answer_json(), {"end": False}),
    "aborted in the middle": (answer_json()[:40], {"end": False}),
    "cut": (answer_json()[:-1], {}),
    "empty": (b"", {}),
    "as long as allowed": (answer_json(finish_reason="length"), {}),
    "filtered": (answer_json(finish_reason="content_filter"), {}),
    "unfinished": (answer_json(finish_reason=None), {}),
    "with a cookie": (answer_json(), {"set_cookie": "a=b"}),
    "private": (answer_json(), {"cache_control": "private"}),
    "compressed": (answer_json(), {"content_encoding": "br"}),
    "varying with anything": (answer_json(), {"vary": "accept-encoding, *"}),
    "streamed without an end": (
        b'data: {"choices":[{"index":0,"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n',
        {"content_type": "text/event-stream"},
    ),
}


async def test_no_unfit_answer_is_given_again(open_backend: OpenBackend) -> None:
    wrong = []
    async with workers(open_backend) as both:
        async with both.storing() as client:
            for name, (body, received) in UNFIT.items():
                sent = await client.send(chat(PROMPT), authorization=f"Bearer {name}")
                client.answer(sent, body, **received)
        for name in UNFIT:
            for worker in (both.first, both.second):
                sent = await worker.send(chat(PROMPT), authorization=f"Bearer {name}")
                wrong += [name] * (sent.cache != "miss")
    assert wrong == []


async def test_a_purge_beats_the_answer_that_is_on_its_way(open_backend: OpenBackend) -> None:
    """The request went before the purge, its answer comes after it."""
    async with workers(open_backend) as both:
        async with both.storing() as client:
            sent = await client.send(chat(PROMPT))
            client.router.clock.advance(1)
            await client.router.cache.purge(Selector())
            client.router.clock.advance(1)
            client.answer(sent, answer_json())
        for worker in (both.first, both.second):
            assert (await worker.send(chat(PROMPT))).cache == "miss"


async def test_a_purge_beats_the_write_that_waits(open_backend: OpenBackend) -> None:
    """The answer is stored, and not yet in the backend."""
    async with workers(open_backend) as both:
        async with both.storing() as client:
            await client.ask(chat(PROMPT))
            await client.router.cache.purge(Selector())
            client.router.clock.advance(1)
        for worker in (both.first, both.second):
            for text in (PROMPT, NEAR):
                assert (await worker.send(chat(text))).cache == "miss"
