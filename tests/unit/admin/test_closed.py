"""Every way in that must be closed, tried on every route that the server has: a new route is tried, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs  # noqa: TID251 - reads what is logged

from router_extproc.admin.access import Access
from router_extproc.admin.server import AdminServer
from router_extproc.testing.admin import MAX_BODY_BYTES, TOKEN, NoOperations, cache_operations
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.client import stored_answer
from router_extproc.testing.router import FakeRouter, fake_router

GUESS = "wrong-horse-battery-staple"
SECRET = "Which secret?"
HOST = "127.0.0.1:9190"
READ_S = 5.0
#: Where nothing is asked of anybody but our name: nothing here knows what a client wrote.
OPEN = {(method, path) for method in ("GET", "HEAD") for path in ("/", "/metrics", "/healthz", "/readyz")}
#: Counts, which are told without a token where none is set.
NUMBERS = {("GET", "/cache"), ("GET", "/cache/evidence"), ("GET", "/savings"), ("GET", "/shadow")}

Headers = tuple[tuple[str, str], ...]
Route = tuple[str, str]


def every_route() -> list[Route]:
    application = AdminServer(NoOperations(), HOST, max_body_bytes=1).application()
    routes = {
        (route.method, route.resource.canonical) for route in application.router.routes() if route.resource
    }
    return sorted({*routes, ("GET", "/no/such/path"), ("PUT", "/cache/purge"), ("POST", "/metrics")})


ROUTES = every_route()


@dataclass(frozen=True, slots=True)
class Hole:
    """A way in: where it is tried, what is sent, and what is answered."""

    access: Access
    headers: Headers
    status: int
    reason: str
    #: Routes that are open in spite of it.
    spares: frozenset[Route] = frozenset(OPEN)
    version: str = "1.1"
    target: str = ""


def sent(*more: tuple[str, str], host: str = HOST, token: str | None = TOKEN) -> Headers:
    bearer = () if token is None else (("authorization", f"Bearer {token}"),)
    return (("host", host), ("content-type", "application/json"), *bearer, *more)


LOCAL, LOCKED = Access.of("127.0.0.1:0"), Access.of("127.0.0.1:0", token=TOKEN)
OUTSIDE, OUTSIDE_LOCKED = Access.of("0.0.0.0:0"), Access.of("0.0.0.0:0", ("router.example",), TOKEN)
NOWHERE: frozenset[Route] = frozenset()
COUNTS = frozenset(OPEN | NUMBERS)
EVIL = "evil.example:9190"

FORWARDED = (("x-forwarded-host", HOST), ("forwarded", f"host={HOST}"))
SOCKET = (("upgrade", "websocket"), ("connection", "upgrade"), ("origin", "http://evil.example"))

HOLES = {
    "no token set, not on loopback": Hole(OUTSIDE, sent(token=None), 403, "token_unset", COUNTS),
    "no token set, any token sent": Hole(OUTSIDE, sent(), 403, "token_unset", COUNTS),
    "no token sent": Hole(LOCKED, sent(token=None), 401, "token_missing"),
    "no token sent, not on loopback": Hole(OUTSIDE_LOCKED, sent(token=None), 401, "token_missing"),
    "wrong token": Hole(LOCKED, sent(token=GUESS), 401, "token_wrong"),
    "token in the address": Hole(LOCKED, sent(token=None), 401, "token_missing", target=f"?token={TOKEN}"),
    "rebound name": Hole(LOCAL, sent(host=EVIL), 403, "host", NOWHERE),
    "rebound name with the token": Hole(OUTSIDE_LOCKED, sent(host=EVIL), 403, "host", NOWHERE),
    "rebound name, not on loopback": Hole(OUTSIDE, sent(host=EVIL), 403, "host", NOWHERE),
    "forwarded name": Hole(LOCAL, sent(*FORWARDED, host=EVIL), 403, "host", NOWHERE),
    "name in the target": Hole(LOCAL, sent(), 403, "host", NOWHERE, target=f"http://{EVIL}"),
    "no name": Hole(LOCAL, sent()[1:], 403, "host", NOWHERE, version="1.0"),
    "another site's page": Hole(LOCAL, sent(("sec-fetch-site", "cross-site")), 403, "site"),
    "another port's page": Hole(LOCAL, sent(("sec-fetch-site", "same-site")), 403, "site"),
    "another site's script": Hole(LOCKED, sent(("origin", "https://evil.example")), 403, "site"),
    "a sandboxed frame": Hole(LOCKED, sent(("origin", "null")), 403, "site"),
    "a WebSocket": Hole(LOCAL, sent(*SOCKET), 403, "site"),
}  # fmt: skip


class Counting(NoOperations):
    """Keeps the reasons of refusals."""

    def __init__(self) -> None:
        self.refusals: list[str] = []

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)


@dataclass(slots=True)
class Port:
    """The admin port of a router that has answered one question."""

    router: FakeRouter
    operations: Counting
    port: int
    fingerprint: str

    async def send(self, route: Route, hole: Hole) -> tuple[int, bytes]:
        method, path = route
        path = path.replace("{entry}", self.fingerprint)
        target = hole.target + path if "://" in hole.target else path + hole.target
        lines = [
            f"{method} {target} HTTP/{hole.version}",
            *(f"{name}: {value}" for name, value in hole.headers),
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            "\r\n".join([*lines, "connection: close", "content-length: 13", "", '{"all": true}']).encode()
        )
        async with asyncio.timeout(READ_S):
            answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1]), answer

    async def is_untouched(self) -> bool:
        return (await self.router.cache.state()).near_entries == 1 and not self.router.evidence.findings()


@asynccontextmanager
async def running(access: Access) -> AsyncIterator[Port]:
    router, operations = fake_router(), Counting()
    answer = stored_answer(SECRET)
    entry = replace(made_entry("a", now_s=router.clock.wall_s()), prompt=SECRET, answer=answer)
    router.cache.store(entry)
    server = AdminServer(
        operations,
        "127.0.0.1:0",
        max_body_bytes=MAX_BODY_BYTES,
        cache=cache_operations(router),
        access=access,
    )
    await server.start()
    with capture_logs():
        yield Port(router, operations, server.port, entry.fingerprint)
    await server.aclose()


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@pytest.mark.parametrize("name", HOLES)
async def test_hole_is_closed(name: str, route: Route) -> None:
    hole = HOLES[name]
    async with running(hole.access) as port:
        status, answer = await port.send(route, hole)
        if route in hole.spares:
            assert (status, port.operations.refusals) == (200, [])
        else:
            assert (status, port.operations.refusals) == (hole.status, [hole.reason])
        assert SECRET.encode() not in answer
        assert TOKEN.encode() not in answer
        assert await port.is_untouched()


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] == "POST"], ids=" ".join)
@pytest.mark.parametrize(
    "form", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_simple_post_of_an_old_browser_changes_nothing(route: Route, form: str) -> None:
    """It says nothing of the page that it comes from."""
    async with running(LOCAL) as port:
        status, _ = await port.send(route, Hole(LOCAL, (("host", HOST), ("content-type", form)), 415, "form"))
        assert (status, port.operations.refusals) == (415, ["form"])
        assert await port.is_untouched()


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@pytest.mark.parametrize("access", [LOCKED, OUTSIDE_LOCKED], ids=["loopback", "elsewhere"])
async def test_right_token_opens_every_route(route: Route, access: Access) -> None:
    """The holes above are closed by what they lack, not because nothing is ever open."""
    async with running(access) as port:
        status, _ = await port.send(route, Hole(access, sent(), 0, ""))
        assert port.operations.refusals == []
        assert status not in {401, 403, 415}


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
async def test_local_user_needs_no_token_where_none_is_set(route: Route) -> None:
    async with running(LOCAL) as port:
        await port.send(route, Hole(LOCAL, sent(token=None), 0, ""))
        assert port.operations.refusals == []


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
async def test_no_answer_may_be_framed_guessed_kept_or_named(route: Route) -> None:
    async with running(LOCKED) as port:
        for token in (TOKEN, GUESS):
            _, answer = await port.send(route, Hole(LOCKED, sent(token=token), 0, ""))
            head = answer.partition(b"\r\n\r\n")[0].decode().lower()
            assert "frame-ancestors 'none'" in head
            assert "x-frame-options: deny" in head
            assert "x-content-type-options: nosniff" in head
            assert "referrer-policy: no-referrer" in head
            assert "cache-control: no-" in head
            assert "access-control-allow-origin" not in head


async def test_two_names_are_refused() -> None:
    async with running(LOCAL) as port:
        status, _ = await port.send(("GET", "/cache"), Hole(LOCAL, (("host", HOST), *sent(host=EVIL)), 0, ""))
        assert status in {400, 403}


async def test_refusals_are_logged_once_in_a_while_and_without_what_was_sent() -> None:
    async with running(LOCKED) as port:
        with capture_logs() as lines:
            for _ in range(3):
                await port.send(("GET", "/cache"), HOLES["wrong token"])
    assert [line["reason"] for line in lines] == ["token_wrong"]
    assert GUESS not in str(lines)
