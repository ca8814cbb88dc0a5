"""Reads the screen that lies beside a shipped head."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from router_extproc.errors import ConfigError
from router_extproc.models.lexical_screen import BUCKETS, LexicalScreen
from router_extproc.models.onnx.heads import find_head
from router_extproc.models.onnx.manifest import HeadManifest, read_manifest

#: float16[3, BUCKETS]: weights, rarity, and the offset in the first place of the last row.
SCREEN_NAME: Final = "screen.npy"
_ROWS: Final = 3


def open_screen(model: str, *, where: str) -> LexicalScreen:
    """The screen of a shipped head.

    Raises:
        ConfigError: the head has none, or it is damaged.
    """
    folder = find_head(model, where=where)
    manifest = read_manifest(folder, HeadManifest, where=where)
    if SCREEN_NAME not in manifest.files:
        raise ConfigError(where, f"the head '{model}' has no {SCREEN_NAME}")
    rows = np.load(folder / SCREEN_NAME, allow_pickle=False).astype(np.float32)
    if rows.shape != (_ROWS, BUCKETS):
        raise ConfigError(where, f"{folder / SCREEN_NAME} is not a screen of {BUCKETS} rows")
    return LexicalScreen(rows[0], rows[1], float(rows[2, 0]))


def write_screen(folder: Path, screen: LexicalScreen) -> None:
    """Put `screen.npy` into the folder."""
    rows = np.zeros((_ROWS, BUCKETS), np.float16)
    rows[0], rows[1], rows[2, 0] = screen.weights, screen.rarity, screen.offset
    np.save(folder / SCREEN_NAME, rows, allow_pickle=False)
