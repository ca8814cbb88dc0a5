"""A checked configuration as bytes, for a worker that must have exactly this one.

The file on disk may have been changed or broken since it was read; environment variables, relative
paths and the Milvus file are resolved here once and for all.
"""

from __future__ import annotations

import json

from pydantic import SecretStr, ValidationError

from router_extproc.config.model import Config
from router_extproc.errors import ConfigError


def handed_over(config: Config) -> bytes:
    """The whole configuration, secrets included: never for a log, a command line or an open file.

    Raises:
        RuntimeError: what would be read is not what was written (a bug of ours).
    """
    # JSON of Python's own: pydantic's writes an endless number as null.
    document = json.dumps(config.model_dump(), default=_plain).encode()
    if received(document) != config:
        raise RuntimeError("the configuration cannot be handed over as it is")
    return document


def received(document: bytes) -> Config:
    """The configuration that was handed over.

    Raises:
        ConfigError: it was written by another version.
    """
    try:
        return Config.model_validate(json.loads(document))
    except ValidationError:
        # Its text would quote values, and so secrets.
        problem = "what the supervisor handed over is not a configuration of this version; restart it"
        raise ConfigError("", problem) from None


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
