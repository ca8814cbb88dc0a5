"""Runs the cases of one client library against some servers, and prints what each got as a line of JSON.

    python cases.py LIBRARY MODEL KEY=URL ...

LIBRARY is a file beside this one. All cases ask the first server, then all ask the next; each has a
credential of its own, KEY-CASE. It runs in the environment of the clients, so it imports nothing of the
project.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Server:
    """Where a case asks, and as whom."""

    url: str
    model: str
    key: str


Case = Callable[[Server], Any]
#: Between two servers: an answer is stored just after the client has it.
STORED_S = 1.0
_CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Register a case by its function's name."""
    _CASES[function.__name__] = function
    return function


def plain(value: Any) -> Any:
    """The value as JSON: models as objects, with every member that they have."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else repr(value)


def _run(function: Case, server: Server) -> dict[str, Any]:
    try:
        value = function(server)
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
    except Exception as error:  # what the client raised is what is compared
        status = getattr(error, "status_code", None)
        body = getattr(error, "body", None)
        return {"error": type(error).__name__, "status": status, "body": plain(body), "text": str(error)}
    return {"value": plain(value)}


async def _awaited(value: Any) -> Any:
    return await value


def main() -> None:
    """See the module."""
    library, model, *servers = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parent))
    # The libraries register their cases in this very module, whatever it was started as.
    sys.modules["cases"] = sys.modules["__main__"]
    importlib.import_module(library)
    for turn, server in enumerate(servers):
        key, _, url = server.partition("=")
        time.sleep(STORED_S if turn else 0)
        for name, function in _CASES.items():
            outcome = _run(function, Server(url, model, f"{key}-{name}"))
            print(json.dumps({"turn": turn, "case": name, **outcome}), flush=True)


if __name__ == "__main__":
    main()
