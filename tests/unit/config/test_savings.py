from __future__ import annotations

import pytest

from router_extproc.config.savings import baseline_of, tenants_of
from router_extproc.config.translate import router_policy_of
from router_extproc.pipeline.tenants import Tenants

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


@pytest.mark.parametrize(
    ("section", "tenants"),
    [
        ("{by_header: X-Team, tenants: [a, b]}", Tenants("x-team", frozenset("ab"))),
        ("{by_claim: org.team, tenants: [a]}", Tenants("x-jwt-payload", frozenset("a"), "org.team")),
        ("{by_claim: t, claim_header: X-Who, tenants: [a]}", Tenants("x-who", frozenset("a"), "t")),
        ("{}", None),
    ],
)
def test_a_header_or_a_claim_tells_tenants(read: Read, section: str, tenants: Tenants | None) -> None:
    config = read(TWO % "" + f"savings: {section}")
    assert tenants_of(config) == tenants == router_policy_of(config).tenants


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{by_header: x-team}", "savings.tenants: is required with `by_header`"),
        ("{by_claim: team}", "savings.tenants: is required with `by_claim`"),
        ("{tenants: [a]}", "savings.tenants: nothing says which one a request is of"),
        ("{by_header: x, by_claim: y, tenants: [a]}", "savings.by_claim: a tenant is told by a header or"),
        ("{by_header: x, tenants: [a, other]}", "savings.tenants[1]: 'other' is what all others are called"),
        ("{by_header: x, tenants: [a, ' b']}", "savings.tenants[1]: has space around it"),
        ("{by_header: x, tenants: [a, a]}", "savings.tenants[1]: 'a' is listed twice"),
        ("{by_header: x, tenants: ['']}", "savings.tenants[0]: must not be empty"),
        ("{by_header: 'x y', tenants: [a]}", "savings.by_header: 'x y' is not a header name"),
        ("{by_header: x-router-team, tenants: [a]}", "savings.by_header: x-router-* headers are removed"),
        ("{by_claim: a, claim_header: connection, tenants: [a]}", "savings.claim_header: Envoy removes"),
        ("{header: true}", "savings.header: no model has a price"),
    ],
)
def test_what_tells_no_tenant_is_refused(problems: Problems, section: str, problem: str) -> None:
    assert [found for found in problems(f"savings: {section}\n") if found.startswith(problem)]


def test_there_are_not_more_tenants_than_series_are_good_for(problems: Problems) -> None:
    listed = [f"t{number}" for number in range(201)]
    (problem,) = problems(f"savings: {{by_header: x, tenants: {listed}}}\n")
    assert problem.startswith("savings.tenants: must have at most 200 items")


def test_the_header_is_sent_where_it_is_asked_for(read: Read) -> None:
    assert router_policy_of(read(TWO % "")).saved_header is None
    assert router_policy_of(read(TWO % "" + "savings: {header: true}")).saved_header is not None
