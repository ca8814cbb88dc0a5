"""Reads a configuration file: YAML to a checked, frozen `Config`.

It opens nothing but the file and the Milvus file that it names. The rule it keeps: all problems are
reported together, each with its YAML path; a `Config` that comes out of here has passed every check.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from router_extproc.config.check import check_config
from router_extproc.config.expand import Expanded, expand
from router_extproc.config.locate import anchor, find_beside
from router_extproc.config.milvus import Milvus
from router_extproc.config.model import Config, SemanticCache
from router_extproc.config.repair import repaired
from router_extproc.config.wording import Misfit, misfits
from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.section import Section

#: Where `find_beside` looks.
BESIDE = "beside the configuration or in the working directory"

AnySection = TypeVar("AnySection", bound=Section)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One file: the section as far as it could be read, and what is wrong with it."""

    section: Section | None
    problems: tuple[ConfigError, ...]
    #: The top-level keys as written.
    keys: tuple[str, ...] = ()


def read_config(path: Path, *, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in the file, with the Milvus file it names read into it.

    Relative paths inside mean: relative to the file that holds them. `${NAME}` in a value becomes
    the environment variable; `$${` stands for a plain `${`.

    Raises:
        ConfigProblems: every problem, in the order of the file.
    """
    variables = os.environ if environ is None else environ
    parsed = _parse(_text_of(path), Config, variables)
    config, problems = parsed.section, list(parsed.problems)
    if isinstance(config, Config):
        config, more = _with_milvus(config, path.parent, variables)
        config = anchor(config, path.parent)
        problems += _not_known_yet([*more, *check_config(config)], problems)
    if problems or not isinstance(config, Config):
        raise ConfigProblems(_in_file_order(problems, parsed.keys))
    return config


def _in_file_order(problems: list[ConfigError], keys: tuple[str, ...]) -> tuple[ConfigError, ...]:
    """By top-level section as written; sections that are not there come last."""
    places = {key: place for place, key in enumerate(keys)}

    def place(problem: ConfigError) -> int:
        section = problem.path.partition(".")[0].partition("[")[0]
        return places.get(section, len(places)) if section else -1

    return tuple(sorted(problems, key=place))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigProblems((ConfigError("", f"cannot read {path}: {error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        raise ConfigProblems((ConfigError("", f"cannot read {path}: it is not UTF-8 text"),)) from error


def _with_milvus(
    config: Config, folder: Path, environ: Mapping[str, str]
) -> tuple[Config, list[ConfigError]]:
    """The configuration with the file that `backend_config_path` names as `semantic_cache.milvus`."""
    cache = config.semantic_cache
    if not cache.enabled or cache.backend_type != "milvus" or cache.backend_config_path is None:
        return config, []
    where = "semantic_cache.backend_config_path"
    if cache.milvus is not None:
        return config, [ConfigError(where, "give either this file or semantic_cache.milvus, not both")]
    file = find_beside(cache.backend_config_path, folder)
    if file is None:
        return config, [ConfigError(where, f"no file '{cache.backend_config_path}' {BESIDE}")]
    try:
        parsed = _parse(_text_of(file), Milvus, environ)
    except ConfigProblems as error:
        return config, [ConfigError(where, problem.problem) for problem in error.problems]
    if isinstance(parsed.section, Milvus):
        milvus = anchor(parsed.section, file.parent)
        config = _replace_cache(config, cache.model_copy(update={"milvus": milvus}))
    problems = [
        ConfigError(f"{where} ({cache.backend_config_path}): {problem.path}".rstrip(": "), problem.problem)
        for problem in parsed.problems
    ]
    return config, problems


def _replace_cache(config: Config, cache: SemanticCache) -> Config:
    return config.model_copy(update={"semantic_cache": cache})


def _not_known_yet(found: list[ConfigError], known: list[ConfigError]) -> Iterator[ConfigError]:
    """Leaves out what was found at or under a place that is already reported as malformed."""
    paths = {problem.path for problem in known}
    for problem in found:
        if not any(
            problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")) for path in paths
        ):
            yield problem


def _parse(text: str, section: type[AnySection], environ: Mapping[str, str]) -> _Parsed:
    """Text to a section; where values are wrong, to what is left of it without them."""
    raw, duplicates = _load(text)
    expanded = expand(raw, environ)
    problems = (*duplicates, *expanded.problems)
    keys = tuple(expanded.value) if isinstance(expanded.value, dict) else ()
    try:
        return _Parsed(section.model_validate(expanded.value), problems, keys)
    except ValidationError as error:
        found = misfits(error, expanded, section)
        rest = _section_or_none(section, expanded, found)
        return _Parsed(rest, (*problems, *(misfit.problem for misfit in found)), keys)


def _section_or_none(
    section: type[AnySection], expanded: Expanded, found: tuple[Misfit, ...]
) -> AnySection | None:
    try:
        return section.model_validate(repaired(expanded.value, [misfit.keys for misfit in found]))
    except ValidationError:
        return None


# ── YAML ──────────────────────────────────────────────────────────────────────────────────────


class _Loader(yaml.SafeLoader):
    """YAML without its traps: `off`, `no` and dates stay text; only true and false are booleans."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - so declared by yaml
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _load(text: str) -> tuple[object, list[ConfigError]]:
    """The document (an empty one is an empty mapping), and its duplicate keys."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return {}, []
        duplicates = list(_duplicates(node, ""))
        return loader.construct_document(node), duplicates
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigProblems((ConfigError("", f"not valid YAML: {_where(error)}"),)) from error


def _duplicates(node: yaml.Node, path: str) -> Iterator[ConfigError]:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _duplicates(item, f"{path}[{index}]")
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[Hashable, int] = {}
    for key, value in node.value:
        here = f"{path}.{key.value}" if path else str(key.value)
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            yield ConfigError(here, f"written twice, in lines {seen[key.value]} and {line}")
        seen.setdefault(str(key.value), line)
        yield from _duplicates(value, here)


def _where(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return "it is nested too deeply or holds characters that YAML does not allow"
