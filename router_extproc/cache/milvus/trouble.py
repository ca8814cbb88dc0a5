"""The kind of an error of Milvus, so that an operator knows where to look.

The error's words decide, because nothing else tells a full disk from a broken file: Milvus and its client
library have one code for both. The words themselves are never shown.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from typing import Final

import grpc

from router_extproc.cache.health import Trouble
from router_extproc.cache.milvus.errors import CollectionMismatch, FolderInUse, LiteProblem, words_of

_CODES: Final[dict[object, Trouble]] = {
    grpc.StatusCode.UNAVAILABLE: "unreachable",
    grpc.StatusCode.DEADLINE_EXCEEDED: "timeout",
    grpc.StatusCode.UNAUTHENTICATED: "refused",
    grpc.StatusCode.PERMISSION_DENIED: "refused",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "full",
}
_ERRNOS: Final[dict[int | None, Trouble]] = {
    errno.ENOSPC: "full",
    errno.EFBIG: "full",
    errno.EDQUOT: "full",
    errno.EACCES: "refused",
    errno.EPERM: "refused",
    errno.EROFS: "refused",
    errno.ENOENT: "unreachable",
    errno.ECONNREFUSED: "unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.ENOTDIR: "mismatch",
}
#: Words that say more than any code.
_CLEAR_WORDS: Final[tuple[tuple[str, Trouble], ...]] = (
    (r"certificate|ssl|\btls\b|handshake", "tls"),
    (r"no space left|file too large|disk quota|quota exceeded|quota exhausted|deny to write", "full"),
    (r"open in another process|holds the lock", "in-use"),
)
#: Words for what has no code.
_VAGUE_WORDS: Final[tuple[tuple[str, Trouble], ...]] = (
    (r"unauthenticated|auth check|permission|password|not permitted", "refused"),
    (r"deadline|timed? ?out", "timeout"),
    (r"connect|unavailable|no such file", "unreachable"),
    (r"corrupt|not valid json|cannot read|could not open", "broken"),
)

#: Errors behind an error that are looked at.
_CAUSES_MAX: Final = 5


def trouble_of(error: BaseException) -> Trouble:
    """The kind of trouble of an error, ours or a foreign one, by itself or by what it came from."""
    causes = tuple(_causes(error))
    return (
        _by_type(causes)
        or _by_words(causes, _CLEAR_WORDS)
        or _by_code(causes)
        or _by_words(causes, _VAGUE_WORDS)
        or "other"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    # The client library makes an error its own cause now and then.
    cause: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def _by_type(causes: Sequence[BaseException]) -> Trouble | None:
    for cause in causes:
        if isinstance(cause, CollectionMismatch):
            return "mismatch"
        if isinstance(cause, FolderInUse):
            return "in-use"
        if isinstance(cause, LiteProblem):
            return cause.trouble
        if isinstance(cause, OSError) and cause.errno in _ERRNOS:
            return _ERRNOS[cause.errno]
    return None


def _by_code(causes: Sequence[BaseException]) -> Trouble | None:
    for cause in causes:
        code = getattr(cause, "code", None)
        if isinstance(cause, grpc.RpcError) and callable(code) and code() in _CODES:
            return _CODES[code()]
        if isinstance(cause, TimeoutError):
            return "timeout"
    return None


def _by_words(causes: Sequence[BaseException], words: Sequence[tuple[str, Trouble]]) -> Trouble | None:
    said = "\n".join(words_of(cause) for cause in causes)
    return next((trouble for pattern, trouble in words if re.search(pattern, said, re.IGNORECASE)), None)
