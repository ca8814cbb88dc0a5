"""A configuration's digest: two processes that show the same one run by the same configuration."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from pydantic import JsonValue

from router_extproc.config.model import Config

DIGEST_CHARS: Final = 12
#: Of these only whether they are set counts: a short digest of a password could be guessed from.
SECRET_KEYS: Final = frozenset({"password", "token", "debug_token", "secret", "api_key"})
#: USER:PASSWORD@ of a URI.
_USER_INFO: Final = re.compile(r"(?<=//)[^/@]*@").sub


def digest_of(config: Config) -> str:
    """Hex digits of the whole effective configuration, defaults and included files too, without secrets."""
    tree = _without_secrets(config.model_dump(mode="json"))
    canonical = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGEST_CHARS]


def _without_secrets(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {
                key: bool(inner) if key in SECRET_KEYS else _without_secrets(inner)
                for key, inner in value.items()
            }
        case list():
            return [_without_secrets(inner) for inner in value]
        case str():
            return _USER_INFO("", value)
    return value
