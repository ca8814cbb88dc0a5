"""Orders of eviction."""

from __future__ import annotations

from router_extproc.cache.near.eviction import EvictionPolicy, eviction_order


def leaving(policy: EvictionPolicy, *, removed: str = "") -> str:
    """Who leaves first of a, b, c, after a was used twice and b once."""
    order = eviction_order(policy)
    for key in "abc":
        order.add(key)
    for key in "aab":
        order.use(key)
    if removed:
        order.remove(removed)
    return order.first()


def test_fifo_ignores_use() -> None:
    assert leaving("fifo") == "a"


def test_lru_follows_use() -> None:
    assert leaving("lru") == "c"
    assert leaving("lru", removed="c") == "a"


def test_lfu_counts_use() -> None:
    assert leaving("lfu") == "c"
    assert leaving("lfu", removed="c") == "b"
