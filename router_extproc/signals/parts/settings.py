"""What is wrong with a section's `parts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router_extproc.errors import ConfigError
from router_extproc.signals.base import Part


def parts_problems(parts: Sequence[Part], path: str) -> Iterator[ConfigError]:
    """One problem for each part that is named twice; `path` is the section's YAML path."""
    for index, part in enumerate(parts):
        if part in parts[:index]:
            yield ConfigError(f"{path}.parts[{index}]", f"'{part}' is named twice")
