"""The contract of a cache backend: what every `CacheBackend` must do, as checks that a test calls.

One line in a test puts a new backend under all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import numpy as np

from router_extproc.cache.base import CacheBackend, Entry, Fingerprint, Neighbour, Partition, Scope, Selector
from router_extproc.cache.digest import digest, text
from router_extproc.models.base import Vector
from router_extproc.testing.clock import ManualClock

#: Length of the vectors that the checks use.
CHECK_DIM = 8
_TTL_S = 60.0
_SIMILARITY_TOLERANCE = 1e-3

Check = Callable[["Bench"], Awaitable[None]]


def unit_vector(*components: float) -> Vector:
    """A vector of length 1 in the direction of the components; the rest are zeros."""
    vector = np.zeros(CHECK_DIM, dtype=np.float32)
    vector[: len(components)] = components
    return vector / np.float32(np.linalg.norm(vector))


def made_entry(name: str, *, now_s: float, vector: Vector | None = None) -> Entry:
    """A small entry; different names have different fingerprints and one partition."""
    return Entry(
        fingerprint=Fingerprint(digest(b"check", [text(name)])),
        partition=Partition(digest(b"check-partition", [b"one"])),
        scope=Scope(digest(b"check-scope", [b"one"])),
        vector=vector,
        prompt="" if vector is None else f"Tell me about {name}",
        answer=f"answer of {name}".encode(),
        dialect="openai_chat",
        model="small",
        decision="default",
        created_s=now_s,
        expires_s=now_s + _TTL_S,
    )


class Bench:
    """One backend under check, and the patience that it needs."""

    def __init__(self, backend: CacheBackend, clock: ManualClock, *, settle_s: float) -> None:
        """`settle_s`: how long a write may take to be seen."""
        self.backend = backend
        self.clock = clock
        self._settle_s = settle_s

    def entry(self, name: str, *components: float) -> Entry:
        """An entry stored now; without components it has no vector."""
        vector = unit_vector(*components) if components else None
        return made_entry(name, now_s=self.clock.wall_s(), vector=vector)

    async def put(self, *entries: Entry) -> None:
        """Store, and wait until the last one is seen."""
        await self.backend.put(entries)
        await self.eventually(lambda: self._is_stored(entries[-1]), "a stored entry is found")

    async def near(self, entry: Entry, *components: float, limit: int = 10) -> Sequence[Neighbour]:
        """The neighbours of a direction in the entry's partition."""
        return await self.backend.search(entry.scope, entry.partition, unit_vector(*components), limit=limit)

    async def eventually(self, holds: Callable[[], Awaitable[bool]], claim: str) -> None:
        """Assert the claim, now or within the patience."""
        deadline_s = asyncio.get_running_loop().time() + self._settle_s
        while not await holds():
            _require(asyncio.get_running_loop().time() < deadline_s, claim)
            await asyncio.sleep(0.05)

    async def gone(self, entry: Entry, claim: str) -> None:
        """Assert that an entry is found neither way."""
        await self.eventually(lambda: self._is_gone(entry), claim)

    async def _is_stored(self, entry: Entry) -> bool:
        found = await self.backend.get(entry.fingerprint)
        return found is not None and found.answer == entry.answer

    async def _is_gone(self, entry: Entry) -> bool:
        if await self.backend.get(entry.fingerprint) is not None:
            return False
        if entry.vector is None:
            return True
        found = await self.backend.search(entry.scope, entry.partition, entry.vector, limit=10)
        return all(neighbour.entry.fingerprint != entry.fingerprint for neighbour in found)


async def check_cache_backend(backend: CacheBackend, clock: ManualClock, *, settle_s: float = 0.0) -> None:
    """Run every check on a backend that was made with this clock and takes CHECK_DIM vectors.

    settle_s: how long a write may take to be seen; 0 for backends in this process.

    Raises:
        AssertionError: the backend breaks the contract; the message says where.
    """
    for check in CHECKS:
        await backend.purge(Selector())
        await check(Bench(backend, clock, settle_s=settle_s))


async def entry_comes_back_whole(bench: Bench) -> None:
    """Every field of an entry survives, whatever the texts hold."""
    entry = replace(
        bench.entry("whole", 1.0, 2.0),
        prompt='Line one\nLine "two" \\ é 漢字 🎉\t\x01',
        answer=bytes(range(256)) * 700,
        tags=("team a", 'quote " tag', "é"),
    )
    await bench.put(entry)
    found = await bench.backend.get(entry.fingerprint)
    _require(
        found is not None and replace(found, vector=None) == replace(entry, vector=None), "fields survive"
    )
    _require(found is not None and _same_vector(found, entry), "the vector survives")


async def unknown_fingerprint_is_nothing(bench: Bench) -> None:
    """Looking up what was never stored gives None."""
    _require(await bench.backend.get(bench.entry("never").fingerprint) is None, "unknown is None")


async def put_replaces_by_fingerprint(bench: Bench) -> None:
    """A second store of one request leaves one entry: the later one."""
    entry = bench.entry("twice", 1.0)
    await bench.put(entry)
    await bench.put(replace(entry, answer=b"later"))

    async def only_the_later() -> bool:
        return [each.entry.answer for each in await bench.near(entry, 1.0)] == [b"later"]

    await bench.eventually(only_the_later, "one entry for each fingerprint, the later one")


async def nearest_come_first_with_their_cosine(bench: Bench) -> None:
    """Neighbours are sorted, limited, and their similarity is the cosine."""
    far, middle, near = bench.entry("far", -1.0), bench.entry("middle", 1.0, 1.0), bench.entry("near", 1.0)
    await bench.put(far, middle, near)

    async def in_order() -> bool:
        found = await bench.near(near, 1.0)
        wanted = [(near.answer, 1.0), (middle.answer, 0.7071), (far.answer, -1.0)]
        return len(found) == len(wanted) and all(
            each.entry.answer == answer and abs(each.similarity - cosine) < _SIMILARITY_TOLERANCE
            for each, (answer, cosine) in zip(found, wanted, strict=True)
        )

    await bench.eventually(in_order, "nearest first, similarity is the cosine")
    _require(len(await bench.near(near, 1.0, limit=1)) == 1, "no more than limit")


async def search_stays_in_its_partition(bench: Bench) -> None:
    """An entry of another partition is never a neighbour, however near."""
    mine = bench.entry("mine", 1.0)
    other = replace(bench.entry("other", 1.0), partition=Partition(digest(b"check-partition", [b"two"])))
    await bench.put(mine, other)

    async def only_mine() -> bool:
        return [each.entry.answer for each in await bench.near(mine, 1.0)] == [mine.answer]

    await bench.eventually(only_mine, "only the partition's own entries")


async def entry_without_vector_is_only_exact(bench: Bench) -> None:
    """What has no vector is found by fingerprint and never by similarity."""
    entry = bench.entry("exact only")
    await bench.put(entry)
    found = await bench.backend.get(entry.fingerprint)
    _require(found is not None and found.vector is None, "found by fingerprint, still without a vector")
    _require(not await bench.near(entry, 1.0), "never found by similarity")


async def expired_entries_are_never_returned(bench: Bench) -> None:
    """From the second of its expiry on, an entry is gone for both lookups."""
    entry = bench.entry("short lived", 1.0)
    await bench.put(entry)
    bench.clock.advance(_TTL_S)
    _require(await bench.backend.get(entry.fingerprint) is None, "expired: not by fingerprint")
    _require(not await bench.near(entry, 1.0), "expired: not by similarity")


async def purge_means_all_given_fields(bench: Bench) -> None:
    """A purge removes what matches every given field, and nothing else."""
    doomed = replace(bench.entry("doomed", 1.0), model="large", decision="maths", tags=("x", 'a"b'))
    other_tag = replace(bench.entry("other tag", 0.0, 1.0), model="large", decision="maths", tags=("y",))
    other_model = replace(bench.entry("other model", 0.0, 0.0, 1.0), decision="maths", tags=('a"b',))
    await bench.put(doomed, other_tag, other_model)
    await bench.backend.purge(
        Selector(
            scope=doomed.scope,
            model="large",
            decision="maths",
            tag='a"b',
            created_max_s=bench.clock.wall_s(),
        )
    )
    await bench.gone(doomed, "the purged entry is gone")
    for kept in (other_tag, other_model):
        _require(await bench.backend.get(kept.fingerprint) is not None, "the others stay")


async def purge_by_age_keeps_younger_entries(bench: Bench) -> None:
    """Entries that were created later than the bound stay."""
    old = bench.entry("old", 1.0)
    bench.clock.advance(1.0)
    young = bench.entry("young", 0.0, 1.0)
    await bench.put(old, young)
    await bench.backend.purge(Selector(created_max_s=old.created_s))
    await bench.gone(old, "the old entry is gone")
    _require(await bench.backend.get(young.fingerprint) is not None, "the young entry stays")


async def purge_by_fingerprint_takes_its_first_digits(bench: Bench) -> None:
    """An operator names an entry by the first digits of its fingerprint."""
    doomed = replace(bench.entry("doomed", 1.0), fingerprint=Fingerprint("ab" + "0" * 62))
    kept = replace(bench.entry("kept", 0.0, 1.0), fingerprint=Fingerprint("ac" + "f" * 62))
    await bench.put(doomed, kept)
    await bench.backend.purge(Selector(fingerprint="ab"))
    await bench.gone(doomed, "the named entry is gone")
    await bench.backend.purge(Selector(fingerprint="acff0"))
    _require(await bench.backend.get(kept.fingerprint) is not None, "others stay")


async def hostile_selector_purges_nothing_else(bench: Bench) -> None:
    """Quotes and operators in a selector are a name that nobody has, never an expression."""
    entry = bench.entry("safe", 1.0)
    await bench.put(entry)
    for hostile in (
        '" or created > 0 or model == "',
        "\\",
        '\\" or 1 == 1 or "',
        "x' or 'a' == 'a",
        "{p}",
        "%",
    ):
        _require(await bench.backend.purge(Selector(model=hostile)) == 0, "nothing is purged")
        _require(await bench.backend.purge(Selector(tag=hostile)) == 0, "nothing is purged")
        _require(await bench.backend.purge(Selector(fingerprint=hostile)) == 0, "nothing is purged")
    _require(await bench.backend.get(entry.fingerprint) is not None, "the entry stays")


async def purge_of_all_leaves_nothing(bench: Bench) -> None:
    """The empty selector means everything."""
    entries = [bench.entry(f"number {number}", 1.0, float(number)) for number in range(5)]
    await bench.put(*entries)
    await bench.backend.purge(Selector())
    for entry in entries:
        await bench.gone(entry, "nothing is left")


async def state_says_ready(bench: Bench) -> None:
    """A working backend says so."""
    _require((await bench.backend.state()).ready, "ready")


#: Every check, in the order in which `check_cache_backend` runs them.
CHECKS: tuple[Check, ...] = (
    state_says_ready,
    entry_comes_back_whole,
    unknown_fingerprint_is_nothing,
    put_replaces_by_fingerprint,
    nearest_come_first_with_their_cosine,
    search_stays_in_its_partition,
    entry_without_vector_is_only_exact,
    expired_entries_are_never_returned,
    purge_means_all_given_fields,
    purge_by_age_keeps_younger_entries,
    purge_by_fingerprint_takes_its_first_digits,
    hostile_selector_purges_nothing_else,
    purge_of_all_leaves_nothing,
)


def _same_vector(one: Entry, other: Entry) -> bool:
    if one.vector is None or other.vector is None:
        return one.vector is other.vector
    return bool(np.allclose(one.vector, other.vector, atol=_SIMILARITY_TOLERANCE))


def _require(holds: bool, claim: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise AssertionError(claim)
