"""Recorded requests in files: rows of prompts, bodies or conversations, and HTTP archives (HAR).

Source: the HTTP Archive format 1.2, "entries".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.evaluation.rows import Row, read_rows, refuse

PATH: Final = "/v1/chat/completions"
#: What a row may hold, the first that is there counts.
_FORMS: Final = ("request", "messages", "text")

Json = Mapping[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as a client sent it."""

    #: Of its file, from 1 on.
    line: int
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def ask_for(config: Config, prompt: str) -> bytes:
    """The body of a chat completion request that asks the prompt and wants to be routed."""
    return _chat(config, [{"role": "user", "content": prompt}])


def read_recorded(path: Path, config: Config) -> list[Recorded]:
    """The requests of a file of rows: each has `text`, `messages` or `request` (a body).

    Beside them a row may have `path` and `headers`.

    Raises:
        ConfigError: see read_rows.
        ConfigProblems: rows of none of these forms, each with its line.
    """
    found, problems = [], []
    for row in read_rows(path, required=()):
        recorded = _of_row(row, config)
        if isinstance(recorded, str):
            problems.append(ConfigError(f"{path}:{row.line}", recorded))
        else:
            found.append(recorded)
    refuse(path, problems)
    return found


def read_archive(path: Path, entry: int) -> Recorded:
    """One request of an HTTP archive; `entry` counts from 1.

    Raises:
        ConfigError: no such file, archive or entry, or a request without a body.
    """
    try:
        request = orjson.loads(path.read_bytes())["log"]["entries"][max(0, entry - 1)]["request"]
        body = request["postData"]["text"].encode()
        headers = tuple((each["name"].lower(), str(each["value"])) for each in request["headers"])
        url = urlsplit(request["url"])
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        problem = f"has no request with a body as entry {entry} of an HTTP archive"
        raise ConfigError(str(path), problem) from error
    whole = f"{url.path}?{url.query}" if url.query else url.path
    named = tuple((name, value) for name, value in headers if not name.startswith(":"))
    return Recorded(entry, whole, named, body)


def _of_row(row: Row, config: Config) -> Recorded | str:
    """The request of a row, or what is wrong with it."""
    try:
        return _read_row(row, config)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return "has text that is no Unicode (half of a surrogate pair), or is nested too deeply"


def _read_row(row: Row, config: Config) -> Recorded | str:
    fields = row.fields
    form = next((name for name in _FORMS if name in fields), None)
    match form, fields.get(form or ""):
        case "request", dict() as request:
            body = orjson.dumps(request)
        case "messages", list() as messages:
            body = _chat(config, messages)
        case "text", str() as text:
            body = ask_for(config, text)
        case _:
            return "needs text (a prompt), messages (a list) or request (a body)"
    headers, path = fields.get("headers", {}), fields.get("path", PATH)
    if not isinstance(path, str) or not isinstance(headers, dict):
        return "path must be text, and headers an object"
    pairs = tuple((str(name).lower(), str(value)) for name, value in headers.items())
    "".join((path, *chain(*pairs))).encode()  # raises for what no request line can hold
    return Recorded(row.line, path, pairs, body)


def _chat(config: Config, messages: list[Any]) -> bytes:
    model = config.virtual_models[0] if config.virtual_models else config.default_model
    return orjson.dumps({"model": model, "messages": messages})
