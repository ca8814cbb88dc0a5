"""Milvus's errors in ours."""

from __future__ import annotations

import pytest
from pymilvus.exceptions import MilvusException, ParamError  # noqa: TID251 - they are translated here

from router_extproc.cache.base import CacheRejected
from router_extproc.cache.milvus.errors import translate, translate_opening

SECRET = "the client's own words"


@pytest.mark.parametrize(
    ("error", "rejected"),
    [
        (ParamError(message=SECRET), True),
        (MilvusException(1100, SECRET), True),
        (MilvusException(2, SECRET), False),
        (MilvusException(65535, SECRET), False),
        (TimeoutError(SECRET), False),
        (OSError(SECRET), False),
    ],
    ids=repr,
)
def test_only_hopeless_writes_are_rejected(error: Exception, *, rejected: bool) -> None:
    assert isinstance(translate("put", error), CacheRejected) is rejected


@pytest.mark.parametrize("error", [MilvusException(1, SECRET), ValueError(SECRET)])
def test_message_repeats_nothing_that_was_stored(error: Exception) -> None:
    assert SECRET not in str(translate("put", error))


def test_failed_opening_says_why() -> None:
    """The operator reads it in the state of the cache."""
    error = translate_opening(MilvusException(65535, "database not found\n[database=nodb] " + "x" * 1000))
    assert "code 65535: database not found [database=nodb]" in error.reason
    assert len(error.reason) < 400
