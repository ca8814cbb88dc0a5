"""The admin port's token as commands get it: from a file or the environment, never from the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from router_extproc.admin.token import read_token
from router_extproc.config.admin import token_problem
from router_extproc.errors import ConfigError

#: Other users can read a command's arguments (`ps`), but not its environment.
TOKEN_VARIABLE: Final = "ROUTER_ADMIN_TOKEN"  # noqa: S105 - a name

TokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help=f"File with the admin port's token, instead of ${TOKEN_VARIABLE}.",
        show_default=False,
    ),
]


def token_given(file: Path | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The token of the file or, without one, of the environment; None: there is none.

    Raises:
        ConfigError: what is given cannot be a token.
    """
    if file is not None:
        return read_token(file, "--token-file")
    token = environ.get(TOKEN_VARIABLE) or None
    if token is not None and (problem := token_problem(token)) is not None:
        raise ConfigError(TOKEN_VARIABLE, problem)
    return token
