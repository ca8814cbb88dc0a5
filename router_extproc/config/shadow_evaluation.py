"""The section `shadow`: a sample of requests is asked of another model, too, and the answers are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.pipeline.evaluation.asking import ASK_S
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules, JudgeRule, JudgeWhen
from router_extproc.routing.catalogue import Target
from router_extproc.routing.route import DEFAULT
from router_extproc.section import Section, did_you_mean

if TYPE_CHECKING:
    from router_extproc.config.model import Config

#: No decision may be called so.
_FOR_ALL: Final = ""


class Judge(Section):
    """A model that says whether the other answer is as good: it sees the question and both answers."""

    #: Who judges: a key in `models`, whose pool takes chat completions.
    model: str
    #: Which pairs it sees: those whose texts are not equal, or all that are texts.
    when: JudgeWhen = "uncertain"
    #: Until its whole reply, in seconds.
    timeout_s: float = Field(default=30.0, gt=0, le=ASK_S)


class ShadowEvaluation(Section):
    """The other model is asked by the sidecar itself, once the client has its answer."""

    #: Who is asked, too: a key in `models`.
    model: str
    #: Share of the requests.
    rate: float = Field(default=0.02, ge=0, le=1)
    #: Requests to it and to a judge within any hour, of all workers together.
    per_hour_max: int = Field(default=100, ge=1, le=100_000)
    #: Whether requests that offer tools are asked twice, too.
    allow_tools: bool = False
    #: None: our own comparison of both answers decides alone.
    judge: Judge | None = None

    @property
    def requests(self) -> int:
        """That one evaluation may send."""
        return 1 if self.judge is None else 2


def sections_of(config: Config) -> Iterator[tuple[str, ShadowEvaluation]]:
    """Every such section, with its path."""
    if config.shadow is not None:
        yield "shadow", config.shadow
    for index, decision in enumerate(config.decisions):
        if decision.shadow:
            yield f"decisions[{index}].shadow", decision.shadow


def check_evaluation(config: Config) -> Iterator[ConfigError]:
    """A model that there is not; a budget that cannot be divided; a decision that asks no pool."""
    for path, section in sections_of(config):
        yield from _check_models(path, section, config)
        yield from _check_budget(path, section, config.workers)
    for index, decision in enumerate(config.decisions):
        if decision.shadow and decision.action is not None:
            problem = "has no effect: `action` asks no pool, or changes texts, and no such request is sampled"
            yield ConfigError(f"decisions[{index}].shadow", problem)


def _check_models(path: str, section: ShadowEvaluation, config: Config) -> Iterator[ConfigError]:
    named = {f"{path}.model": section.model}
    if section.judge is not None:
        named[f"{path}.judge.model"] = section.judge.model
    for where, name in named.items():
        if name not in config.models:
            yield ConfigError(where, f"no model named '{name}'{did_you_mean(name, config.models)}")


def _check_budget(path: str, section: ShadowEvaluation, workers: int) -> Iterator[ConfigError]:
    least = workers * section.requests
    if section.per_hour_max < least:
        each = "one" if section.judge is None else "two (one to the judge)"
        problem = f"must be at least {least}, {each} for each of `workers`, got {section.per_hour_max}"
        yield ConfigError(f"{path}.per_hour_max", problem)


def evaluated_in(config: Config) -> Iterator[tuple[str, str, str]]:
    """Decision, a model that may answer there, and the one that is asked, too."""
    models = {each.name: [candidate.model for candidate in each.candidates] for each in config.decisions}
    own = {each.name: each.shadow for each in config.decisions if each.shadow is not None}
    for decision, answering in {**models, DEFAULT: [config.default_model]}.items():
        section = own.get(decision, config.shadow)
        if section:
            yield from ((decision, name, section.model) for name in answering if name != section.model)


def evaluation_of(config: Config, targets: Mapping[str, Target]) -> EvaluationRules:
    """The sections as rules, each for one worker."""

    def rule(name: str, section: ShadowEvaluation) -> EvaluationRule:
        share = section.per_hour_max // config.workers
        return EvaluationRule(
            name,
            targets[section.model],
            section.rate,
            share,
            section.allow_tools,
            _judge_rule(section.judge, targets),
        )

    own = {
        each.name: rule(each.name, each.shadow) if each.shadow else None
        for each in config.decisions
        if each.shadow is not None
    }
    return EvaluationRules(None if config.shadow is None else rule(_FOR_ALL, config.shadow), own)


def _judge_rule(judge: Judge | None, targets: Mapping[str, Target]) -> JudgeRule | None:
    return None if judge is None else JudgeRule(targets[judge.model], judge.when, judge.timeout_s)
