"""The admin port's token, read from the configuration or from a file."""

from __future__ import annotations

from pathlib import Path

from router_extproc.config.admin import TOKEN_CHARS_MAX, Admin, token_problem
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError


def token_of(admin: Admin) -> str | None:
    """The token that is asked for; None: none is.

    Raises:
        ConfigError: the file cannot be read, or does not hold a token.
    """
    if admin.token_file is None:
        return admin.token
    return read_token(Path(admin.token_file), "admin.token_file")


def with_token(config: Config) -> Config:
    """The configuration with the token in place of its file.

    A worker that is started again has the token that the first one had, whatever is in the file by then.

    Raises:
        ConfigError: the file cannot be read, or does not hold a token.
    """
    own = {"token": token_of(config.admin), "token_file": None}
    return config.model_copy(update={"admin": config.admin.model_copy(update=own)})


def read_token(file: Path, key: str) -> str:
    """The file's only line; `key` is what an error names.

    Raises:
        ConfigError: the file cannot be read, or does not hold a token.
    """
    try:
        with file.open("rb") as opened:
            # One more than fits, and a line end: what is longer is seen to be.
            text = opened.read(TOKEN_CHARS_MAX + 3).decode("utf-8", "replace").strip()
    except OSError as error:
        raise ConfigError(key, f"cannot read {file}: {error.strerror}") from error
    if (problem := token_problem(text)) is not None:
        raise ConfigError(key, f"{file} {problem}")
    return text
