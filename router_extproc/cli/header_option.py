"""A client's header, as it is written behind --header."""

from __future__ import annotations

import typer


def read_header(text: str) -> tuple[str, str]:
    """Name, lower-case, and value.

    Raises:
        typer.BadParameter: not of the form 'name: value'.
    """
    name, separator, value = text.partition(":")
    if not separator or not name.strip():
        raise typer.BadParameter(f"write 'name: value', got {text!r}", param_hint="--header")
    return name.strip().lower(), value.strip()
