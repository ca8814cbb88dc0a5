"""Waits for what another process does, and tells nobody of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LOOK_EVERY_S: Final = 0.05


def until(holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it did not within that time.
    """
    give_up_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"not within {within_s:g} s")
        time.sleep(LOOK_EVERY_S)
