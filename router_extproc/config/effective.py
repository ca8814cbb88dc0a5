"""The configuration in force, as a document that can be read again: defaults filled in, secrets left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from router_extproc.cache.decision_policy import CacheMode
from router_extproc.cache.scope import CREDENTIALS
from router_extproc.config.admin import TOKEN_CHARS_MIN
from router_extproc.config.decisions import DecisionCache
from router_extproc.config.expand import join
from router_extproc.config.model import Config
from router_extproc.config.sources import SECRET_KEYS, Sources
from router_extproc.config.translate_cache import SEMANTIC_ONLY, cache_policy_of

#: Instead of a secret that is written in clear.
HIDDEN: Final = "***"
#: Instead of a token: as long as the shortest one that is accepted.
HIDDEN_TOKEN: Final = "*" * TOKEN_CHARS_MIN
_TOKENS: Final = frozenset({"token", "debug_token"})
#: user:password@ inside an address.
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]+(?=@)")
#: Settings of a decision's cache that its mode makes no use of.
_UNUSED_BY_MODE: Final[Mapping[CacheMode, frozenset[str]]] = {
    "semantic": frozenset(),
    "exact": frozenset(SEMANTIC_ONLY),
    "off": frozenset(DecisionCache.model_fields) - {"mode"},
}
_MILVUS: Final = "semantic_cache.milvus"


def effective(config: Config, sources: Sources) -> dict[str, Any]:
    """The configuration as JSON values.

    What came from the environment is `${NAME}` again; secrets in clear are HIDDEN; the Milvus file is part
    of it, and no longer named.
    """
    whole: dict[str, Any] = config.model_dump(mode="json")
    _follow_cache(whole["decisions"], config)
    _leave_out_unused(whole)
    shown: dict[str, Any] = _shown(whole, "", _from_environment(sources))
    return shown


def _follow_cache(decisions: list[dict[str, Any]], config: Config) -> None:
    """Put in what a decision leaves to `semantic_cache`, as far as its mode makes use of it."""
    if not config.semantic_cache.enabled:
        return
    for shown, decision in zip(decisions, config.decisions, strict=True):
        policy = asdict(cache_policy_of(config.semantic_cache, decision.cache))
        written = config.semantic_cache.model_dump(mode="json", include={"scope", "ignore"})
        unused = _UNUSED_BY_MODE[policy["mode"]]
        for key, value in {**policy, **written}.items():
            if shown["cache"].get(key) is None and key not in unused:
                shown["cache"][key] = value


def _leave_out_unused(whole: dict[str, Any]) -> None:
    """Take out values that others replace: `check` would say that they are not used."""
    cache = whole["semantic_cache"]
    if cache["milvus"] is not None:
        cache["backend_config_path"] = None
        # The short form has been moved to connection.uri.
        del cache["milvus"]["uri"]
        if cache["milvus"]["connection"]["uri"] is not None:
            for key in ("host", "port"):
                del cache["milvus"]["connection"][key]
    for cluster in whole["envoy"]["clusters"].values():
        if not cluster["tls"]:
            del cluster["ca_file"]


def _shown(value: object, path: str, from_environment: Mapping[str, str]) -> Any:  # JSON: any nesting
    match value:
        case _ if path in from_environment:
            return from_environment[path]
        case dict():
            return {
                key: _hide(key, _shown(item, join(path, key), from_environment))
                for key, item in value.items()
            }
        case list():
            return [_shown(item, join(path, index), from_environment) for index, item in enumerate(value)]
        case str():
            return _CREDENTIALS.sub(HIDDEN, value).replace("${", "$${")
    return value


def _hide(key: str, value: object) -> object:
    from_environment = isinstance(value, str) and re.search(r"(?<!\$)\$\{", value)
    is_secret = key in SECRET_KEYS or key.lower() in CREDENTIALS
    if not is_secret or not isinstance(value, str) or not value or from_environment:
        return value
    return HIDDEN_TOKEN if key in _TOKENS else HIDDEN


def _from_environment(sources: Sources) -> dict[str, str]:
    """What is written where a value comes from the environment, by the path it has in force."""
    found: dict[str, str] = {}
    for source in sources.files:
        written = {path: value for path, _, value in source.written_values()}
        for inner in source.expanded.secret_paths:
            path = source.outer(inner)
            found[path] = str(written[path])
    short = found.pop(f"{_MILVUS}.uri", None)
    if short is not None:
        found[f"{_MILVUS}.connection.uri"] = short
    return found
