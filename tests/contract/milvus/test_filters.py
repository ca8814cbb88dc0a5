"""Filter expressions: quoting, and ranges that cover everything once."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache.base import Partition, Scope, Selector
from router_extproc.cache.milvus import filters


@given(st.text(max_size=30))
def test_every_name_stays_inside_its_quotes(name: str) -> None:
    expression = filters.selected(Selector(model=name))
    literal = expression.removeprefix("model == ")
    value, end = json.JSONDecoder().raw_decode(literal)
    assert (value, end) == (name, len(literal))


def test_all_given_fields_are_joined() -> None:
    selector = Selector(scope=Scope("s"), model="m", decision="d", tag="t", created_max_s=1.5)
    assert filters.selected(selector) == (
        'scope == "s" and model == "m" and decision == "d" and array_contains(tags, "t") '
        "and created <= 1.500000"
    )


def test_empty_selector_means_every_entry() -> None:
    assert filters.selected(Selector()) == "created >= 0.0"


def test_search_is_kept_to_fresh_entries_with_vectors() -> None:
    assert filters.in_partition(Scope("s"), Partition("p"), 2.0) == (
        'scope == "s" and partition == "p" and semantic == true and expires > 2.000000'
    )


@pytest.mark.parametrize("count", [1, 2, 7, 100])
@given(key=st.text("0123456789abcdef", min_size=64, max_size=64))
def test_every_fingerprint_is_in_exactly_one_range(count: int, key: str) -> None:
    bounds = [re.findall(r'"(\w+)"', part) for part in filters.fingerprint_ranges(count)]
    assert len(bounds) == count
    assert sum(low <= key < high for low, high in bounds) == 1
