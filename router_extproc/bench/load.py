"""Sends requests and measures them: one after the other in pairs, or many at once.

It asserts nothing, but counts every answer that is not of the kind a case is about, so that no figure
can come from the wrong path.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import orjson

#: No request of a benchmark may take longer.
REQUEST_MAX_S: Final = 10.0
COMPLETIONS: Final = "/v1/chat/completions"
#: Whose question it is, unless a call says otherwise.
TENANT: Final = "bench"


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    path: str
    #: None: a GET.
    body: bytes | None
    tenant: str = TENANT
    #: False asks the cache not to store the answer.
    keep: bool = True

    @classmethod
    def chat(cls, prompt: str, *, tenant: str = TENANT, keep: bool = True) -> Call:
        """A chat completion that is to be routed."""
        message = {"role": "user", "content": prompt}
        return cls(COMPLETIONS, orjson.dumps({"model": "auto", "messages": [message]}), tenant, keep)

    def headers(self) -> dict[str, str]:
        """What is sent with it."""
        asked = {} if self.keep else {"cache-control": "no-store"}
        return {"authorization": f"Bearer {self.tenant}", **asked}


@dataclass(slots=True)
class Samples:
    """Durations of one kind of request, in seconds, and how the answers were marked."""

    seconds: list[float] = field(default_factory=list)
    #: x-router-cache, or the status of an answer that was no success.
    marks: Counter[str] = field(default_factory=Counter)

    def quantile(self, share: float) -> float:
        """The smallest duration that `share` of all do not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Client:
    """HTTP/1.1 with connections kept open."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, base: str, call: Call, samples: Samples) -> None:
        """Send, read the whole answer, take the time."""
        started_s = time.perf_counter()
        method = "GET" if call.body is None else "POST"
        url, headers = base + call.path, call.headers()
        async with self._session.request(method, url, data=call.body, headers=headers) as answer:
            await answer.read()
            samples.seconds.append(time.perf_counter() - started_s)
            mark = answer.headers.get("x-router-cache", "none")
            samples.marks[mark if answer.ok else str(answer.status)] += 1


@asynccontextmanager
async def client(connections: int) -> AsyncIterator[Client]:
    """A client that opens at most so many connections."""
    limits = aiohttp.ClientTimeout(total=REQUEST_MAX_S)
    connector = aiohttp.TCPConnector(limit=connections)
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=connector, timeout=limits, headers=headers) as session:
        yield Client(session)


async def in_pairs(
    plain: str, routed: str, calls: Iterator[Call], *, count: int, warm_up: int
) -> tuple[Samples, Samples]:
    """Each call once to each Envoy in turn, so that both see the same noise of the machine."""
    async with client(1) as one:
        for _ in range(warm_up):
            call = next(calls)
            await one.send(plain, call, Samples())
            await one.send(routed, call, Samples())
        to_plain, to_routed = Samples(), Samples()
        for _ in range(count):
            call = next(calls)
            await one.send(plain, call, to_plain)
            await one.send(routed, call, to_routed)
    return to_plain, to_routed


async def at_once(base: str, calls: Iterator[Call], *, clients: int, seconds: float) -> tuple[Samples, float]:
    """As many requests as `clients` can send in so many seconds; and the seconds it really took."""
    samples = Samples()
    until_s = time.perf_counter() + seconds

    async def send_until(one: Client, next_call: Callable[[], Call]) -> None:
        while time.perf_counter() < until_s:
            await one.send(base, next_call(), samples)

    started_s = time.perf_counter()
    async with client(clients) as one, asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(send_until(one, lambda: next(calls)))
    return samples, time.perf_counter() - started_s
