"""Sums by key with a bound, and what is handed over."""

from __future__ import annotations

from router_extproc.pipeline.ledger import REST, Ledger

Pairs = tuple[tuple[str, int], ...]


class Count(Ledger[str, int, Pairs]):
    def add_batch(self, batch: Pairs) -> None:
        for key, more in batch:
            self._add(key, more)

    def batch(self) -> Pairs:
        return tuple(self.sums.items())

    def rest_of(self, key: str) -> str:
        return REST + key[0]


def test_beyond_the_bound_new_keys_are_added_up_as_the_rest() -> None:
    count = Count(2)
    count.add_batch((("a1", 1), ("b1", 2), ("b2", 4), ("b3", 8), ("c1", 16), ("a1", 32)))
    assert count.sums == {"a1": 33, "b1": 2, f"{REST}b": 12, f"{REST}c": 16}


def test_what_is_moved_out_counts_once() -> None:
    one, other = Count(2), Count(2)
    assert one.empty
    one.add_batch((("a", 1),))
    assert not one.empty
    for _ in range(2):
        other.add_batch(one.move_out())
    assert one.empty
    assert other.sums == {"a": 1}
