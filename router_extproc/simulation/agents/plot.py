"""Draws what each way to choose the models of sessions costs, solves and switches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from router_extproc.evaluation.picture import new_picture, save_picture
from router_extproc.simulation.agents.report import SessionsReport
from router_extproc.simulation.plot import ASKED_BY, check_target

_WIDTH_INCHES: Final = 9.0
_HEIGHT_INCHES: Final = 4.2


def open_sessions_plot(target: Path) -> Callable[[SessionsReport], None]:
    """What draws into the target; what is missing for it is told before anything runs.

    Raises:
        ConfigError: matplotlib is missing, or the target's folder.
    """
    check_target(target)
    canvas = new_picture(_WIDTH_INCHES, _HEIGHT_INCHES, asked_by=ASKED_BY)

    def save(report: SessionsReport) -> None:
        solved, switches = canvas.subplots(1, 2, width_ratios=(3, 2))
        for way in report.ways:
            cost, share = way.cost_change, way.solved_change
            solved.errorbar(
                100 * cost.value, 100 * share.value, marker="o", capsize=3, label=way.way,
                xerr=[[100 * (cost.value - cost.low)], [100 * (cost.high - cost.value)]],
                yerr=[[100 * (share.value - share.low)], [100 * (share.high - share.value)]],
            )  # fmt: skip
        solved.set(
            xlabel=f"cost against {report.baseline}, %",
            ylabel="solved asks against it, points",
            title="Cost and solved asks, with 95 % intervals",
        )
        solved.grid(visible=True, alpha=0.3)
        solved.legend(fontsize="small", loc="lower right")
        names = [way.way for way in report.ways]
        safe = [(way.switches - way.unsafe_switches) / way.sessions for way in report.ways]
        unsafe = [way.unsafe_switches / way.sessions for way in report.ways]
        switches.barh(names, safe, color="steelblue", label="between asks")
        switches.barh(names, unsafe, left=safe, color="red", label="inside a tool loop")
        switches.invert_yaxis()
        switches.set(xlabel="switches of a session", title="Switches")
        switches.legend(fontsize="small", loc="lower right")
        save_picture(canvas, target, asked_by=ASKED_BY)

    return save
