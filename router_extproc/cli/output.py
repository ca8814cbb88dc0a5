"""How commands print: rich for people, one JSON document for programs.

Stdout carries the result and nothing else; progress and errors go to stderr.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import orjson
import typer
from rich.console import Console

#: For results.
OUT: Final = Console(highlight=False, soft_wrap=True)
#: For progress and errors.
ERR: Final = Console(stderr=True, highlight=False, soft_wrap=True)

#: The option that every command with a readable result has.
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def print_json(value: object) -> None:
    """The value as indented JSON with sorted keys on stdout; dataclasses become objects."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY
    typer.echo(orjson.dumps(value, option=options))
