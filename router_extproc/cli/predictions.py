"""The predictions of `router-extproc eval`: watched under a progress bar, written as JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import orjson
from rich.progress import track

from router_extproc.cli.output import ERR
from router_extproc.cli.whole_file import whole_file
from router_extproc.errors import ConfigError

PredictionT = TypeVar("PredictionT")


def collect_predictions(made: Iterator[PredictionT], rows: int, target: Path | None) -> list[PredictionT]:
    """All predictions; the target has one a line, of every row, or is left as it was.

    Raises:
        ConfigError: the target cannot be written.
    """
    watched = track(made, "predict", total=rows, console=ERR, transient=True)
    if target is None:
        return list(watched)
    kept = []
    try:
        with whole_file(target) as stream:
            for prediction in watched:
                stream.write(orjson.dumps(prediction, option=orjson.OPT_APPEND_NEWLINE))
                kept.append(prediction)
    except OSError as error:
        raise ConfigError("--predictions", f"cannot write {target}: {error.strerror}") from error
    return kept
