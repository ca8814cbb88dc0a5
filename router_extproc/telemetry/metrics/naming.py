"""What all metric names begin with."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "router_extproc"
