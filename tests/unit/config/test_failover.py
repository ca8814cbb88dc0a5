from __future__ import annotations

import pytest

from router_extproc.config.failover import Failover, chains_of, default_chain, orders_of

from .conftest import Problems, Read

FOUR = """\
version: 1
default_model: a
models:
  a: {cluster: pa, fallback: c}
  b: {cluster: pb%s}
  c: {cluster: pc}
  d: {cluster: pa}
envoy: {clusters: {pa: {endpoints: ['a:1']}, pb: {endpoints: ['b:1']}, pc: {endpoints: ['c:1']}}}
decisions:
  - {name: two, models: [b, a, d]}
"""


@pytest.mark.parametrize(
    ("written", "section"),
    [
        ("", Failover()),
        ("failover: true", Failover()),
        ("failover: false", False),
        ("failover: {attempts_max: 3, on: [refused]}", Failover(attempts_max=3, on=("refused",))),
    ],
)
def test_the_forms_of_the_section(read: Read, written: str, section: object) -> None:
    assert read(FOUR % "" + written).failover == section


def test_fallbacks_come_first_then_the_other_candidates_and_each_pool_once(read: Read) -> None:
    orders = orders_of(read(FOUR % "" + "failover: {attempts_max: 4}"))
    assert orders["two", "b"] == ("a",)
    assert orders["two", "a"] == ("c", "b")
    assert orders["", "a"] == ("c",)
    assert orders["", "b"] == ()


def test_envoy_has_a_cluster_for_every_order_in_which_a_request_may_be_sent_on(read: Read) -> None:
    assert set(chains_of(read(FOUR % ""))) == {("pa", "pc"), ("pb", "pa"), ("pa", "pb")}
    longer = read(FOUR % "" + "failover: {attempts_max: 3}")
    assert ("pa", "pc", "pb") in chains_of(longer)
    assert default_chain(longer) == ("pa", "pc")


def test_a_model_that_may_be_passed_over_is_left_out_of_some_orders(read: Read) -> None:
    listed = FOUR.replace("models: [b, a, d]", "models: [c, b, a]") % ", accepts: [text]"
    assert {chain for chain in chains_of(read(listed)) if chain[0] == "pc"} == {("pc", "pb"), ("pc", "pa")}


@pytest.mark.parametrize(
    "section", ["failover: false", "failover: {attempts_max: 1}", "decisions[0].failover: false"]
)
def test_it_can_be_switched_off(read: Read, section: str) -> None:
    text = FOUR % "" + section
    if section.startswith("decisions"):
        text = FOUR.replace("models: [b, a, d]}", "models: [b, a, d], failover: false}") % ""
        assert set(chains_of(read(text))) == {("pa", "pc")}
        assert orders_of(read(text))["two", "a"] == ()
    else:
        assert chains_of(read(text)) == ()
        assert default_chain(read(text)) == ("pa",)


def test_a_pool_that_the_bootstrap_does_not_know_is_asked_for_nobody(read: Read) -> None:
    text = "version: 1\ndefault_model: a\nmodels:\n  a: {cluster: pa, fallback: b}\n  b: {cluster: pb}\n"
    assert chains_of(read(text)) == ()


def test_the_first_byte_may_not_wait_longer_than_a_pause(problems: Problems) -> None:
    (problem,) = problems("failover: {first_byte_timeout_s: 601}\n")
    assert problem.startswith("failover.first_byte_timeout_s: must be <= envoy.stream_idle_timeout_s")


@pytest.mark.parametrize(
    "value", ["{attempts_max: 0}", "{attempts_max: 5}", "{on: []}", "{on: [late]}", "maybe"]
)
def test_what_cannot_be_is_refused(problems: Problems, value: str) -> None:
    (problem,) = problems(f"failover: {value}\n")
    assert problem.startswith("failover")
