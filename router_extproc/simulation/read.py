"""Reads a scenario from its file, or lists everything that is wrong with it."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from router_extproc.config.document import load, read_text
from router_extproc.config.expand import expand
from router_extproc.config.wording import misfits
from router_extproc.errors import ConfigError, ConfigProblems, Mark
from router_extproc.section import did_you_mean
from router_extproc.simulation.scenario import (
    OWN_QUALITIES,
    REQUESTS_MAX,
    Event,
    Scenario,
)

#: In the place of required values that do not fit, so that the rest is looked at in the same run.
_STAND_INS: Final[Mapping[str, object]] = {
    "ttft_s": 1.0,
    "s_per_token": 0.0,
    "at_s": 0.0,
    "model": "unreadable",
    "happens": "outage",
}
#: Keys of scenarios without sessions.
_OF_REQUESTS: Final = frozenset({"duration_s", "events", "feedback", "requests_per_s"})
#: What is wrong only because of a stand-in: end of a path, and where the value is whose place it takes.
_FOLLOWS: Final[Mapping[str, str]] = {
    "at_s": "duration_s",
    "requests_per_s": "duration_s",
    "factor": "happens",
    "retry_after_s": "happens",
}


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file.

    Raises:
        ConfigProblems: all that is wrong with it, by line.
    """
    document = load(read_text(path), str(path))
    expanded = expand(document.value, {})
    problems = [*document.problems, *expanded.problems]
    try:
        scenario = Scenario.model_validate(expanded.value)
    except ValidationError as error:
        found = misfits(error, expanded, Scenario)
        problems += [_named(each.keys, each.problem) for each in found]
        problems += _left(_mended(expanded.value, [each.keys for each in found]), problems)
    else:
        problems += _problems(scenario)
    if problems:
        raise ConfigProblems(tuple(_Places(str(path), document.places).locate(each) for each in problems))
    return scenario


def _named(keys: tuple[str | int, ...], problem: ConfigError) -> ConfigError:
    """A selection's kind is its `by`."""
    if keys[:1] == ("selections",) and keys[-1] == "type":
        return ConfigError(f"{problem.path.removesuffix('.type')}.by", problem.problem)
    return problem


def _mended(document: object, places: Iterable[tuple[str | int, ...]]) -> object:
    """The document without values that do not fit, or with others in their place."""
    rest = copy.deepcopy(document)
    for place in places:
        match place:
            case ("selections", str(), *_):
                _put(rest, place[:2], {"by": "fixed"})
            case ("models", str()):
                _put(rest, place, {"ttft_s": 1.0, "s_per_token": 0.0})
            case ("events", int()):
                _put(rest, place, {"at_s": 0.0, "model": "unreadable", "happens": "outage"})
            case (*_, str(key)):
                _put(rest, place, _STAND_INS.get(key))
    return rest


def _put(document: object, place: tuple[str | int, ...], value: object) -> None:
    """Put a value in its place; None: leave that out."""
    here: Any = document  # YAML: any nesting of dicts, lists and scalars
    for key in place[:-1]:
        here = here[key]
    if value is not None:
        here[place[-1]] = value
    elif isinstance(here, dict):
        here.pop(place[-1], None)


def _left(rest: object, known: Collection[ConfigError]) -> Iterator[ConfigError]:
    """What is wrong beside values that do not fit."""
    paths = {problem.path for problem in known}
    try:
        scenario = Scenario.model_validate(rest)
    except ValidationError:
        return
    for problem in _problems(scenario):
        way, _, last = problem.path.rpartition(".")
        follows = _FOLLOWS.get(last, "")
        beside = {problem.path, way, f"{way}.{follows}", follows}
        if not paths & beside and not any(path.startswith(f"{problem.path}.") for path in paths):
            yield problem


def _problems(scenario: Scenario) -> Iterator[ConfigError]:
    """What no single value can tell."""
    requests = scenario.duration_s * scenario.requests_per_s * len(scenario.selections)
    if requests > REQUESTS_MAX:
        problem = f"{requests:,.0f} requests over all selections are more than {REQUESTS_MAX:,}"
        yield ConfigError("requests_per_s", problem)
    for key in (
        ("events", "duration_s", "requests_per_s", "feedback") if scenario.sessions is not None else ()
    ):
        if key in scenario.model_fields_set:
            yield ConfigError(key, "belongs to a scenario without sessions")
    for name, model in scenario.models.items():
        yield from _quality_problems(f"models.{name}.quality", model.quality, scenario.prompts)
        yield from _quality_problems(
            f"models.{name}.expected_quality", model.expected_quality, scenario.prompts
        )
    for index, event in enumerate(scenario.events):
        yield from _event_problems(f"events[{index}]", event, scenario)
    for name, selection in scenario.selections.items():
        if selection.model_dump().get("model", OWN_QUALITIES) != OWN_QUALITIES:
            problem = "qualities are those of the scenario (models.*.quality): leave it out"
            yield ConfigError(f"selections.{name}.model", problem)


def _quality_problems(
    path: str, quality: float | Mapping[str, float] | None, prompts: Mapping[str, float]
) -> Iterator[ConfigError]:
    if not isinstance(quality, Mapping):
        return
    for kind in prompts:
        if kind not in quality:
            yield ConfigError(path, f"has no '{kind}', which is in prompts")
    for kind in quality:
        if kind not in prompts:
            yield ConfigError(f"{path}.{kind}", f"is not in prompts{did_you_mean(kind, prompts)}")


def _event_problems(path: str, event: Event, scenario: Scenario) -> Iterator[ConfigError]:
    if event.model not in scenario.models:
        hint = did_you_mean(event.model, scenario.models)
        yield ConfigError(f"{path}.model", f"no model '{event.model}'{hint}")
    if event.at_s >= scenario.duration_s:
        yield ConfigError(f"{path}.at_s", f"must be < duration_s ({scenario.duration_s:g})")
    if "factor" in event.model_fields_set and event.happens != "slow":
        yield ConfigError(f"{path}.factor", "belongs to happens: slow")
    if event.happens == "slow" and "factor" not in event.model_fields_set:
        yield ConfigError(f"{path}.factor", "is missing: how many times as long everything takes")
    if event.retry_after_s is not None and event.happens != "rate_limited":
        yield ConfigError(f"{path}.retry_after_s", "belongs to happens: rate_limited")


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the values of a file are written."""

    file: str
    places: Mapping[str, tuple[int, int]]

    def locate(self, problem: ConfigError) -> ConfigError:
        """With the line of its value, or of what holds it."""
        if problem.mark is not None:
            return problem
        path = problem.path
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        line, column = self.places.get(path, (1, 1))
        return ConfigError(problem.path, problem.problem, mark=Mark(self.file, line, column))
