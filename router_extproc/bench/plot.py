"""Opens a picture of two charts side by side.

Before anything is measured: a missing matplotlib is reported at once, not after minutes of work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from router_extproc.errors import ConfigError
from router_extproc.evaluation.picture import new_picture, save_picture

_SIZE_INCHES = (9.0, 3.6)

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
    canvas = new_picture(*_SIZE_INCHES, asked_by="--plot")

    def save(figures: FiguresT) -> None:
        left, right = canvas.subplots(1, 2)
        draw(left, right, figures)
        save_picture(canvas, target, asked_by="--plot")

    return save
