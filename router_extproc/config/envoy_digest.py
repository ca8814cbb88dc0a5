"""The digest of what Envoy and the server must agree on.

The rendered Envoy carries it (`envoy_config/filters.py`), the server compares (`telemetry/envoy_config.py`).
It covers facts that make a request go wrong when the two differ: which pools there are and who is in them,
the limits, and what clients may not send. Timeouts of pools, names of models in bodies, prices and secrets
are left out.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from router_extproc.config.model import Config
from router_extproc.dialects import INFERENCE_PATHS
from router_extproc.dialects.routed import ROUTED_PATHS

#: Raised when the meaning of what is rendered changes.
VERSION: Final = 1
_LENGTH: Final = 16


def envoy_digest(config: Config) -> str:
    """Sixteen hexadecimal digits."""
    facts = json.dumps(envoy_facts(config), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(facts.encode()).hexdigest()[:_LENGTH]


def envoy_facts(config: Config) -> dict[str, object]:
    """What Envoy and the server must agree on, by name."""
    envoy, limits = config.envoy, config.limits
    clusters = {model.cluster for model in config.models.values()}
    other = {} if envoy.compatible_headers is None else {"compatible_headers": envoy.compatible_headers}
    prefixes = {"path_prefixes": sorted(envoy.path_prefixes)} if envoy.path_prefixes else {}
    return {
        **other,
        **prefixes,
        "version": VERSION,
        "profile": envoy.profile,
        "clusters": sorted(clusters),
        "default": config.models[config.default_model].cluster,
        "endpoints": {
            name: sorted(pool.endpoints) for name, pool in envoy.clusters.items() if name in clusters
        },
        "paths": sorted((*INFERENCE_PATHS, *ROUTED_PATHS)),
        "other_paths": envoy.other_paths,
        "unread": envoy.unread,
        "strip_headers": sorted(name.lower() for name in envoy.strip_headers),
        "max_body_bytes": limits.max_body_bytes,
        "message_timeout_s": limits.message_timeout_s,
        "max_message_timeout_s": config.max_message_timeout_s(),
    }
