"""Warnings of shadow evaluations that show nothing, or cannot be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router_extproc.config.model import Config, Model
from router_extproc.config.shadow_evaluation import sections_of
from router_extproc.config.warnings.base import ConfigWarning, Subject


def warn_of_evaluation(subject: Subject) -> Iterator[ConfigWarning]:
    """A model that saves nothing, has no price, judges itself, or cannot be reached by the sidecar."""
    config = subject.config
    for path, section in sections_of(config):
        shadow = config.models.get(section.model)
        if shadow is None:
            continue
        compared = [name for name in _answering(config, path) if name != section.model]
        if not compared:
            problem = f"has no effect: '{section.model}' is the only model that answers there"
            yield ConfigWarning(f"{path}.model", problem)
        yield from _warn_of_prices(f"{path}.model", section.model, compared, config.models)
        yield from _warn_of_pool(f"{path}.model", section.model, config, "evaluation")
        if section.judge is not None and section.judge.model in config.models:
            yield from _warn_of_pool(f"{path}.judge.model", section.judge.model, config, "verdict")
            if section.judge.model == section.model:
                problem = f"'{section.model}' judges its own answers, which a model tends to prefer"
                yield ConfigWarning(f"{path}.judge.model", problem)


def _warn_of_pool(path: str, name: str, config: Config, what: str) -> Iterator[ConfigWarning]:
    cluster = config.models[name].cluster
    if cluster not in config.envoy.clusters:
        problem = (
            f"the sidecar asks '{name}' itself, and does not know where its pool is: every"
            f" {what} fails; write envoy.clusters.{cluster}.endpoints"
        )
        yield ConfigWarning(path, problem)


def _answering(config: Config, path: str) -> tuple[str, ...]:
    """The models of the decisions that the section is for."""
    if path != "shadow":
        index = int(path.partition("[")[2].partition("]")[0])
        return tuple(each.model for each in config.decisions[index].candidates)
    for_all = (each for each in config.decisions if each.shadow is None and each.action is None)
    named = (candidate.model for each in for_all for candidate in each.candidates)
    return tuple(dict.fromkeys((*named, config.default_model)))


def _warn_of_prices(
    path: str, name: str, compared: list[str], models: Mapping[str, Model]
) -> Iterator[ConfigWarning]:
    known = [models[other] for other in compared if other in models]
    if not any(_price(model) for model in (models[name], *known)):
        yield ConfigWarning(path, "no model has a price, so it cannot be told what switching would save")
    elif known and all(_price(models[name]) >= _price(model) for model in known):
        yield ConfigWarning(path, f"'{name}' is no cheaper than the models that answer: nothing can be saved")


def _price(model: Model) -> float:
    return model.cost.input_per_mtok + model.cost.output_per_mtok
