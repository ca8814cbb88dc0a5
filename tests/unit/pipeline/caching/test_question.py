"""What one request asks of the cache is made once, however often it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from router_extproc.cache.scope import SharedScope
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.llm.request import ContextField, InferenceRequest
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import SEMANTIC, FakeRouter, fake_router


class CountedContext(tuple[ContextField, ...]):  # noqa: SLOT001 - it has an attribute
    """A context that counts how often it was read from its beginning."""

    readings = 0

    def __iter__(self) -> Iterator[ContextField]:
        self.readings += 1
        return super().__iter__()


class CountingDialect(OpenAIChat):
    """Its requests count how often their context is read."""

    def __init__(self) -> None:
        self.contexts: list[CountedContext] = []

    def parse(self, body: bytes) -> InferenceRequest:
        request = super().parse(body)
        self.contexts.append(CountedContext(request.context))
        return replace(request, context=self.contexts[-1])


@dataclass(frozen=True, slots=True)
class Counted:
    """A client whose requests are counted."""

    client: Client
    contexts: list[CountedContext]

    @classmethod
    def of(cls, router: FakeRouter) -> Counted:
        dialect = CountingDialect()
        parts = replace(router.parts, find_api=lambda _method, _path: dialect)
        return cls(Client(replace(router, parts=parts)), dialect.contexts)

    @property
    def readings(self) -> list[int]:
        return [context.readings for context in self.contexts]


@pytest.fixture
def counted() -> Counted:
    return Counted.of(fake_router())


async def test_a_semantic_miss_hashes_its_context_once(counted: Counted) -> None:
    sent = await counted.client.send(chat())
    assert (sent.cache, counted.readings) == ("miss", [1])


async def test_a_semantic_hit_hashes_its_context_once(counted: Counted) -> None:
    await counted.client.ask(chat("What is a small cat called?"))
    sent = await counted.client.send(chat("what is a small cat called"))
    assert (sent.cache, counted.readings) == ("hit-semantic", [1, 1])


async def test_several_scope_rules_share_one_hash_of_the_context() -> None:
    """Which rule counts is known only when the request is routed."""
    shared = {"faq": replace(SEMANTIC, scope=SharedScope())}
    counted = Counted.of(fake_router(own_cache_policies=shared))
    await counted.client.send(chat())
    assert counted.readings == [1]


async def test_a_request_that_looks_again_after_a_wait_is_neither_parsed_nor_hashed_again(
    counted: Counted,
) -> None:
    first = await counted.client.send(chat())
    waiting = asyncio.create_task(counted.client.send(chat()))
    for _ in range(20):
        await asyncio.sleep(0)
    counted.client.answer(first, answer_json())
    assert ((await waiting).cache, counted.readings) == ("hit-exact", [1, 1])
