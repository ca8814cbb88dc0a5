"""Why the process of Milvus Lite does not serve: a file for the workers that wait for its socket.

It is written beside the socket, in the same private folder; a worker that cannot connect reads it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from router_extproc.cache.health import Trouble
from router_extproc.cache.milvus.errors import LiteProblem
from router_extproc.cache.milvus.trouble import trouble_of

_SUFFIX = ".problem"
#: More is not read: it is one sentence.
_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class _Told:
    kind: Trouble
    reason: str


_TOLD: Final = TypeAdapter(_Told)


def tell_problem(socket: Path, error: BaseException) -> None:
    """Say why the socket is not served; a folder that is gone or full is passed over."""
    # A path in it may have bytes that are no UTF-8.
    reason = str(error)[: _BYTES_MAX // 8].encode(errors="replace").decode()
    told = _Told(trouble_of(error), reason)
    with contextlib.suppress(OSError):
        _file(socket).write_bytes(_TOLD.dump_json(told))


def forget_problem(socket: Path) -> None:
    """The socket is served."""
    with contextlib.suppress(OSError):
        _file(socket).unlink(missing_ok=True)


def told_problem(socket: Path) -> LiteProblem | None:
    """Why the socket is not served, if its process said so."""
    try:
        with _file(socket).open("rb") as file:
            told = _TOLD.validate_json(file.read(_BYTES_MAX))
    except (OSError, ValidationError):
        return None
    return LiteProblem(told.kind, told.reason)


def _file(socket: Path) -> Path:
    return socket.with_name(socket.name + _SUFFIX)
