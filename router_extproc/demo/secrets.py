"""Keeps what a configuration took from the environment out of the file that the demo writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from router_extproc.config.locate import find_beside
from router_extproc.config.model import Config
from router_extproc.llm.answer import JsonValue

_NAME: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def secrets_of(config: Config, file: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Value to name of every variable that the configuration in `file`, or its Milvus file, mentions."""
    files = [file]
    if (named := config.semantic_cache.backend_config_path) is not None:
        files += [found] if (found := find_beside(named, file.parent)) is not None else []
    names = {name for each in files for name in _NAME.findall(each.read_text(encoding="utf-8"))}
    return {environ[name]: name for name in sorted(names) if environ.get(name)}


def with_names(value: JsonValue, secrets: Mapping[str, str]) -> JsonValue:
    """The document with `${NAME}` for each of these values, wherever it stands; read again it is the same.

    A value may stand where it was not taken from the environment: there, too, the name means the same.
    """
    # Longest first: a short value may be a part of a longer one.
    values = sorted(secrets, key=len, reverse=True)
    wanted = re.compile("|".join(map(re.escape, [*values, "${"])))
    return _replace(value, wanted, {"${": "$${"} | {each: f"${{{secrets[each]}}}" for each in values})


def _replace(value: JsonValue, wanted: re.Pattern[str], by: Mapping[str, str]) -> JsonValue:
    match value:
        case str():
            return wanted.sub(lambda found: by[found[0]], value)
        case list():
            return [_replace(item, wanted, by) for item in value]
        case dict():
            return {key: _replace(item, wanted, by) for key, item in value.items()}
    return value
