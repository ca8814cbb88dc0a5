"""YAML text to a document and back: the line of every value, keys written twice, and bounds on size.

The only module that knows YAML. An alias is written out here, so a small text may mean a huge document:
what is too large is refused before it is built.
"""

from __future__ import annotations

import codecs
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import yaml

from router_extproc.config.expand import join
from router_extproc.errors import ConfigError, ConfigProblems, Mark

#: A configuration with thousands of example prompts is far below it.
FILE_BYTES_MAX: Final = 4 * 1024 * 1024
#: Values of one document, those behind aliases counted each time.
VALUES_MAX: Final = 200_000
#: Deeper than any section, far less than the interpreter's own limit.
DEPTH_MAX: Final = 100
#: What YAML says of a tab that indents.
_TAB: Final = "found character '\\t' that cannot start any token"
_WIDTH: Final = 110

#: Line and column, both from one on.
Place: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document, and where its values are written."""

    #: Any nesting of dicts, lists and scalars.
    value: object
    #: By YAML path; "" is the document itself.
    places: Mapping[str, Place] = field(default_factory=dict)
    #: Keys that are written twice.
    problems: tuple[ConfigError, ...] = ()


def read_text(path: Path) -> str:
    """The text of a configuration file.

    Raises:
        ConfigProblems: it cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _alone(f"cannot read {path}: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise _alone(f"cannot read {path}: it is larger than {FILE_BYTES_MAX} bytes")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _alone(f"cannot read {path}: it is not UTF-8 text (line {line})") from error


def load(text: str, file: str) -> Document:
    """The document of a text (an empty text is an empty mapping); `file` is its name in problems.

    Raises:
        ConfigProblems: the text is no YAML, or means a document that is too large.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document({}, {"": (1, 1)})
        _check_size(node)
        problems = tuple(_find_duplicates(node, "", file))
        value = loader.construct_document(node)
        # Constructing has put in place what `<<` merges.
        return Document(value, dict(_find_places(node, "", node)), problems)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise ConfigProblems((_malformed(error, file),)) from error


def dump(value: object) -> str:
    """The value as YAML, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


# ── traps of YAML ─────────────────────────────────────────────────────────────────────────────


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


class _Dumper(yaml.SafeDumper):
    """Writes out what is there twice: no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - yaml's own signature
        return True


def _check_size(node: yaml.Node) -> None:
    """Count values as if aliases were written out; an alias inside itself ends here, too."""
    count = 0
    waiting = [(node, 0)]
    while waiting:
        here, depth = waiting.pop()
        count += 1
        if count > VALUES_MAX:
            raise yaml.MarkedYAMLError(
                problem=f"more than {VALUES_MAX} values, counting those behind aliases",
                problem_mark=node.start_mark,
            )
        if depth > DEPTH_MAX:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {DEPTH_MAX}", problem_mark=here.start_mark
            )
        waiting += [(child, depth + 1) for child in _children(here)]


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from (key, value)


def _find_duplicates(node: yaml.Node, path: str, file: str) -> Iterator[ConfigError]:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _find_duplicates(item, join(path, index), file)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[Hashable, int] = {}
    for key, value in node.value:
        here = join(path, str(key.value))
        line, column = _place(key)
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            problem = f"is written twice, in lines {seen[key.value]} and {line}"
            yield ConfigError(here, problem, mark=Mark(file, line, column))
        seen.setdefault(str(key.value), line)
        yield from _find_duplicates(value, here, file)


# ── places ────────────────────────────────────────────────────────────────────────────────────


def _find_places(node: yaml.Node, path: str, marked: yaml.Node) -> Iterator[tuple[str, Place]]:
    """Each value's place: that of its key, or its own in a list."""
    yield path, _place(marked)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _find_places(item, join(path, index), item)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _find_places(value, join(path, str(key.value)), key)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


# ── what is no YAML ───────────────────────────────────────────────────────────────────────────


def _alone(problem: str) -> ConfigProblems:
    return ConfigProblems((ConfigError("", problem),))


def _malformed(error: Exception, file: str) -> ConfigError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        reason = "tabs cannot indent, use spaces" if error.problem == _TAB else error.problem
        problem = f"not valid YAML: line {line}, column {column}: {reason}"
        return ConfigError("", problem, mark=Mark(file, line, column))
    if isinstance(error, RecursionError):
        problem = f"not valid YAML: nested deeper than {DEPTH_MAX}"
        return ConfigError("", problem, mark=Mark(file, 1, 1))
    problem = "not valid YAML: it contains characters or numbers that YAML does not allow"
    return ConfigError("", problem, mark=Mark(file, 1, 1))
