"""Which requests the sections `shadow` sample, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.config.shadow_evaluation import evaluated_in
from router_extproc.config.translate import router_policy_of
from router_extproc.pipeline.evaluation.rules import EvaluationRule, JudgeRule

from .conftest import Problems, Read

TEXT = """\
version: 1
workers: 4
default_model: large
models:
  large: {cluster: pl, cost: {input_per_mtok: 4, output_per_mtok: 8}}
  small: {cluster: ps, cost: {input_per_mtok: 1, output_per_mtok: 2}}
signals: {k: {type: keywords, any: [asap]}}
"""
DECISIONS = """\
decisions:
  - name: own
    model: large
    when: {k: true}
    shadow: {model: small, rate: 0.5, per_hour_max: 9, allow_tools: true}
  - {name: never, model: large, shadow: false}
  - {name: all, model: large}
"""


def test_a_decision_has_its_own_rule_none_or_that_for_all_and_each_worker_its_share(read: Read) -> None:
    policy = router_policy_of(read(TEXT + DECISIONS + "shadow: {model: small}"))
    rules, small = policy.evaluation, policy.catalogue.targets["small"]
    assert rules.of("own") == EvaluationRule("own", small, 0.5, 2, allow_tools=True)
    assert rules.of("never") is None
    for_all = EvaluationRule("", small, 0.02, 25)
    assert [rules.of(name) for name in ("all", "default")] == [for_all, for_all]
    assert policy.needs_encoder


def test_a_judge_is_part_of_the_rule_and_of_its_budget(read: Read) -> None:
    judge = "judge: {model: large, when: always, timeout_s: 5}"
    policy = router_policy_of(read(TEXT + "shadow: {model: small, per_hour_max: 8, " + judge + "}"))
    rule, large = policy.evaluation.of("default"), policy.catalogue.targets["large"]
    assert rule is not None
    assert (rule.judge, rule.per_hour, rule.requests) == (JudgeRule(large, "always", 5.0), 2, 2)
    policy = router_policy_of(read(TEXT + "shadow: {model: small, judge: {model: large}}"))
    assert policy.evaluation.default == replace(rule, per_hour=25, rate=0.02, judge=JudgeRule(large))


def test_what_may_be_compared_is_known_before_it_is(read: Read) -> None:
    """Counters begin at 0 by it."""
    config = read(TEXT + DECISIONS + "shadow: {model: small}")
    assert list(evaluated_in(config)) == [(name, "large", "small") for name in ("own", "all", "default")]
    assert list(evaluated_in(read(TEXT))) == []


def test_without_the_section_nothing_is_sampled_and_no_encoder_needed(read: Read) -> None:
    policy = router_policy_of(read(TEXT))
    assert not policy.evaluation
    assert policy.evaluation.of("default") is None
    assert not policy.needs_encoder


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("shadow: {model: smal}", "shadow.model", "no model named 'smal' (did you mean 'small'?)"),
        ("shadow: {model: small, per_hour_max: 3}", "shadow.per_hour_max", "must be at least 4"),
        (
            "shadow: {model: small, per_hour_max: 7, judge: {model: large}}",
            "shadow.per_hour_max",
            "must be at least 8, two (one to the judge)",
        ),
        ("shadow: {model: small, judge: {model: larg}}", "shadow.judge.model", "did you mean 'large'?"),
        ("shadow: {model: small, judge: {}}", "shadow.judge.model", "required"),
        ("shadow: {model: small, judge: {model: large, when: never}}", "shadow.judge.when", "always"),
        ("shadow: {model: small, judge: {model: large, timeout_s: 0}}", "shadow.judge.timeout_s", "> 0"),
        ("shadow: {model: small, judge: {model: large, timeout_s: 121}}", "shadow.judge.timeout_s", "<= 120"),
        ("shadow: {model: small, judge: large}", "shadow.judge", ""),
        ("shadow: {model: small, judge: {model: large, rubric: x}}", "shadow.judge.rubric", "unknown key"),
        ("shadow: {model: small, rate: 2}", "shadow.rate", "must be <= 1"),
        (
            "decisions: [{name: d, action: {answer: no}, shadow: {model: small}}]",
            "decisions[0].shadow",
            "has no effect",
        ),
    ],
)
def test_what_is_wrong_is_told(problems: Problems, text: str, path: str, words: str) -> None:
    (problem,) = problems(TEXT + text, alone=True)
    assert problem.startswith(f"{path}: ")
    assert words in problem
