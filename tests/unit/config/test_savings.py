from __future__ import annotations

import pytest

from router_extproc.config.savings import baseline_of
from router_extproc.config.translate import router_policy_of

from .conftest import Problems, Read

TWO = """\
version: 1
default_model: a
models:
  a: {cluster: pa, cost: {input_per_mtok: 1, output_per_mtok: 2}}
  b: {cluster: pb%s}
"""


@pytest.mark.parametrize(
    ("more", "section", "baseline"),
    [
        ("", "", "a"),
        (", cost: {input_per_mtok: 2, output_per_mtok: 2}", "", "b"),
        (", cost: {input_per_mtok: 2, output_per_mtok: 2}", "savings: {baseline: a}", "a"),
    ],
)
def test_the_baseline_is_the_one_that_is_named_or_the_dearest(
    read: Read, more: str, section: str, baseline: str
) -> None:
    assert baseline_of(read(TWO % more + section)) == baseline


def test_decisions_that_switch_reasoning_off_are_known(read: Read) -> None:
    """Of the others nothing can have been saved by it."""
    more = ", reasoning: {family: qwen3}, cost: {input_per_mtok: 2}"
    off = (
        "{name: off, model: b, reasoning: false}, {name: on, model: b, reasoning: true}, {name: as, model: b}"
    )
    baseline = router_policy_of(read(TWO % more + f"decisions: [{off}]")).baseline
    assert baseline is not None
    assert baseline.thoughtless == {"off"}


def test_without_any_price_there_is_none(read: Read) -> None:
    assert baseline_of(read("version: 1\ndefault_model: a\nmodels: {a: {cluster: pa}}\n")) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("c", "no model named 'c'"), ("small", "'small' has no price: nothing would be saved")],
)
def test_a_baseline_must_be_a_model_with_a_price(problems: Problems, name: str, words: str) -> None:
    (problem,) = problems(f"savings: {{baseline: {name}}}\n")
    assert problem.startswith(f"savings.baseline: {words}")
