"""Opens and saves pictures of figures. They need matplotlib, which is in the extra [training]."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from router_extproc.errors import ConfigError
from router_extproc.extras import needed_for

_DOTS_PER_INCH: Final = 100


def new_picture(width_inches: float, height_inches: float, *, asked_by: str) -> Any:  # Any: see below
    """An empty matplotlib Figure; without types, because matplotlib need not be there.

    Raises:
        ConfigError: matplotlib is not installed; `asked_by` is the option that wants the picture.
    """
    with needed_for("a picture", "training", where=asked_by):
        from matplotlib.figure import Figure  # noqa: PLC0415 - of the extra [training]
    return Figure(figsize=(width_inches, height_inches), dpi=_DOTS_PER_INCH, layout="constrained")


def save_picture(figure: Any, target: Path, *, asked_by: str) -> None:  # Any: a matplotlib Figure
    """Write the picture in the form that the target's suffix names.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        figure.savefig(target)
    except (OSError, ValueError) as error:
        raise ConfigError(asked_by, f"cannot write {target} ({error})") from error
