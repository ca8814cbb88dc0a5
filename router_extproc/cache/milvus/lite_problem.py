"""Why the process of Milvus Lite does not serve, told to the workers that wait for its socket.

A file beside the socket, in the same private folder: a worker that cannot connect reads the reason there.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from router_extproc.cache.health import TROUBLES
from router_extproc.cache.milvus.errors import LiteProblem
from router_extproc.cache.milvus.trouble import trouble_of

_SUFFIX = ".problem"
#: More is not read: it is one sentence.
_BYTES_MAX = 4096


def tell_problem(socket: Path, error: BaseException) -> None:
    """Say why the socket is not served; a folder that is gone or full is passed over."""
    told = json.dumps({"kind": trouble_of(error), "reason": str(error)[: _BYTES_MAX // 8]})
    with contextlib.suppress(OSError):
        _file(socket).write_text(told, encoding="utf-8")


def forget_problem(socket: Path) -> None:
    """The socket is served."""
    with contextlib.suppress(OSError):
        _file(socket).unlink(missing_ok=True)


def told_problem(socket: Path) -> LiteProblem | None:
    """Why the socket is not served, if its process said so."""
    try:
        with _file(socket).open("rb") as file:
            told = json.loads(file.read(_BYTES_MAX))
        kind, reason = told["kind"], str(told["reason"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return LiteProblem(kind if kind in TROUBLES else "other", reason)


def _file(socket: Path) -> Path:
    return socket.with_name(socket.name + _SUFFIX)
