"""The base of every configuration section, wherever it is defined, and the hint for a wrong name.

A signal's settings live beside the signal.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen; unknown keys are refused, and so are numbers that are none (`.nan`, `.inf`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest of the known names, or nothing."""
    names = list(known)
    longer = [known_name for known_name in names if known_name.startswith(f"{name}_")]
    near = longer or get_close_matches(name, names, n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""
