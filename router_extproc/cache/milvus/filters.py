"""Milvus filter expressions.

Every text is one quoted, escaped literal, so that no value can end it and continue as an expression.
(Templates with parameters would do the same; Milvus Lite 3.2 and Milvus 2.3 do not know them.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

from router_extproc.cache.base import Partition, Scope, Selector

#: Fingerprints are hex: this many digits choose a range of them.
_RANGE_DIGITS = 8
#: Behind every hex digit.
_AFTER_HEX = "g"


def in_partition(scope: Scope, partition: Partition, now_s: float) -> str:
    """Fresh entries of the partition that may be found by vector."""
    # The scope, which the partition implies, tells Milvus which part of the collection to scan.
    where = f"scope == {_literal(scope)} and partition == {_literal(partition)}"
    return f"{where} and semantic == true and {fresh(now_s)}"


def fresh(now_s: float) -> str:
    """Entries that have not expired."""
    return f"expires > {_number(now_s)}"


def expired(now_s: float) -> str:
    """Entries that have expired."""
    return f"expires <= {_number(now_s)}"


def selected(selector: Selector) -> str:
    """The entries that the selector means."""
    # An empty filter would be refused: every entry has a creation time.
    return " and ".join(_conditions(selector)) or "created >= 0.0"


def fingerprint_ranges(count: int) -> Iterator[str]:
    """`count` filters that together cover every fingerprint once, about evenly."""
    space = 16**_RANGE_DIGITS
    bounds = [f"{space * step // count:0{_RANGE_DIGITS}x}" for step in range(count)] + [_AFTER_HEX]
    for low, high in pairwise(bounds):
        yield f"fingerprint >= {_literal(low)} and fingerprint < {_literal(high)}"


def _conditions(selector: Selector) -> Iterator[str]:
    if selector.fingerprint is not None:
        # Fingerprints are hex: all that begin so lie between it and it with the digit after the last.
        first, after = _literal(selector.fingerprint), _literal(selector.fingerprint + _AFTER_HEX)
        yield f"fingerprint >= {first} and fingerprint < {after}"
    if selector.scope is not None:
        yield f"scope == {_literal(selector.scope)}"
    if selector.model is not None:
        yield f"model == {_literal(selector.model)}"
    if selector.decision is not None:
        yield f"decision == {_literal(selector.decision)}"
    if selector.tag is not None:
        yield f"array_contains(tags, {_literal(selector.tag)})"
    if selector.created_max_s is not None:
        yield f"created <= {_number(selector.created_max_s)}"


def _literal(text: str) -> str:
    # JSON's escapes are a subset of Milvus's but for \u, which Milvus Lite does not know.
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    return f"{value:.6f}"
