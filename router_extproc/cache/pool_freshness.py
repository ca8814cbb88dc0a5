"""How long an answer is fresh by the word of the pool that sent it (RFC 9111, sections 4.2 and 5.2.2).

This cache serves many clients, so it is a shared cache. It never uses a stale answer, so `must-revalidate`
and `proxy-revalidate` ask for nothing more. Whatever cannot be read counts as stale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from router_extproc.cache.http_caching import delta_seconds, each_directive

#: Not even for a moment: no entry may be validated with the pool, which `no-cache` asks for.
_NOT_REUSABLE: Final = frozenset({"no-store", "private", "no-cache"})
#: The form of HTTP dates, and the two older ones that are still read (RFC 9110, section 5.6.7).
_DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}",
    re.ASCII,
)


def forbids_reuse(headers: Mapping[str, str]) -> bool:
    """Whether the pool says that the answer is for this one request."""
    return bool(_directives(headers).keys() & _NOT_REUSABLE)


def fresh_s(headers: Mapping[str, str], *, now_s: float, asked_s: float) -> float | None:
    """For how many seconds from now the answer is fresh; 0 or less: not any more; None: nothing is said.

    headers: names in lower case; repeated values joined by commas.
    asked_s: when the request was sent, by the wall clock.
    """
    lifetime_s = _lifetime_s(headers, now_s)
    return None if lifetime_s is None else lifetime_s - _age_s(headers, now_s, asked_s)


def _lifetime_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """`s-maxage`, else `max-age`, else `expires` (section 4.2.1)."""
    directives = _directives(headers)
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return directives[name]
    if "expires" not in headers:
        return None
    expires_s, date_s = _date_s(headers["expires"]), _date_s(headers.get("date", ""))
    if expires_s is None:
        return 0
    return expires_s - (now_s if date_s is None else date_s)


def _age_s(headers: Mapping[str, str], now_s: float, asked_s: float) -> float:
    """How old the answer is already: by its date, or by its `age` and the time since it was asked for.

    See section 4.2.3.
    """
    date_s = _date_s(headers.get("date", ""))
    apparent_s = 0.0 if date_s is None else max(0.0, now_s - date_s)
    # Of several members the first counts, an unreadable one is passed over (section 5.1).
    told_s = delta_seconds(headers.get("age", "").partition(",")[0].strip(), unreadable=0)
    return max(apparent_s, told_s + max(0.0, now_s - asked_s))


def _directives(headers: Mapping[str, str]) -> dict[str, int]:
    """Each directive's seconds; of several the fewest, an unreadable number is none."""
    found: dict[str, int] = {}
    for name, argument in each_directive((headers.get("cache-control", ""),)):
        seconds = delta_seconds(argument, unreadable=0)
        found[name] = min(found.get(name, seconds), seconds)
    return found


def _date_s(value: str) -> float | None:
    """An HTTP date as wall clock; None: it is none."""
    if not _DATE.fullmatch(value):
        return None
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
