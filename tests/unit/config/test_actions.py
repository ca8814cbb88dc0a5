"""Decisions that act, and lists of candidates: what is accepted, and what each problem says."""

from __future__ import annotations

import pytest

from router_extproc.config.check import check_config
from router_extproc.config.document import load
from router_extproc.config.model import Config
from router_extproc.config.translate import router_policy_of
from router_extproc.routing.actions import AnswerText, Block
from router_extproc.routing.route import LocalReply, Route
from router_extproc.signals.base import Reading

HEAD = """
version: 1
default_model: small
models: {small: {cluster: a}, large: {cluster: b}}
signals: {urgent: {type: keywords, any: [now]}, other: {type: keywords, any: [then]}}
decisions:
"""
URGENT = {"urgent": Reading("urgent", "now", 1.0)}


def config_of(decision: str) -> Config:
    return Config.model_validate(load(HEAD + f"  - {decision}\n", "router.yaml").value)


def problems(decision: str) -> list[str]:
    return [str(problem) for problem in check_config(config_of(decision))]


def test_a_block_and_an_answer_need_no_model() -> None:
    assert problems("{name: a, when: {urgent: true}, action: {block: {message: No.}}}") == []
    assert problems("{name: a, when: {urgent: true}, action: {answer: We are closed.}}") == []


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        ("{name: a}", "decisions[0].model: is required: a model, several in models, or an action"),
        (
            "{name: a, model: small, action: {}}",
            "decisions[0].action: does nothing: write block, answer, redact or mask",
        ),
        (
            "{name: a, action: {answer: Hi., block: {}}}",
            "decisions[0].action: write either block or answer, not both",
        ),
        (
            "{name: a, model: small, action: {answer: Hi.}}",
            "decisions[0].model: has no effect beside the action, which asks no model",
        ),
        (
            "{name: a, model: small, models: [large]}",
            "decisions[0].models: write either model or models, not both",
        ),
        (
            "{name: a, models: [small, larg]}",
            "decisions[0].models[1]: no model named 'larg' (did you mean 'large'?)",
        ),
        ("{name: a, models: [small, {model: small}]}", "decisions[0].models: 'small' is listed twice"),
    ],
)
def test_each_problem_says_where_and_what(decision: str, problem: str) -> None:
    assert problems(decision) == [problem]


def test_the_policy_acts_as_written() -> None:
    blocked = router_policy_of(config_of("{name: a, when: {urgent: true}, action: {block: {status: 451}}}"))
    reply = blocked.routing.decide(URGENT)
    assert isinstance(reply, LocalReply)
    assert reply.action == Block("This request was refused.", 451)
    answered = router_policy_of(config_of("{name: a, when: {urgent: true}, action: {answer: Hi.}}"))
    reply = answered.routing.decide(URGENT)
    assert isinstance(reply, LocalReply)
    assert reply.action == AnswerText("Hi.")


def test_the_first_of_several_candidates_is_taken() -> None:
    policy = router_policy_of(config_of("{name: a, models: [large, {model: small, weight: 2}]}"))
    route = policy.routing.decide({})
    assert isinstance(route, Route)
    assert route.target.model == "large"
    decision = policy.routing
    assert decision.may_send("a", policy.catalogue.targets["small"])


def test_rules_are_part_of_the_keys_only_where_a_decision_acts() -> None:
    plain = router_policy_of(config_of("{name: a, when: {urgent: true}, model: large}"))
    assert plain.local_rules == ""
    one = router_policy_of(config_of("{name: a, when: {urgent: true}, action: {answer: Hi.}}"))
    other = router_policy_of(config_of("{name: a, when: {other: true}, action: {answer: Hi.}}"))
    assert one.local_rules
    assert one.local_rules != other.local_rules
