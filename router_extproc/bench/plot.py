"""Opens a picture of two charts side by side, before anything is measured.

Without matplotlib, which is of the extra [training], it says what to install at once, and not after
minutes of measuring.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from router_extproc.errors import ConfigError
from router_extproc.extras import needed_for

_SIZE_INCHES = (9.0, 3.6)
_DOTS_PER_INCH = 80

FiguresT = TypeVar("FiguresT")
#: Fills the left and the right chart (Any: matplotlib is not there to check types).
Draw = Callable[[Any, Any, FiguresT], None]


def open_plot(target: Path, draw: Draw[FiguresT]) -> Callable[[FiguresT], None]:
    """What draws figures into the target.

    Raises:
        ConfigError: matplotlib is missing, or the target's folder.
    """
    if not target.parent.is_dir():
        raise ConfigError("--plot", f"{target.parent} is not a folder")
    with needed_for("a picture", "training", where="--plot"):
        from matplotlib.figure import Figure  # noqa: PLC0415 - of the extra [training]

    def save(figures: FiguresT) -> None:
        canvas = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
        left, right = canvas.subplots(1, 2)
        draw(left, right, figures)
        canvas.savefig(target)

    return save
