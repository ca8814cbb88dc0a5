"""Clean tool results that nothing was learned from: pieces of files of other people on this machine.

The modules of Python's standard library and the readmes of the installed packages: an agent reads such files
all day, and none of them wants anything from it.
"""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

SEED: Final = 9
#: Characters of a piece, and files of a kind.
PIECE_CHARS, PIECE_CHARS_MIN = 1_600, 200
FILES_MAX: Final = 150
_HEADERS_END: Final = "\n\n"


def read_clean_files() -> tuple[list[str], list[str]]:
    """Two halves: to set a threshold by, and to judge on."""
    generator = random.Random(SEED)
    found = [*_pieces(_modules(), generator), *_pieces(_readmes(), generator)]
    generator.shuffle(found)
    return found[::2], found[1::2]


def _modules() -> list[str]:
    folder = Path(sysconfig.get_paths()["stdlib"])
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.py"))]


def _readmes() -> list[str]:
    folder = Path(sysconfig.get_paths()["purelib"])
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*/METADATA")))
    return [text.partition(_HEADERS_END)[2] for text in texts]


def _pieces(texts: Sequence[str], generator: random.Random) -> Iterator[str]:
    long = [text for text in texts if len(text) >= PIECE_CHARS_MIN]
    for text in generator.sample(long, min(FILES_MAX, len(long))):
        start = generator.randrange(max(1, len(text) - PIECE_CHARS))
        yield text[start : start + PIECE_CHARS]
