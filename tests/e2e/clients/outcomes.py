"""What the cases of one client library got."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from api_pool import Received

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case got from the pool itself, then twice through the router, and what reached the pool."""

    direct: Json
    through: Json
    again: Json
    sent_direct: tuple[Received, ...]
    #: Both times.
    sent_through: tuple[Received, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """The cases of one client library, by name."""

    name: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
