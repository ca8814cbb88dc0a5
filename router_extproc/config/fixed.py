"""What a reload cannot change: what was opened at the start, and what Envoy was rendered from.

Everything else in the file is policy, and may be another one with the next reload.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.config.envoy_digest import envoy_facts
from router_extproc.config.expand import join
from router_extproc.config.model import Config
from router_extproc.config.sources import is_under
from router_extproc.errors import ConfigError

RESTART: Final = "needs a restart"
RENDERED: Final = f"{RESTART}, and Envoy's configuration rendered anew"

#: Sections and keys that are read once, when a process starts.
_OPENED: Final = (
    "listen",
    "socket_access",
    "listen_tls",
    "admin",
    "workers",
    "state_dir",
    "encoder",
    "limits.max_exchanges",
    "limits.drain_s",
    "telemetry.log_level",
    "telemetry.log_format",
    "telemetry.requests",
    "telemetry.sample_rate",
    "semantic_cache.enabled",
    "semantic_cache.backend_type",
    "semantic_cache.backend_config_path",
    "semantic_cache.milvus",
    "semantic_cache.max_entries",
    "semantic_cache.eviction_policy",
    "semantic_cache.near",
    "semantic_cache.verifier",
    "semantic_cache.languages",
)
#: What is written into Envoy's configuration as it is.
_RENDERED: Final = ("envoy", "limits.max_body_bytes", "limits.message_timeout_s")
#: Facts of Envoy's configuration that are looked at one by one below.
_LOOKED_AT: Final = frozenset({"clusters", "default", "endpoints", "max_message_timeout_s"})


def fixed_changes(started: Config, wanted: Config) -> tuple[ConfigError, ...]:
    """Every change against the configuration that the process was started with that a reload cannot make."""
    found = [*_of_sections(started, wanted), *_of_clusters(started, wanted), *_of_waits(started, wanted)]
    return tuple(found) or tuple(_of_envoy(started, wanted))


def _of_sections(started: Config, wanted: Config) -> Iterator[ConfigError]:
    for path in differing(started.model_dump(), wanted.model_dump()):
        if any(is_under(path, section) for section in _RENDERED):
            yield ConfigError(path, RENDERED)
        elif any(is_under(path, section) for section in _OPENED):
            yield ConfigError(path, RESTART)


def _of_clusters(started: Config, wanted: Config) -> Iterator[ConfigError]:
    """A pool that is no longer used may stay in Envoy; one that Envoy does not have cannot be reached."""
    known = {model.cluster for model in started.models.values()}
    for name, model in wanted.models.items():
        if model.cluster not in known:
            path = f"models.{name}.cluster"
            yield ConfigError(path, f"Envoy was rendered without the cluster '{model.cluster}': {RENDERED}")
    if _default_cluster(started) != _default_cluster(wanted):
        problem = f"Envoy's default route leads to the cluster '{_default_cluster(started)}': {RENDERED}"
        yield ConfigError("default_model", problem)


def _default_cluster(config: Config) -> str:
    return config.models[config.default_model].cluster


def _of_waits(started: Config, wanted: Config) -> Iterator[ConfigError]:
    """Envoy gives a reply no more time than it was rendered with; less is no problem."""
    asked_s, given_s = wanted.max_message_timeout_s(), started.max_message_timeout_s()
    if asked_s is None or (given_s is not None and asked_s <= given_s):
        return
    if wanted.semantic_cache.coalescing != started.semantic_cache.coalescing:
        yield ConfigError("semantic_cache.coalescing.wait_s", RENDERED)
    else:
        yield ConfigError("semantic_cache.hide_timing_max_s", RENDERED)


def _of_envoy(started: Config, wanted: Config) -> Iterator[ConfigError]:
    """Whatever else is rendered, should it follow from a key that nobody named above."""
    one, other = envoy_facts(started), envoy_facts(wanted)
    for name in one.keys() - _LOOKED_AT:
        if one[name] != other[name]:
            yield ConfigError("", f"changes {name} of Envoy's configuration: {RENDERED}")


def differing(one: object, other: object, path: str = "") -> Iterator[str]:
    """The paths of values that two documents do not share; of a list or a new section its own."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        if one != other:
            yield path
        return
    for key in dict.fromkeys((*one, *other)):
        inner = join(path, key)
        if key in one and key in other:
            yield from differing(one[key], other[key], inner)
        else:
            yield inner
