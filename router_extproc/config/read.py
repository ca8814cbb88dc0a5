"""Reads a configuration file: YAML to a checked, frozen `Config`.

Opens nothing but the file and the Milvus file that it names. All problems are reported together, each
with its YAML path and the line where it is written; a `Config` that comes out of `read_config` has passed
every check.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from router_extproc.cache.milvus.settings import Milvus
from router_extproc.config.check import check_config
from router_extproc.config.document import load, read_text
from router_extproc.config.expand import Expanded, expand
from router_extproc.config.locate import anchor, find_beside
from router_extproc.config.model import Config, SemanticCache
from router_extproc.config.repair import repaired
from router_extproc.config.sources import Source, Sources, is_under
from router_extproc.config.wording import Misfit, misfits
from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.section import Section

#: Where `find_beside` looks.
BESIDE = "beside the configuration or in the working directory"
#: Where the Milvus file's document belongs.
MILVUS_PATH = "semantic_cache.milvus"

AnySection = TypeVar("AnySection", bound=Section)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a configuration file says, and what is wrong with it."""

    #: None: some value has not the form of its section, so that nothing can be said of the whole.
    config: Config | None
    #: Every problem, in the order of the file.
    errors: tuple[ConfigError, ...]
    sources: Sources


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One file: the section as far as it could be read, and what is wrong with it."""

    section: Section | None
    problems: tuple[ConfigError, ...]
    source: Source
    #: No value had to be left out.
    whole: bool = True


def read_config(path: Path, *, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in the file, with the Milvus file it names read into it.

    Relative paths inside mean: relative to the file that holds them. `${NAME}` in a value becomes
    the environment variable; `$${` stands for a plain `${`.

    Raises:
        ConfigProblems: every problem, in the order of the file.
    """
    inspection = inspect_config(path, environ=environ)
    if inspection.errors or inspection.config is None:
        raise ConfigProblems(inspection.errors)
    return inspection.config


def inspect_config(path: Path, *, environ: Mapping[str, str] | None = None) -> Inspection:
    """The same, problems returned and not raised.

    Raises:
        ConfigProblems: the file cannot be read at all.
    """
    variables = os.environ if environ is None else environ
    parsed = _parse(path, Config, variables)
    sources = Sources((parsed.source,))
    config, problems, whole = parsed.section, list(parsed.problems), parsed.whole
    if isinstance(config, Config):
        config, milvus, more = _with_milvus(config, path.parent, variables)
        if milvus is not None:
            sources, whole = Sources((*sources.files, milvus.source)), whole and milvus.whole
        config = anchor(config, path.parent)
        problems += _not_known_yet([*more, *check_config(config)], problems)
    located = [_located(problem, sources) for problem in problems]
    complete = config if isinstance(config, Config) and whole else None
    return Inspection(complete, _in_file_order(located, parsed.source), sources)


def _located(problem: ConfigError, sources: Sources) -> ConfigError:
    """The problem with the place where it is written, unless it has one."""
    if problem.mark is not None:
        return problem
    return ConfigError(problem.path, problem.problem, mark=sources.mark(problem.path))


def _in_file_order(problems: Iterable[ConfigError], source: Source) -> tuple[ConfigError, ...]:
    """By line; sections that are not there come last, and what another file says comes after its section."""
    written = source.expanded.value
    places = {key: place for place, key in enumerate(written if isinstance(written, dict) else ())}

    def place(problem: ConfigError) -> tuple[int, bool, int]:
        section = problem.path.partition(".")[0].partition("[")[0]
        elsewhere = problem.mark is not None and problem.mark.file != source.file
        line = 0 if problem.mark is None else problem.mark.line
        return (places.get(section, len(places)) if section else -1), elsewhere, line

    return tuple(sorted(problems, key=place))


def _with_milvus(
    config: Config, folder: Path, environ: Mapping[str, str]
) -> tuple[Config, _Parsed | None, list[ConfigError]]:
    """The configuration with the file that `backend_config_path` names as `semantic_cache.milvus`."""
    cache = config.semantic_cache
    if not cache.enabled or cache.backend_type != "milvus" or cache.backend_config_path is None:
        return config, None, []
    where = "semantic_cache.backend_config_path"
    if cache.milvus is not None:
        return config, None, [ConfigError(where, "write either this file or semantic_cache.milvus, not both")]
    file = find_beside(cache.backend_config_path, folder)
    if file is None:
        return config, None, [ConfigError(where, f"no file '{cache.backend_config_path}' {BESIDE}")]
    try:
        parsed = _parse(file, Milvus, environ, MILVUS_PATH)
    except ConfigProblems as error:
        return config, None, [ConfigError(where, each.problem, mark=each.mark) for each in error.problems]
    if isinstance(parsed.section, Milvus):
        milvus = anchor(parsed.section, file.parent)
        config = _replace_cache(config, cache.model_copy(update={"milvus": milvus}))
    return config, parsed, list(_named(parsed, f"{where} ({cache.backend_config_path})"))


def _named(parsed: _Parsed, file: str) -> Iterator[ConfigError]:
    """Problems of the Milvus file, which say how one comes there."""
    for problem in parsed.problems:
        mark = problem.mark or parsed.source.mark(f"{MILVUS_PATH}.{problem.path}")
        yield ConfigError(f"{file}: {problem.path}".rstrip(": "), problem.problem, mark=mark)


def _replace_cache(config: Config, cache: SemanticCache) -> Config:
    return config.model_copy(update={"semantic_cache": cache})


def _not_known_yet(found: list[ConfigError], known: list[ConfigError]) -> Iterator[ConfigError]:
    """Leaves out what was found at or under a place that is already reported as malformed."""
    paths = {problem.path for problem in known}
    for problem in found:
        if not any(is_under(problem.path, path) for path in paths):
            yield problem


def _parse(path: Path, section: type[AnySection], environ: Mapping[str, str], prefix: str = "") -> _Parsed:
    """A file to a section; where values are wrong, to what is left of it without them."""
    document = load(read_text(path), str(path))
    expanded = expand(document.value, environ)
    source = Source(str(path), prefix, document.value, expanded, document.places)
    problems = (*document.problems, *expanded.problems)
    try:
        return _Parsed(section.model_validate(expanded.value), problems, source)
    except ValidationError as error:
        found = misfits(error, expanded, section)
        rest = _section_or_none(section, expanded, found)
        return _Parsed(rest, (*problems, *(misfit.problem for misfit in found)), source, whole=False)


def _section_or_none(
    section: type[AnySection], expanded: Expanded, found: tuple[Misfit, ...]
) -> AnySection | None:
    try:
        return section.model_validate(repaired(expanded.value, [misfit.keys for misfit in found]))
    except ValidationError:
        return None
