"""When a vector stands for the whole text."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.models.base import Encoding

VECTOR = np.ones(1, np.float32)


def test_vector_of_a_whole_text_is_faithful() -> None:
    assert Encoding(VECTOR, tokens=3, truncated=False).is_faithful


@pytest.mark.parametrize(
    "encoding",
    [
        Encoding(VECTOR, tokens=0, truncated=False),
        Encoding(VECTOR, tokens=3, truncated=True),
        Encoding(VECTOR, tokens=3, truncated=False, unknown_tokens=1),
    ],
    ids=["no tokens", "truncated", "unknown tokens"],
)
def test_vector_that_misses_something_is_not(encoding: Encoding) -> None:
    """Two texts that differ only in what is missing have the same vector."""
    assert not encoding.is_faithful
