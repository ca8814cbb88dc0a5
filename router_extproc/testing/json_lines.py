"""JSON Lines that one process writes and another one reads, while the writer may be killed at any byte.

Only what ends in a line feed is a line. A reader leaves out the rest, which is still being written or was cut
by a kill; a writer that starts on a file removes it, so that no line begins with the remains of another one.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]  # Any: JSON
_MODE: Final = 0o600


def whole_lines(file: Path) -> list[bytes]:
    """Every line of the file that has its end; none if there is no file yet."""
    try:
        *lines, _torn = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return lines


def read_json_lines(file: Path) -> list[Json]:
    """The object on each whole line.

    Raises:
        ValueError: a whole line is no JSON: something else than a kill damaged the file.
    """
    return [json.loads(line) for line in whole_lines(file)]


def read_log_lines(file: Path) -> list[Json]:
    """The objects of a log to which several processes append, one after the other.

    The next process writes on behind a line that a kill cut; neither of the two can be read, and both are
    left out, as is what was written in another form.
    """
    found: list[Json] = []
    for line in whole_lines(file):
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            found += [entry] if isinstance(entry, dict) else []
    return found


class JsonLinesFile:
    """Appends objects to a file, each with one write."""

    def __init__(self, file: Path) -> None:
        self._descriptor: Final = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        os.ftruncate(self._descriptor, file.read_bytes().rfind(b"\n") + 1)

    def append(self, entry: Json) -> None:
        """Put one object behind the others; a reader may see it from now on."""
        rest = json.dumps(entry).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
