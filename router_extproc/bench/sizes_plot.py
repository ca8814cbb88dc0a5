"""Draws the sizes: how long a lookup by meaning and a store take as a cache grows.

It takes figures and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from router_extproc.bench.sizes import SizeFigures, Spread


def draw_sizes(lookups: Any, stores: Any, figures: Sequence[SizeFigures]) -> None:  # Any: axes of matplotlib
    """Both by the number of entries."""
    _draw(lookups, figures, "Lookup by meaning", lambda each: each.semantic)
    _draw(stores, figures, "Store (one call)", lambda each: each.store)


def _draw(
    axes: Any, figures: Sequence[SizeFigures], title: str, spread: Callable[[SizeFigures], Spread]
) -> None:  # Any: matplotlib is not there to check types
    for name, group in groupby(figures, key=lambda each: each.backend):
        rows = list(group)
        sizes = [each.entries for each in rows]
        (line,) = axes.plot(sizes, [spread(each).p50_ms for each in rows], marker="o", label=name)
        axes.plot(sizes, [spread(each).p99_ms for each in rows], linestyle="--", color=line.get_color())
    axes.set(xscale="log", yscale="log", xlabel="entries", ylabel="ms: p50, p99 dashed", title=title)
    axes.legend(fontsize="small")
