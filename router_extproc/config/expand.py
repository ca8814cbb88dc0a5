"""Puts environment variables in place of `${NAME}`, so that secrets stay out of the file.

It remembers which values came from the environment, so that no message ever repeats them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from router_extproc.errors import ConfigError

_VARIABLE = re.compile(r"\$(\$\{|\{([A-Za-z_][A-Za-z0-9_]*)\})")


@dataclass(slots=True)
class Expanded:
    """A document after expansion, with what was met on the way."""

    value: object = None
    #: YAML paths whose value came from the environment.
    secret_paths: set[str] = field(default_factory=set)
    problems: list[ConfigError] = field(default_factory=list)


def expand(document: object, environ: Mapping[str, str]) -> Expanded:
    """The document with every `${NAME}` in a value replaced, and keys as text."""
    expanded = Expanded()
    expanded.value = _expand(document, "", environ, expanded)
    return expanded


def join(path: str, key: object) -> str:
    """The YAML path of a key (text) or an item (number) under `path`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _expand(value: object, path: str, environ: Mapping[str, str], into: Expanded) -> object:
    match value:
        case dict():
            return {
                str(key): _expand(item, join(path, str(key)), environ, into) for key, item in value.items()
            }
        case list():
            return [_expand(item, join(path, index), environ, into) for index, item in enumerate(value)]
        case str() if "${" in value:
            return _expand_text(value, path, environ, into)
    return value


def _expand_text(value: str, path: str, environ: Mapping[str, str], into: Expanded) -> str:
    def replace(match: re.Match[str]) -> str:
        name = match[2]
        if name is None:
            return "${"
        into.secret_paths.add(path)
        if name not in environ:
            into.problems.append(ConfigError(path, f"the environment variable {name} is not set"))
        return environ.get(name, "")

    return _VARIABLE.sub(replace, value)
