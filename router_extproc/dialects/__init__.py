"""Client APIs: one folder per dialect, registered here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from router_extproc.dialects.base import Dialect
from router_extproc.dialects.openai_chat import OpenAIChat

_ALL: tuple[Dialect, ...] = (OpenAIChat(),)

#: Registry name to dialect. A new dialect is one more entry of the line above.
DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in _ALL})


def find_dialect(method: str, path: str) -> Dialect | None:
    """The dialect whose request this is; None: it passes untouched.

    `path` may carry a query string, and slashes at its end: servers that fold them would answer it.
    """
    spelled = path.partition("?")[0].rstrip("/")
    return next((dialect for dialect in DIALECTS.values() if dialect.matches(method, spelled)), None)
