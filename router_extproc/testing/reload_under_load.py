"""Reloads a served router many times while clients ask through a real Envoy, and says what they noticed.

`python -m router_extproc.testing.reload_under_load RELOADS FOLDER [--models]` prints a report: with --models
an encoder, a trained signal and the cache are open, too, and each reload opens a signal by examples anew.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import aiohttp

from router_extproc.config.read import read_config
from router_extproc.testing.pools import PoolAnswer, RecordingPool, running_pool
from router_extproc.testing.processes import start_process
from router_extproc.testing.stack import envoy_of, free_address

WORKERS: Final = 2
#: In the test suite.
RELOADS_OF_TEST: Final = 30
CLIENTS: Final = 8
READY_S: Final = 120.0
ASK_S: Final = 60.0
#: One stream lasts for a second, and so sees many reloads.
PIECES: Final = 20
PAUSE_S: Final = 0.05
_DONE: Final = b"data: [DONE]\n\n"
#: Between two reloads: requests shall begin under many of them.
RELOAD_PAUSE_S: Final = 0.02
#: After so many reloads the first memory is taken: what grows once, has grown.
SETTLED: Final = 10

CONFIG: Final = """
version: 1
workers: {workers}
listen: unix:{folder}/{{worker}}.sock
admin: {admin}
virtual_models: [auto]
default_model: small
models: {{small: {{cluster: small}}, large: {{cluster: large}}}}
limits: {{message_timeout_s: 10, signals_timeout_s: 4, cache_timeout_s: 4, drain_s: 2}}
envoy: {{listen: {listen}, clusters: {{small: {{endpoints: [{small}]}}, large: {{endpoints: [{large}]}}}}}}
"""
#: Two policies; in each, every request says which one decided it.
POLICIES: Final = (
    """
signals: {{hurry: {{type: keywords, any: [asap]}}{more}}}
decisions: [{{name: even, model: large, when: {{any: [{{not: {{hurry: true}}}}{tests}]}}}}]
""",
    """
signals: {{hurry: {{type: keywords, any: [soon]}}{more}}}
decisions: [{{name: odd, model: small, when: {{any: [{{not: {{hurry: true}}}}{tests}]}}}}]
""",
)
#: With models: a head that stays open, and examples that are encoded anew.
MODELS: Final = """, domain: {{type: intent, model: mmlu14}}, topic: {{type: intent, examples: {{
  kitchen: [how do I cook rice, what is recipe {turn} of the book]}}}}"""
CACHE: Final = """
semantic_cache: {{enabled: true, scope: shared}}
"""


@dataclass(slots=True)
class Noticed:
    """What clients and the operator saw."""

    #: By decision and kind of answer.
    answers: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    cut_streams: int = 0
    reloads: int = 0
    refused: int = 0
    seconds: float = 0.0
    reload_ms: list[float] = field(default_factory=list)
    #: Of all workers together, over time.
    rss_mib: list[float] = field(default_factory=list)
    versions: list[float] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:  # Any: JSON
        """A summary."""
        times = sorted(self.reload_ms)
        middle, high = times[len(times) // 2], times[int(0.99 * (len(times) - 1))]
        whole = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**whole, "reload_ms": {"p50": round(middle, 1), "p99": round(high, 1)}}


class Served:
    """A running `serve` of two workers, whose file is in our hands."""

    def __init__(self, folder: Path, pools: tuple[RecordingPool, RecordingPool], *, models: bool) -> None:
        self.file, self.admin, self._models = folder / "router.yaml", free_address(), models
        small, large = pools
        self._base = CONFIG.format(
            workers=WORKERS,
            folder=folder,
            admin=self.admin,
            listen=free_address(),
            small=small.address,
            large=large.address,
        ) + (CACHE.format() if models else "")
        self.write(0)
        with (folder / "serve.log").open("wb") as log:
            command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(self.file)]
            self.process = start_process(command, stderr=log)

    def write(self, turn: int) -> None:
        """Save the policy of this turn."""
        more = MODELS.format(turn=turn) if self._models else ""
        # Renamed, as careful editors do: half a file is nobody's policy.
        written = self.file.with_suffix(".new")
        tests = ", {domain: math}, {topic: kitchen}" if self._models else ""
        written.write_text(self._base + POLICIES[turn % 2].format(more=more, tests=tests))
        written.replace(self.file)

    def rss_mib(self) -> float:
        """Resident memory of all workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return round(sum(map(_rss_mib, children.split())), 1)


def _rss_mib(pid: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def serving(folder: Path, pools: tuple[RecordingPool, RecordingPool], *, models: bool) -> Iterator[Served]:
    """The sidecar inside the block."""
    served = Served(folder, pools, models=models)
    try:
        yield served
    finally:
        served.process.terminate()
        served.process.wait(READY_S)


@asynccontextmanager
async def running(folder: Path, *, models: bool) -> AsyncIterator[tuple[Served, str]]:
    """The sidecar, and the URL of an Envoy that uses it."""
    async with running_pool("small") as small, running_pool("large") as large:
        with ExitStack() as stack:
            served = stack.enter_context(serving(folder, (small, large), models=models))
            await _until_ready(served)
            envoy = envoy_of(read_config(served.file), folder)
            started = await asyncio.to_thread(stack.enter_context, envoy)
            answer = PoolAnswer(_pieces(), "text/event-stream", pause_s=PAUSE_S)
            small.answer = large.answer = answer
            yield served, started.url


def _pieces() -> tuple[bytes, ...]:
    delta = {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    event = b"data: %b\n\n"
    words = (event % json.dumps({"object": "chat.completion.chunk", **delta}).encode(),) * PIECES
    return (*words, event % json.dumps({"object": "chat.completion.chunk", **last}).encode(), _DONE)


async def _until_ready(served: Served) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(READY_S):
        while not await _is_ready(session, served):  # noqa: ASYNC110 - another process tells us nothing
            await asyncio.sleep(0.1)


async def _is_ready(session: aiohttp.ClientSession, served: Served) -> bool:
    try:
        async with session.get(f"http://{served.admin}/readyz") as answer:
            ready = (await answer.json()).get("workers_ready", {})
            return len(ready) == WORKERS and all(ready.values())
    except aiohttp.ClientError:
        return False


# ── load ──────────────────────────────────────────────────────────────────────────────────────


async def reload_under_load(folder: Path, reloads: int, *, models: bool = False) -> Noticed:
    """What clients noticed of so many reloads."""
    noticed, over = Noticed(), asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=ASK_S)
    async with (
        running(folder, models=models) as (served, url),
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        await _until_routed(session, url)
        async with asyncio.TaskGroup() as tasks:
            for client in range(CLIENTS):
                tasks.create_task(_ask_on(session, url, client, noticed, over))
            began_s = time.monotonic()
            await _reload_on(session, served, reloads, noticed)
            noticed.seconds = round(time.monotonic() - began_s, 1)
            over.set()
        noticed.versions = await _versions(session, served)
    return noticed


async def _until_routed(session: aiohttp.ClientSession, url: str) -> None:
    """Until Envoy has found the sidecar: before, requests pass unread."""
    async with asyncio.timeout(READY_S):
        while True:
            async with _post(session, url, 0, 0) as answer:
                await answer.read()
                if answer.headers.get("x-router-decision"):
                    return


def _post(session: aiohttp.ClientSession, url: str, client: int, turn: int) -> Any:  # aiohttp's own
    body = {
        "model": "auto",
        "stream": True,
        "messages": [{"role": "user", "content": f"What is item {client}-{turn} of {client * 7919 + turn}?"}],
    }
    headers = {"authorization": f"Bearer client-{client}"}
    return session.post(f"{url}/v1/chat/completions", json=body, headers=headers)


async def _ask_on(
    session: aiohttp.ClientSession, url: str, client: int, noticed: Noticed, over: asyncio.Event
) -> None:
    turn = 0
    while not over.is_set():
        turn += 1
        try:
            await _ask(session, url, client, turn, noticed)
        except (aiohttp.ClientError, TimeoutError) as error:
            noticed.cut_streams += 1
            noticed.errors[type(error).__name__] += 1


async def _ask(session: aiohttp.ClientSession, url: str, client: int, turn: int, noticed: Noticed) -> None:
    async with _post(session, url, client, turn) as answer:
        raw = await answer.read()
        decision, model = answer.headers.get("x-router-decision"), answer.headers.get("x-router-model")
        if answer.status != 200:  # noqa: PLR2004 - OK
            noticed.errors[f"status {answer.status}"] += 1
        elif (decision, model) not in {("even", "large"), ("odd", "small")}:
            noticed.errors[f"{decision} by {model}"] += 1
        elif not raw.endswith(_DONE) or raw.count(b"word ") != PIECES:
            noticed.cut_streams += 1
        else:
            noticed.answers[f"{decision}"] += 1


async def _reload_on(session: aiohttp.ClientSession, served: Served, reloads: int, noticed: Noticed) -> None:
    every = max(1, reloads // 20)
    for turn in range(1, reloads + 1):
        served.write(turn)
        began_s = time.monotonic()
        async with session.post(f"http://{served.admin}/policy/reload", json={}) as answer:
            told = await answer.json()
        noticed.reload_ms.append(1000 * (time.monotonic() - began_s))
        # The watch may have been first.
        noticed.refused += told["result"] == "refused"
        noticed.reloads += 1
        await asyncio.sleep(RELOAD_PAUSE_S)
        if turn % every == 0 or turn == SETTLED:
            noticed.rss_mib.append(served.rss_mib())


async def _versions(session: aiohttp.ClientSession, served: Served) -> list[float]:
    async with session.get(f"http://{served.admin}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return [float(line.split()[-1]) for line in lines if line.startswith("router_extproc_policy_version{")]


def main() -> None:
    """Print what was noticed."""
    count, folder, models = int(sys.argv[1]), Path(sys.argv[2]), "--models" in sys.argv
    print(json.dumps(asyncio.run(reload_under_load(folder, count, models=models)).shown(), indent=1))  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
