"""Translates Milvus's errors into this project's.

`CacheRejected` only where a retry can never help. No message repeats anything of a row.
"""

from __future__ import annotations

import grpc
from pymilvus.exceptions import (
    DataNotMatchException,
    DataTypeNotMatchException,
    MilvusException,
    ParamError,
)

from router_extproc.cache.base import CacheRejected
from router_extproc.cache.health import Trouble
from router_extproc.errors import CacheError

#: What the client library lets through: its own errors, gRPC's for some status codes, and Python's
#: for closed channels and files that are not there.
FOREIGN_ERRORS = (MilvusException, grpc.RpcError, OSError, TimeoutError, ValueError, RuntimeError)

_REJECTED = (ParamError, DataNotMatchException, DataTypeNotMatchException)
#: Milvus's "invalid parameter" codes.
_INVALID_CODES = range(1100, 1200)


class LiteProblem(CacheError):
    """What the process of Milvus Lite said, which does not serve."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__("cache", f"milvus lite: {reason}")
        self.trouble = trouble


#: More of a foreign message is not shown.
_WORDS_CHARS_MAX = 300


class CollectionMismatch(CacheError):
    """The collection exists and is another one's: refused, never dropped or changed."""


class FolderInUse(CacheError):
    """Another process has the folder of Milvus Lite open."""


def translate(operation: str, error: BaseException) -> CacheError:
    """The error to raise from a foreign one; `operation` is a short word."""
    kind = CacheRejected if _is_rejection(error) else CacheError
    return kind("cache", f"milvus {operation}: {_describe(error)}")


def translate_opening(error: BaseException) -> CacheError:
    """The error to raise when Milvus cannot be opened: no row is at hand, so its own words may be shown."""
    # The library says that it cannot connect; gRPC knows about certificates and passwords.
    words = words_of(error.__cause__ if isinstance(error.__cause__, grpc.RpcError) else error)
    return CacheError(
        "cache", f"milvus open: {_describe(error)}: {' '.join(words.split())[:_WORDS_CHARS_MAX]}"
    )


def words_of(error: BaseException) -> str:
    """What the error says of itself: to be looked into, and to be shown only where no row is at hand."""
    details = getattr(error, "details", None)
    if isinstance(error, grpc.RpcError) and callable(details):
        return str(details())
    return error.message if isinstance(error, MilvusException) else str(error)


def _is_rejection(error: BaseException) -> bool:
    if isinstance(error, _REJECTED):
        return True
    return isinstance(error, MilvusException) and error.code in _INVALID_CODES


def _describe(error: BaseException) -> str:
    if isinstance(error, MilvusException):
        return f"code {error.code}"
    if isinstance(error, grpc.RpcError):
        code = getattr(error, "code", None)
        return f"grpc {code()}" if callable(code) else "grpc"
    return type(error).__name__
