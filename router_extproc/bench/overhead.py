"""What the sidecar adds to plain Envoy: the cases of the benchmark, and what comes out of one run.

Every figure compares two Envoys on one machine in one run; the machine's noise is in both.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, repeat
from pathlib import Path
from typing import Final

from router_extproc.bench.load import TENANT, Call, Samples, at_once, client, in_pairs
from router_extproc.bench.prompts import Prompts, anew, question
from router_extproc.bench.stack import Stack, running, stages_out_of_time
from router_extproc.models.onnx.building.ensure import ensure_models
from router_extproc.models.onnx.home import home, models_folder
from router_extproc.process.envoy import envoy_binary

WARM_UP: Final = 20
TOKENS: Final = (10, 32, 128, 512)
#: Misses among so many stored questions, each with a candidate or none, as it comes.
CROWD: Final = 1000
CROWDED_TOKENS: Final = (32, 128)
QUANTILES: Final = (0.5, 0.95, 0.99)
#: How often, and how far apart, a question is asked until its answer is stored.
STORE_TRIES: Final = 50
STORE_PAUSE_S: Final = 0.05
#: Requests in flight while throughput is measured.
CLIENTS: Final = 32


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """How long to measure."""

    #: Pairs of requests a case.
    pairs: int = 300
    #: Each throughput figure, in seconds; 0: none is taken.
    throughput_s: float = 10.0
    workers: tuple[int, ...] = (1, 2)


@dataclass(frozen=True, slots=True)
class Latency:
    """One case: milliseconds at p50, p95 and p99."""

    case: str
    tokens: int | None
    plain_ms: tuple[float, ...]
    routed_ms: tuple[float, ...]
    #: Quantile of routed minus the same quantile of plain.
    added_ms: tuple[float, ...]
    samples: int
    #: Answers of another kind than the case is about; they are in the figures above.
    strays: int
    #: Stages that ran out of their time: the request went on without what they would have said.
    late: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """One case: requests a second."""

    case: str
    workers: int
    per_s: float
    p50_ms: float
    p99_ms: float
    strays: int
    late: int


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One run."""

    latencies: tuple[Latency, ...]
    throughputs: tuple[Throughput, ...]
    #: Resident memory of the sidecar after the latency cases.
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request."""

    name: str
    tokens: int | None
    #: The x-router-cache that its answers carry.
    mark: str
    calls: Iterator[Call]


async def measure(settings: BenchSettings, *, say: Callable[[str], None]) -> BenchResult:
    """Run every case; `say` hears which.

    Raises:
        ConfigError: there is no Envoy, or a model is missing and cannot be built.
    """
    envoy_binary()  # said before anything is built, when there is none
    await asyncio.to_thread(ensure_models, models_folder(home()), on_step=say)
    with tempfile.TemporaryDirectory(prefix="rx-") as folder:
        async with running(Path(folder), workers=1) as stack:
            latencies = [await _latency(stack, case, settings, say) async for case in _cases(stack)]
            rss_mb = _rss_mb(stack.sidecar.pid)
    throughputs: list[Throughput] = []
    if settings.throughput_s:
        for workers in settings.workers:
            throughputs += await _throughputs(workers, settings, say)
    return BenchResult(tuple(latencies), tuple(throughputs), rss_mb)


async def _cases(stack: Stack) -> AsyncIterator[Case]:
    """Every case, its cache entries stored just before."""
    yield Case("pass-through", None, "none", repeat(Call("/v1/models", None)))
    for tokens in TOKENS:
        questions = question(tokens)
        await _store(stack, questions.asked)
        yield Case("exact hit", tokens, "hit-exact", repeat(Call.chat(questions.asked)))
        if tokens < TOKENS[-1]:  # the longest is over the encoder's window: matched exactly only
            yield Case("semantic hit", tokens, "hit-semantic", map(Call.chat, anew(questions.rephrased)))
            yield Case("refused neighbour", tokens, "miss", repeat(Call.chat(questions.opposite, keep=False)))
            yield Case("refused by the net", tokens, "miss", repeat(Call.chat(questions.another, keep=False)))
    for tokens in TOKENS:
        yield Case("routed miss", tokens, "miss", _fresh(tokens))
    for tokens in CROWDED_TOKENS:
        prompts, tenant = Prompts(seed=tokens), f"{TENANT}-crowded-{tokens}"
        await _store_all(stack, [prompts.question(tokens) for _ in range(CROWD)], tenant)
        calls = (Call.chat(prompts.question(tokens), tenant=tenant, keep=False) for _ in count())
        yield Case(f"miss beside {CROWD:,} entries", tokens, "miss", calls)


def _fresh(tokens: int) -> Iterator[Call]:
    """New prompts, each of another tenant: made of few words, they are too much alike for one cache."""
    prompts = Prompts(seed=tokens)
    for tenant in count():
        yield Call.chat(prompts.fresh(tokens), tenant=f"{TENANT}-{tenant}")


async def _store(stack: Stack, prompt: str) -> None:
    """Ask until the answer comes from the cache: it is stored behind the first one's back."""
    samples = Samples()
    async with client(1) as one:
        for _ in range(STORE_TRIES):
            await one.send(stack.routed, Call.chat(prompt), samples)
            if samples.marks["hit-exact"]:
                return
            await asyncio.sleep(STORE_PAUSE_S)


async def _store_all(stack: Stack, prompts: Sequence[str], tenant: str) -> None:
    """Ask each once, so that its answer is stored."""
    async with client(1) as one:
        for prompt in prompts:
            await one.send(stack.routed, Call.chat(prompt, tenant=tenant), Samples())
    await asyncio.sleep(STORE_PAUSE_S)


async def _latency(stack: Stack, case: Case, settings: BenchSettings, say: Callable[[str], None]) -> Latency:
    say(case.name if case.tokens is None else f"{case.name}, {case.tokens} tokens")
    before = await stages_out_of_time(stack)
    plain, routed = await in_pairs(
        stack.plain, stack.routed, case.calls, count=settings.pairs, warm_up=WARM_UP
    )
    late = await stages_out_of_time(stack) - before
    of_plain, of_routed = (tuple(1e3 * each.quantile(q) for q in QUANTILES) for each in (plain, routed))
    added = tuple(mine - theirs for mine, theirs in zip(of_routed, of_plain, strict=True))
    strays = routed.marks.total() - routed.marks[case.mark]
    return Latency(case.name, case.tokens, of_plain, of_routed, added, len(routed.seconds), strays, late)


async def _throughputs(workers: int, settings: BenchSettings, say: Callable[[str], None]) -> list[Throughput]:
    with tempfile.TemporaryDirectory(prefix="rx-") as folder:
        async with running(Path(folder), workers=workers) as stack:
            first = question(32).asked
            # Each worker has a near tier of its own here: ask until all of them know the answer.
            for _ in range(8 * workers):
                await _store(stack, first)
            cases = (
                (stack.plain, Case("plain Envoy", None, "none", _fresh(32))),
                (stack.routed, Case("exact hit", 32, "hit-exact", repeat(Call.chat(first)))),
                (stack.routed, Case("routed miss", 32, "miss", _fresh(32))),
            )
            figures = []
            for base, case in cases:
                say(f"throughput: {case.name}, {workers} worker{'s' if workers > 1 else ''}")
                before = await stages_out_of_time(stack)
                made = await _throughput(base, case, workers, settings.throughput_s)
                figures.append(replace(made, late=await stages_out_of_time(stack) - before))
            return figures


async def _throughput(base: str, case: Case, workers: int, seconds: float) -> Throughput:
    samples, took_s = await at_once(base, case.calls, clients=CLIENTS, seconds=seconds)
    strays = samples.marks.total() - samples.marks[case.mark]
    p50_ms, _, p99_ms = (1e3 * samples.quantile(q) for q in QUANTILES)
    return Throughput(case.name, workers, len(samples.seconds) / took_s, p50_ms, p99_ms, strays, late=0)


def _rss_mb(pid: int) -> float:
    """Resident memory of a process in MB; Linux only, 0 elsewhere."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    lines = status.read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
