"""One run of `bench cache-sizes`: opens each backend, empty, and lets it grow.

It reads and changes nothing that was there before, and leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from router_extproc.bench.sizes import SizeFigures, Subject, measure_sizes
from router_extproc.bench.synthetic import MadeVectors, Rows, made_topics
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.write_queue import BATCH_ENTRIES_MAX
from router_extproc.clock import SystemClock
from router_extproc.errors import CacheError
from router_extproc.models.onnx.open import open_encoder

SizedBackend: TypeAlias = Literal["lite", "server", "memory"]

#: Length of the vectors.
DIM: Final = 384
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
#: Milvus Lite is made for no more.
LITE_ENTRIES_MAX: Final = 100_000
#: The memory backend is not to evict while it is measured.
_BYTES_MAX: Final = 2**50

#: Told a backend's name and its largest size; gives what hears of new entries.
OpenGrowth: TypeAlias = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True, slots=True)
class SizesPlan:
    """What is measured."""

    largest: int
    lookups: int
    lite: bool = True
    #: A Milvus server.
    server: str | None = None
    #: For a first connection, in seconds.
    connect_s: float = 30.0


async def run_sizes(
    plan: SizesPlan, base: Rows, open_growth: OpenGrowth
) -> tuple[list[SizeFigures], list[CacheError]]:
    """The figures of every backend and size; `base`: float32[questions, DIM] of real or made-up questions.

    What was measured before a backend stopped answering is kept, and the others are measured; the errors
    say why.
    """
    vectors, figures, problems = MadeVectors(base), list[SizeFigures](), list[CacheError]()
    # Memory last: what it gives back would hide what others take.
    for name in backends(plan):
        sizes = sizes_of(name, plan.largest)
        grown = open_growth(name, sizes[-1])
        try:
            async with _open(name, plan, sizes[-1]) as subject:
                measured = measure_sizes(subject, vectors, sizes, lookups=plan.lookups, on_stored=grown)
                async for each in measured:
                    figures.append(each)
        except CacheError as error:
            problems.append(error)
    return figures, problems


def backends(plan: SizesPlan) -> Sequence[SizedBackend]:
    """The backends in their order."""
    wanted: dict[SizedBackend, bool] = {"lite": plan.lite, "server": plan.server is not None, "memory": True}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def sizes_of(name: SizedBackend, largest: int) -> Sequence[int]:
    """The sizes of a backend, rising, up to the largest that is asked for, or that it is made for."""
    bound = min(largest, LITE_ENTRIES_MAX) if name == "lite" else largest
    return (*(size for size in SIZES if size < bound), bound)


def read_base(texts: Sequence[str], on_text: Callable[[], None]) -> Rows:
    """Vectors of real questions; without any, of made-up ones.

    Raises:
        ConfigError: the encoder has not been built.
    """
    if not texts:
        return made_topics(DIM)
    encoder, rows = open_encoder(), list[Rows]()
    for one in dict.fromkeys(texts):
        rows.append(encoder.encode(one).vector)
        on_text()
    return np.array(rows, dtype=np.float32)


@asynccontextmanager
async def _open(name: SizedBackend, plan: SizesPlan, largest: int) -> AsyncIterator[Subject]:
    clock = SystemClock()
    if name == "memory":
        tier = NearTier(clock, max_entries=largest, max_bytes=_BYTES_MAX)
        yield Subject("memory", MemoryCache(tier), 1, in_process=True, is_settled=lambda: not tier.is_growing)
        return
    # pymilvus takes a second to import: only who measures it waits for it.
    from router_extproc.cache.milvus.scratch import scratch_cache  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="rx-") as folder:
        uri = plan.server if name == "server" and plan.server else str(Path(folder) / "cache.db")
        async with scratch_cache(uri, dim=DIM, clock=clock, connect_s=plan.connect_s) as backend:
            yield Subject(f"milvus {name}", backend, BATCH_ENTRIES_MAX, in_process=False)
