"""The trained heads that signals name by a folder: which files tell that one was trained anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from router_extproc.config.check_serving import HEAD_FILE
from router_extproc.signals.base import SignalSettings


def head_files(settings: SignalSettings) -> tuple[Path, ...]:
    """The manifest of each folder that this signal names; it holds the digest of the head."""
    named = (getattr(settings, field) for field in settings.path_fields)  # fields by their declared names
    return tuple(Path(name) / HEAD_FILE for name in named if name is not None and "/" in name)


def all_head_files(signals: Mapping[str, SignalSettings]) -> tuple[Path, ...]:
    """Those of all signals."""
    return tuple(file for settings in signals.values() for file in head_files(settings))


def heads_digest(files: tuple[Path, ...]) -> str:
    """Changes when a head was trained anew; a file that cannot be read counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            digest.update(b"-")
    return digest.hexdigest() if files else ""
