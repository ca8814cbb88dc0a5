"""Draws a replay: hits over the stream, and what they cost in wrong ones.

It is not needed for the figures. The rule it keeps: without matplotlib, which is of the extra
[training], it says what to install before anything is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from router_extproc.bench.replay_figures import ReplayFigures, RuleFigures
from router_extproc.errors import ConfigError
from router_extproc.training.metrics import Estimate

_SIZE_INCHES = (9.0, 3.6)
_DOTS_PER_INCH = 80
#: What a replay should stay under, in percent of all lookups.
FALSE_HITS_AIM_PERCENT = 1.0


def open_plotter(target: Path) -> Callable[[ReplayFigures], None]:
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

    def draw(figures: ReplayFigures) -> None:
        canvas = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
        curves, costs = canvas.subplots(1, 2)
        _draw_curves(curves, figures)
        _draw_costs(costs, figures)
        canvas.savefig(target)

    return draw


def _draw_curves(axes: Any, figures: ReplayFigures) -> None:  # Any: matplotlib is not there to check types
    for each in figures.rules:
        lookups, hits = zip(*each.curve, strict=True)
        axes.plot(lookups, hits, label=each.rule)
    axes.set(xlabel="lookups", ylabel="hits", title="Hits")
    axes.legend(fontsize="small")


def _draw_costs(axes: Any, figures: ReplayFigures) -> None:  # Any: likewise
    for index, each in enumerate(figures.rules):
        for estimate, mark in ((each.false_hits, "o"), (each.false_hits_at_most, "^")):
            _draw_cost(axes, each, estimate, {"marker": mark, "color": f"C{index}"})
    axes.axhline(FALSE_HITS_AIM_PERCENT, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xlabel="hits, % of lookups", ylabel="% of lookups")
    axes.set_title("Wrong by label (dot); or without a label (triangle)", fontsize="medium")


def _draw_cost(
    axes: Any, rule: RuleFigures, estimate: Estimate, style: dict[str, str]
) -> None:  # Any: likewise
    spread = [[100 * (estimate.value - estimate.low)], [100 * (estimate.high - estimate.value)]]
    axes.errorbar(100 * rule.hit_ratio.value, 100 * estimate.value, yerr=spread, linestyle="none", **style)
