"""Takes out of a new configuration what `check` would refuse, so that what is written is always valid.

Old files have values that ours refuses: a threshold over 1, a header name with a space. Each is left out and
noted. Where a decision could then take other requests than it should, the whole decision is left out.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from router_extproc.config.check import check_config
from router_extproc.config.check_serving import check_serving
from router_extproc.config.expand import Expanded
from router_extproc.config.model import Config
from router_extproc.config.wording import misfits
from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import Ledger, Loss

#: More rounds than any file needs: each takes out at least one value.
ROUNDS_MAX: Final = 1000
_INDEX: Final = re.compile(r"\[(\d+)\]")
_KEY: Final = re.compile(r"[.\[]")
#: Without these a decision, a model or a signal is none.
_ESSENTIAL: Final = frozenset({"name", "when", "model", "models", "action", "type", "cluster"})


@dataclass(frozen=True, slots=True)
class Fitted:
    """A value that `check` accepts."""

    value: dict[str, JsonValue]
    #: For each decision that is left, its place in the value that was given.
    decisions: Sequence[int]


def fitted(value: dict[str, JsonValue], origins: Mapping[str, str], ledger: Ledger) -> Fitted:
    """The value without what is refused; `ledger` gets a note of each.

    Raises:
        ConfigProblems: something that a configuration cannot do without is refused.
    """
    made = copy.deepcopy(value)
    sources = list(range(len(_decisions(made))))
    for _ in range(ROUNDS_MAX):
        problem = next(_problems(made), None)
        if problem is None:
            break
        place = _place(problem.path, made)
        removed = _remove(made, place, sources, origins)
        if removed is None:
            raise ConfigProblems((problem,))
        ledger.lose(removed, _loss(problem))
    return Fitted(made, sources)


def _loss(problem: ConfigError) -> Loss:
    """Why the value is left out, in words that are the same for every decision."""
    where = _INDEX.sub("[]", problem.path)
    if problem.problem.startswith("unknown key"):
        return Loss(f"this version has no {where}", "", "behaviour")
    return Loss(f"refused as {where}: {problem.problem}", "write it anew", "behaviour")


def _problems(value: Mapping[str, JsonValue]) -> Iterator[ConfigError]:
    try:
        config = Config.model_validate(value)
    except ValidationError as error:
        yield from (misfit.problem for misfit in misfits(error, Expanded(dict(value)), Config))
        return
    yield from check_config(config)
    yield from check_serving(config)


def _place(path: str, value: object) -> list[str | int]:
    """The keys of a YAML path; a key may have dots in it, so those that are there come first."""
    if index := _INDEX.match(path):
        number = int(index[1])
        inner = value[number] if isinstance(value, list) and number < len(value) else None
        return [number, *_place(path[index.end() :], inner)]
    path = path.removeprefix(".")
    known = value if isinstance(value, dict) else {}
    there = [key for key in known if path == key or path.startswith((f"{key}.", f"{key}["))]
    key = max(there, key=len) if there else _KEY.split(path)[0]
    return [key, *_place(path[len(key) :], known.get(key))] if key else []


def _remove(
    value: dict[str, JsonValue], place: Sequence[str | int], sources: list[int], origins: Mapping[str, str]
) -> str | None:
    """Take out what a problem is about; its path in the old file, or None where it cannot be done without."""
    match place:
        case ["decisions", int(index), *rest]:
            origin = origins.get(f"decisions[{sources[index]}]", "decisions")
            key = str(rest[0]) if rest else "name"
            decision = _decisions(value)[index]
            if key in _ESSENTIAL or key not in decision:
                del _decisions(value)[index]
                del sources[index]
            else:
                _prune(decision, rest)
            return origin
        case ["signals" as section, name, *_] | ["envoy", section, name, *_] if section != "clusters":
            parent = value.get(str(section))
            return _drop(parent, str(name), f"{section}.{name}")
        case ["semantic_cache", name, *_]:
            return _drop(value.get("semantic_cache"), str(name), f"semantic_cache.{name}")
        case ["models", name, key, *_] if key not in _ESSENTIAL:
            models = value.get("models")
            model = models.get(str(name)) if isinstance(models, dict) else None
            return _drop(model, str(key), f"models.{name}.{key}")
    return None


def _prune(section: dict[str, JsonValue], keys: Sequence[str | int]) -> None:
    """Take out the innermost value that the keys lead to through mappings; the first of them is there."""
    key, *rest = keys
    inner = section[str(key)]
    if rest and isinstance(inner, dict) and rest[0] in inner and len(inner) > 1:
        _prune(inner, rest)
    else:
        del section[str(key)]


def _drop(section: object, key: str, path: str) -> str | None:
    if not isinstance(section, dict) or key not in section:
        return None
    del section[key]
    return path


def _decisions(value: Mapping[str, JsonValue]) -> Any:  # a list of dicts, made by compose
    return value.get("decisions") or []
