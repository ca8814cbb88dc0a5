"""Which pages a browser may let read a stored answer: those that its pool has let read it (CORS).

An entry remembers what its pool said. Many pools say it only to a request of a page, so an entry that another
client left behind goes by what the same model's pool has lately said to the page.
Source: the Fetch standard, CORS protocol.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from router_extproc.clock import Clock
from router_extproc.protocol.headers import Pair
from router_extproc.protocol.names import (
    ALLOW_CREDENTIALS_HEADER,
    ALLOW_ORIGIN_HEADER,
    ANY_ORIGIN,
    EXPOSE_HEADERS_HEADER,
)

#: Models and pages that are remembered; beyond, what was heard the longest time ago is forgotten.
PAGES_MAX: Final = 1024
#: Seconds for which a pool's word holds for entries that do not have their own.
REMEMBERED_S: Final = 3600.0
#: Longer values are not repeated.
VALUE_CHARS_MAX: Final = 1024
_TOLD: Final = (ALLOW_ORIGIN_HEADER, ALLOW_CREDENTIALS_HEADER, EXPOSE_HEADERS_HEADER)
_NOBODY: Final[tuple[Pair, ...]] = ()
_PRINTABLE: Final = re.compile(rf"[ -~]{{1,{VALUE_CHARS_MAX}}}").fullmatch


def told_pages(headers: Mapping[str, str]) -> dict[str, str]:
    """What a pool's answer says to pages; empty: nothing.

    headers: names in lower case.
    """
    if not headers.get(ALLOW_ORIGIN_HEADER):
        return {}
    return {name: headers[name] for name in _TOLD if _PRINTABLE(headers.get(name, ""))}


def headers_for(page: str, told: Mapping[str, str]) -> tuple[Pair, ...]:
    """The headers by which the page may read what the pool let it read; empty: it may not.

    page: the request's origin.
    """
    allowed = told.get(ALLOW_ORIGIN_HEADER)
    exposed = tuple((name, told[name]) for name in (EXPOSE_HEADERS_HEADER,) if name in told)
    if allowed == ANY_ORIGIN:
        return ((ALLOW_ORIGIN_HEADER, ANY_ORIGIN), *exposed)
    if not page or allowed != page:
        return _NOBODY
    credentials = tuple((name, told[name]) for name in (ALLOW_CREDENTIALS_HEADER,) if name in told)
    return ((ALLOW_ORIGIN_HEADER, page), *credentials, *exposed, ("vary", "origin"))


class PagesHeard:
    """What pools have lately said to pages; of one worker."""

    def __init__(self, clock: Clock, *, pages_max: int = PAGES_MAX) -> None:
        self._clock: Final = clock
        self._pages_max: Final = pages_max
        #: By model and page, or "*": what was said, and when (monotonic); the latest is the last.
        self._heard: OrderedDict[tuple[str, str], tuple[Mapping[str, str], float]] = OrderedDict()

    def note(self, model: str, told: Mapping[str, str]) -> None:
        """Remember what a pool's answer said to a page, if it said anything."""
        if ALLOW_ORIGIN_HEADER not in told:
            return
        key = (model, told[ALLOW_ORIGIN_HEADER])
        self._heard.pop(key, None)
        self._heard[key] = (told, self._clock.monotonic_s())
        if len(self._heard) > self._pages_max:
            self._heard.popitem(last=False)

    def headers_for(self, page: str, model: str, told: Mapping[str, str]) -> tuple[Pair, ...]:
        """The headers of a stored answer for this page.

        told: what its entry remembers.
        """
        if not page:
            return _NOBODY
        if told:
            return headers_for(page, told)
        return headers_for(page, self._lately(model, page)) or headers_for(
            page, self._lately(model, ANY_ORIGIN)
        )

    def _lately(self, model: str, page: str) -> Mapping[str, str]:
        told, heard_s = self._heard.get((model, page), ({}, 0.0))
        return told if self._clock.monotonic_s() - heard_s <= REMEMBERED_S else {}
