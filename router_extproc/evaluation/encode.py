"""Encodes many texts on all cores.

Every text gets a pass of its own, so that vectors are the same as in the running router.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from router_extproc.models.base import Encoder, Encoding

#: Texts between two reports of progress.
CHUNK = 256


def encode_chunks(texts: Sequence[str], encoder: Encoder, *, tasks: bool = False) -> Iterator[list[Encoding]]:
    """The encodings in order, CHUNK at a time; a text that comes twice in a chunk is read once."""
    encode = partial(encoder.encode, tasks=tasks)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            unique = list(dict.fromkeys(chunk))
            known = dict(zip(unique, pool.map(encode, unique), strict=True))
            yield [known[text] for text in chunk]
