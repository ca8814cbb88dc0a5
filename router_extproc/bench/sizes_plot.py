"""Draws the sizes: how long a lookup by meaning and a store take as a cache grows.

It is not needed for the figures. The rule it keeps: without matplotlib, which is of the extra
[training], it says what to install before anything is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from router_extproc.bench.sizes import SizeFigures, Spread
from router_extproc.errors import ConfigError

_SIZE_INCHES = (9.0, 3.6)
_DOTS_PER_INCH = 80


def open_sizes_plotter(target: Path) -> Callable[[Sequence[SizeFigures]], None]:
    """What draws figures into the target.

    Raises:
        ConfigError: matplotlib is missing, or the target's folder.
    """
    if not target.parent.is_dir():
        raise ConfigError("--plot", f"{target.parent} is no folder")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - of the extra [training]
    except ImportError as error:
        hint = "pip install 'router_extproc[training]'"
        raise ConfigError("--plot", f"needs matplotlib: {hint}") from error

    def draw(figures: Sequence[SizeFigures]) -> None:
        canvas = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
        lookups, stores = canvas.subplots(1, 2)
        _draw(lookups, figures, "Lookup by meaning", lambda each: each.semantic)
        _draw(stores, figures, "Store (one call)", lambda each: each.store)
        canvas.savefig(target)

    return draw


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
