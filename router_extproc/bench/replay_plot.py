"""Draws a replay: hits over the stream, and what they cost in wrong ones.

It takes figures and measures nothing.
"""

from __future__ import annotations

from typing import Any

from router_extproc.bench.replay_figures import ReplayFigures, RuleFigures
from router_extproc.evaluation.metrics import Estimate

#: What a replay should stay under, in percent of all lookups.
FALSE_HITS_AIM_PERCENT = 1.0


def draw_replay(curves: Any, costs: Any, figures: ReplayFigures) -> None:  # Any: axes of matplotlib
    """Hits over the stream, and wrong hits against hits."""
    _draw_curves(curves, figures)
    _draw_costs(costs, figures)


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
