"""Whether an operator's selector matches an entry.

Backends translate selectors into their own queries; all of them and the write queue agree with this function.
"""

from __future__ import annotations

from router_extproc.cache.base import Entry, Selector


def selects(selector: Selector, entry: Entry) -> bool:
    """True when all fields given in the selector match the entry; none given: always."""
    return (
        (selector.fingerprint is None or entry.fingerprint.startswith(selector.fingerprint))
        and selector.scope in {None, entry.scope}
        and selector.model in {None, entry.model}
        and selector.decision in {None, entry.decision}
        and (selector.tag is None or selector.tag in entry.tags)
        and (selector.created_max_s is None or entry.created_s <= selector.created_max_s)
    )
