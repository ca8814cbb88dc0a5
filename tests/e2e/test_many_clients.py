"""Two hundred clients at once: nobody gets an error, nobody gets another's answer, Envoy is content."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import aiohttp

from router_extproc.bench.stack import running
from router_extproc.config.limits import Limits

CLIENTS = 200
SECONDS = 30.0
#: On a machine that does much else: until the cache has answered at all.
SECONDS_MAX = 300.0
REQUEST_MAX_S = 120.0
#: A quick model's; without it two hundred clients would only measure the machine.
POOL_LATENCY_S = 0.3
#: A sidecar that gets no processor in time is passed by, and nothing would be seen of its own answers.
PATIENT = Limits(message_timeout_s=10.0, signals_timeout_s=4.0, cache_timeout_s=4.0)
#: Of ext_proc, each of them a broken contract.
MUST_BE_ZERO = re.compile(
    r"ext_proc\..*(spurious_msgs_received|rejected_header_mutations|server_half_closed_error)"
)


def body_of(question: str, *, stream: bool) -> bytes:
    messages = [{"role": "user", "content": question}]
    return json.dumps({"model": "auto", "messages": messages, "stream": stream}).encode()


def text_of(raw: bytes, *, stream: bool) -> str:
    if not stream:
        return str(json.loads(raw)["choices"][0]["message"]["content"])
    events = [line[6:] for line in raw.decode().splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for event in events for choice in json.loads(event)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def test_two_hundred_clients_get_their_own_answers(tmp_path: Path) -> None:
    """Half of the questions repeat, so hits, misses and stores run side by side, streamed and not."""
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    words = random.Random(3).sample(range(10**6), 50)
    fresh = itertools.count()

    async def ask(session: aiohttp.ClientSession, base: str, client: int, turn: int) -> None:
        name = f"r{words[(client + turn) % len(words)]}" if turn % 2 else f"f{next(fresh)}"
        question, stream = f"Please describe item {name} for me", client % 3 == 0
        url, headers = f"{base}/v1/chat/completions", {"authorization": f"Bearer tenant-{client % 4}"}
        async with session.post(url, data=body_of(question, stream=stream), headers=headers) as answer:
            raw = await answer.read()
            seen[f"{answer.status} {answer.headers.get('x-router-cache')}"] += 1
            if answer.status != 200 or question not in text_of(raw, stream=stream):
                wrong.append(f"{answer.status}: asked {name}")

    async def live(session: aiohttp.ClientSession, base: str, client: int, until_s: float) -> None:
        for turn in itertools.count():
            enough_s = until_s if seen["200 hit-exact"] else until_s + SECONDS_MAX - SECONDS
            if time.monotonic() >= enough_s:
                return
            await ask(session, base, client, turn)

    async with running(tmp_path, workers=1, pool_latency_s=POOL_LATENCY_S, limits=PATIENT) as stack:
        limits = aiohttp.ClientTimeout(total=REQUEST_MAX_S)
        connector = aiohttp.TCPConnector(limit=CLIENTS)
        headers = {"content-type": "application/json"}
        async with aiohttp.ClientSession(connector=connector, timeout=limits, headers=headers) as session:
            until_s = time.monotonic() + SECONDS
            async with asyncio.TaskGroup() as tasks:
                for client in range(CLIENTS):
                    tasks.create_task(live(session, stack.routed, client, until_s))
            stats = await (await session.get(f"{stack.envoy_admin}/stats?filter=ext_proc")).text()
    assert wrong == [], dict(seen)
    assert seen["200 hit-exact"] > 0
    assert seen["200 miss"] > 0
    broken = [line for line in stats.splitlines() if MUST_BE_ZERO.search(line) and not line.endswith(": 0")]
    assert broken == []
    assert "spurious_msgs_received: 0" in stats
