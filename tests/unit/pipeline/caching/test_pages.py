"""Which pages a browser lets read a replay or an error: those that the pool lets read its answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router_extproc.pipeline.caching.pages import (
    REMEMBERED_S,
    VALUE_CHARS_MAX,
    PagesHeard,
    headers_for,
    told_pages,
)
from router_extproc.testing.client import Client, Sent, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import SEMANTIC, fake_router

ALLOW, CREDENTIALS, EXPOSE = (
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
)
PAGE, OTHER = "https://app.example", "https://other.example"
ANY, ECHO = {ALLOW: "*"}, {ALLOW: PAGE, CREDENTIALS: "true"}


def as_arguments(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


def allowed(sent: Sent) -> str | None:
    return dict(sent.immediate.headers).get(ALLOW)


async def stored(client: Client, told: dict[str, str], prompt: str = "Name a river.", **asked: Any) -> None:
    """A pool's answer, with what it says to pages."""
    sent = await client.send(chat(prompt), **asked)
    client.answer(sent, answer_json(), **as_arguments(told))


async def hit(client: Client, prompt: str = "Name a river.", **headers: str) -> Sent:
    sent = await client.send(chat(prompt), **headers)
    assert sent.cache == "hit-exact"
    return sent


@pytest.mark.parametrize(
    ("told", "page", "read_by"),
    [
        (ANY, PAGE, "*"),
        (ANY, OTHER, "*"),
        (ECHO, PAGE, PAGE),
        (ECHO, OTHER, None),
        ({}, PAGE, None),
    ],
    ids=["any", "any, another", "the same", "another", "nobody"],
)
async def test_a_page_reads_the_hit_as_it_read_the_answer(
    told: dict[str, str], page: str, read_by: str | None
) -> None:
    client = Client(fake_router())
    await stored(client, told, origin=PAGE)
    assert allowed(await hit(client, origin=page)) == read_by


async def test_a_client_without_a_page_is_told_nothing() -> None:
    client = Client(fake_router())
    await stored(client, ANY, origin=PAGE)
    assert allowed(await hit(client)) is None


async def test_an_entry_of_another_client_goes_by_what_its_pool_says_to_pages() -> None:
    """A pool says it only where a request names its page."""
    client = Client(fake_router())
    await stored(client, {})
    assert allowed(await hit(client, origin=PAGE)) is None
    await stored(client, ANY, "Name a lake.", origin=OTHER)
    assert allowed(await hit(client, origin=PAGE)) == "*"


async def test_an_entry_remembers_what_its_pool_said_for_as_long_as_it_lives() -> None:
    """It may have been stored by another worker, or before a restart."""
    client = Client(fake_router(cache_policy=replace(SEMANTIC, ttl_s=2 * REMEMBERED_S)))
    await stored(client, ECHO, origin=PAGE)
    client.router.clock.advance(REMEMBERED_S + 1)
    assert allowed(await hit(client, origin=PAGE)) == PAGE


async def test_what_one_models_pool_says_opens_no_other_models_answers() -> None:
    client = Client(fake_router())
    await stored(client, {})
    sent = await client.send(chat("Name a lake.", model="large"), origin=PAGE)
    client.answer(sent, answer_json(), **as_arguments(ANY))
    assert allowed(await hit(client, origin=PAGE)) is None


@pytest.mark.parametrize("body", [b"{", chat(model="gone"), {"model": "auto", "messages": []}])
async def test_any_page_reads_an_error_of_ours(body: object) -> None:
    assert allowed(await Client(fake_router()).send(body)) == "*"


def test_no_page_reads_any_with_its_visitors_credentials() -> None:
    """Browsers refuse the two together, and we would have invented it."""
    assert headers_for(PAGE, {**ANY, CREDENTIALS: "true"}) == ((ALLOW, "*"),)


def test_an_echoed_page_comes_with_all_that_the_pool_said() -> None:
    told = {**ECHO, EXPOSE: "x-request-id"}
    expected = {**told, "vary": "origin"}
    assert dict(headers_for(PAGE, told)) == expected


@pytest.mark.parametrize(
    "value", ["", "a\nb", "ü", "x" * (VALUE_CHARS_MAX + 1)], ids=["empty", "two lines", "no ASCII", "long"]
)
def test_what_fits_no_header_is_not_repeated(value: str) -> None:
    assert ALLOW not in told_pages({ALLOW: value})


def test_only_what_is_said_to_pages_is_remembered() -> None:
    assert told_pages({ALLOW: "*", "set-cookie": "a=b", "server": "x"}) == ANY


def test_a_pools_word_is_forgotten_after_its_time() -> None:
    clock = ManualClock()
    pages = PagesHeard(clock)
    pages.note("small", ANY)
    clock.advance(REMEMBERED_S)
    assert pages.headers_for(PAGE, "small", {})
    clock.advance(1.0)
    assert not pages.headers_for(PAGE, "small", {})


def test_pages_that_are_remembered_are_bounded() -> None:
    pages = PagesHeard(ManualClock(), pages_max=2)
    for origin in ("a://1", "a://2", "a://3"):
        pages.note("small", {ALLOW: origin})
    assert [bool(pages.headers_for(origin, "small", {})) for origin in ("a://1", "a://2", "a://3")] == [
        False,
        True,
        True,
    ]
