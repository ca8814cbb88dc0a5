"""States are computed once; what a killed run left half written is computed again, not read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from router_extproc.training.task_layers.states import read_states

TEXTS = ["one", "two words"]


def of_lengths(texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """One token a word."""
    lengths = [len(text.split()) for text in texts]
    tokens = sum(lengths)
    return {
        "hidden": np.zeros((tokens, 4), np.float16),
        "starts": np.cumsum([0, *lengths]),
        "vectors": np.zeros((len(texts), 4), np.float32),
        "ids": np.arange(tokens, dtype=np.int32),
        "offsets": np.zeros((tokens, 2), np.int32),
    }


def never(_texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    raise AssertionError("computed again")


def broken(_texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    class Killed:
        def __array__(self, *_: object, **__: object) -> NDArray[Any]:
            raise KeyboardInterrupt

    return {**of_lengths(TEXTS), "vectors": Killed()}  # type: ignore[dict-item]  # it ends the run


def test_states_are_computed_once(tmp_path: Path) -> None:
    assert read_states(TEXTS, tmp_path, compute=of_lengths).length("two words") == 2
    assert read_states(TEXTS, tmp_path, compute=never).length("two words") == 2


def test_a_run_that_was_killed_while_it_wrote_costs_only_its_own_time(tmp_path: Path) -> None:
    """Half of the archive under its final name would stop every later run."""
    with pytest.raises(KeyboardInterrupt):
        read_states(TEXTS, tmp_path, compute=broken)
    assert read_states(TEXTS, tmp_path, compute=of_lengths).length("two words") == 2
