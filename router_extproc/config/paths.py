"""`envoy.other_paths`: what may pass to a pool beside inference requests, and the form of a path in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from router_extproc.errors import ConfigError

#: "pass": all but operators' paths; "deny": what a client of the API needs; or exactly these.
OtherPaths: TypeAlias = Literal["pass", "deny"] | tuple[str, ...]

#: A path as servers read it: no query, no escape that could be spelled in another way.
_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()+,=:@/-]*(/\*)?").fullmatch


def check_other_paths(path: str, other: OtherPaths) -> Iterator[ConfigError]:
    """Every listed path that could never be asked for."""
    for index, listed in enumerate(() if isinstance(other, str) else other):
        if not _PATH(listed) or "//" in listed:
            problem = (
                f"must be a path such as /v1/files, or /v1/files/* for everything under it, got {listed!r}"
            )
            yield ConfigError(f"{path}[{index}]", problem)
