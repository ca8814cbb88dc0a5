"""The cache's pages of the admin port: each reads its question, asks the operations, and writes JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

import orjson
from aiohttp import web

from router_extproc.admin.cache.members import Unreadable
from router_extproc.admin.cache.operations import CacheOperations
from router_extproc.admin.cache.requests import Listing, read_limit, read_listing, read_selector, write_place
from router_extproc.admin.client_headers import client_headers
from router_extproc.admin.replies import json_reply
from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.export_format import summary, to_record, whole
from router_extproc.errors import CacheError
from router_extproc.llm.answer import JsonValue

#: For an answer, in seconds; a list looks at every entry.
ANSWER_S: Final = 30.0
#: For a reader of an export to take one piece, in seconds.
TAKE_S: Final = 30.0
#: Whoever answers it has no limit of time as a whole.
EXPORT: Final = "/cache/export"
#: Entries that a prefix may name when one is to be shown.
_ONE: Final = 1

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Work = Callable[[CacheOperations, web.Request], Awaitable[web.StreamResponse]]


class CacheRoutes:
    """Answers under /cache."""

    def __init__(self, operations: CacheOperations | None, *, with_token: bool) -> None:
        """`operations`: None while the cache is off. `with_token`: the port asks for one."""
        self._operations: Final = operations
        self._with_token: Final = with_token

    def add_to(self, application: web.Application) -> None:
        """Add every route."""
        add = application.router.add_route
        add("GET", "/cache", self._guarded(_states))
        add("GET", "/cache/entries", self._guarded(_list))
        add("GET", "/cache/entries/{entry}", self._guarded(_show))
        add("GET", "/cache/report", self._guarded(_report))
        add("GET", "/cache/evidence", self._guarded(_evidence))
        add("GET", EXPORT, self._guarded(_export))
        for path, work in _CHANGES.items():
            add("POST", f"/cache/{path}", self._guarded(work))
        add("POST", "/cache/scope", self._guarded(self._scope))

    def _guarded(self, work: Work) -> Answer:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self._operations is None:
                return json_reply({"error": "the cache is off"}, status=404)
            try:
                return await work(self._operations, request)
            except Unreadable as error:
                return json_reply({"error": str(error)}, status=400)
            except CacheError as error:
                return json_reply({"error": error.reason or "the backend does not answer"}, status=503)

        return answer

    async def _scope(self, operations: CacheOperations, request: web.Request) -> web.StreamResponse:
        """The scope of a client that sends the headers of this request."""
        headers = client_headers(request.headers.items(), with_token=self._with_token)
        return json_reply({"scope": operations.scope(headers, request.query.get("decision"))})


async def _states(operations: CacheOperations, _request: web.Request) -> web.StreamResponse:
    return json_reply({"workers": await operations.states()})


async def _list(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    page = await operations.page(read_listing(request.query, now_s=operations.now_s()))
    entries: list[JsonValue] = [summary(entry) for entry in page.entries]
    return json_reply({"entries": entries, "total": page.total, "after": write_place(page.last)})


async def _report(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    return json_reply(await operations.report(limit=read_limit(request.query)))


async def _show(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    selector = read_selector({"entry": request.match_info["entry"]}, now_s=operations.now_s())
    page = await operations.page(Listing(selector, _ONE, None))
    if not page.entries:
        return json_reply({"error": "no such entry"}, status=404)
    if page.total > _ONE:
        return json_reply({"error": f"{page.total} entries begin so: give more digits"}, status=409)
    return json_reply(whole(page.entries[0]))


async def _purge(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    report = await operations.purge(await request.read())
    return json_reply(asdict(report), status=503 if report.problems else 200)


async def _evidence(operations: CacheOperations, _request: web.Request) -> web.StreamResponse:
    return json_reply(await operations.evidence())


async def _feedback(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    report = await operations.take_feedback(await request.read())
    return json_reply(asdict(report), status=503 if report.problems else 200)


async def _import(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    renew = request.query.get("renew", "false")
    if renew not in {"true", "false"}:
        raise Unreadable("renew: must be true or false")
    return json_reply(asdict(await operations.take_back(await request.read(), renew=renew == "true")))


async def _warm(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    return json_reply(asdict(await operations.warm(await request.read())))


#: What changes something.
_CHANGES: Final[Mapping[str, Work]] = MappingProxyType(
    {"purge": _purge, "feedback": _feedback, "import": _import, "warm": _warm}
)


# ── export ────────────────────────────────────────────────────────────────────────────────────


async def _export(operations: CacheOperations, request: web.Request) -> web.StreamResponse:
    selector = read_selector(dict(request.query), now_s=operations.now_s())
    response = web.StreamResponse(headers={"content-type": "application/x-ndjson"})
    await response.prepare(request)
    try:
        await _write_entries(operations, selector, response)
    except (CacheError, TimeoutError):
        # Cut off without an end: half an export must not look like a whole one.
        raise ConnectionResetError from None
    return response


async def _write_entries(
    operations: CacheOperations, selector: Selector, response: web.StreamResponse
) -> None:
    async for entry in operations.entries(selector):
        async with asyncio.timeout(TAKE_S):
            await response.write(_line(entry))


def _line(entry: Entry) -> bytes:
    return orjson.dumps(to_record(entry), option=orjson.OPT_APPEND_NEWLINE)
