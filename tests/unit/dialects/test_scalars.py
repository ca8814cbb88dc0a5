"""Scalars as pools read them; the pairs are what pydantic's lax mode makes of them."""

from __future__ import annotations

import math
from typing import Any  # JSON values

import pytest

from router_extproc.dialects.scalars import boolean, integer, is_true, number


@pytest.mark.parametrize("value", [True, 1, 1.0, "true", "True", "yes", "ON", "1", "t", "y"])
def test_true(value: Any) -> None:
    assert boolean(value) is True
    assert is_true(value)


@pytest.mark.parametrize("value", [False, 0, 0.0, "false", "No", "off", "0", "f", "n"])
def test_false(value: Any) -> None:
    assert boolean(value) is False
    assert not is_true(value)


@pytest.mark.parametrize("value", [None, 2, -1, 0.5, "", "maybe", [], {}, " true"])
def test_neither_true_nor_false(value: Any) -> None:
    assert boolean(value) is None
    assert not is_true(value)


@pytest.mark.parametrize(
    ("value", "read"),
    [(1, 1), (100.0, 100), ("7", 7), (" 7 ", 7), ("7.0", 7), (True, 1), (10**30, 10**30), (-3, -3)],
)
def test_integers(value: Any, read: int) -> None:
    assert integer(value) == read


@pytest.mark.parametrize("value", [None, 100.5, "", "x", "7.5", "inf", "nan", [], {}, "9" * 100, math.inf])
def test_no_integers(value: Any) -> None:
    assert integer(value) is None


@pytest.mark.parametrize(
    ("value", "read"), [("0.7", 0.7), (" 1e3 ", 1000.0), (1, 1), (0.5, 0.5), (True, 1), ("inf", math.inf)]
)
def test_numbers(value: Any, read: float) -> None:
    assert number(value) == read


@pytest.mark.parametrize("value", [None, "", "warm", "0x10", [], {}, "1" * 65])
def test_no_numbers(value: Any) -> None:
    assert number(value) is None
