"""Puts a folder that was built beside its place into it, whoever else builds the same meanwhile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def replace_folder(made: Path, folder: Path, *, spare: Path) -> None:
    """Rename the finished folder to its name; an earlier one steps aside into `spare`."""
    if folder.exists():
        os.rename(folder, spare)  # noqa: PTH104 - pathlib's rename, but said plainly
    try:
        os.rename(made, folder)  # noqa: PTH104
    except OSError:
        # Another process was faster; what it built is the same.
        shutil.rmtree(made)
