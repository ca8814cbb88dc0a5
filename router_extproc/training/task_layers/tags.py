"""Spans of a text as tags of its tokens.

A token belongs to the span that its first character is in; special tokens belong to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Target of tokens that are not learned from (torch's ignore_index).
IGNORED = -100
OUTSIDE = 0


def tag_tokens(offsets: NDArray[np.int32], spans: Sequence[tuple[int, int, int]]) -> NDArray[np.int64]:
    """A tag for each token: 1 + 2 * kind where a span begins, 2 + 2 * kind inside it.

    offsets: int32[tokens, 2]; special tokens have none and are IGNORED.
    """
    tags = np.full(len(offsets), OUTSIDE, np.int64)
    for start, end, kind in spans:
        inside = (offsets[:, 0] >= start) & (offsets[:, 0] < end) & (offsets[:, 1] > offsets[:, 0])
        places = np.flatnonzero(inside)
        tags[places] = 2 + 2 * kind
        tags[places[:1]] = 1 + 2 * kind
    tags[offsets[:, 1] == offsets[:, 0]] = IGNORED
    return tags
