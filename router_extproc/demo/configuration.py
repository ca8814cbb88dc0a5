"""The demo's configuration: the packaged one with this run's ports, pools and files.

It starts nothing. The rule it keeps: what is served is written to the demo's folder as it is, so
that it can be read, checked and served again by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from router_extproc.cache.milvus.place import LitePlace, place_of
from router_extproc.config.model import Config, EnvoyCluster, SemanticCache
from router_extproc.config.read import read_config
from router_extproc.demo.pools import Pool
from router_extproc.envoy_config.render import render

HOST: Final = "127.0.0.1"


def packaged() -> Config:
    """The configuration that is shipped with the package."""
    with resources.as_file(resources.files("router_extproc.demo").joinpath("router.yaml")) as path:
        return read_config(path)


def of_this_run(
    config: Config, *, folder: Path, socket: Path, port: int, admin_port: int, pools: Mapping[str, Pool]
) -> Config:
    """The configuration with this run's addresses."""
    models = {
        name: config.models[name].model_copy(update={"served_name": pool.served_name})
        for name, pool in pools.items()
    }
    clusters = {
        config.models[name].cluster: EnvoyCluster(endpoints=(pool.endpoint,), tls=pool.tls)
        for name, pool in pools.items()
    }
    envoy = config.envoy.model_copy(update={"listen": f"{HOST}:{port}", "clusters": clusters})
    changes = {
        "listen": f"unix:{socket}",
        "admin": config.admin.model_copy(update={"listen": f"{HOST}:{admin_port}", "metrics": None}),
        "models": {**config.models, **models},
        "envoy": envoy,
        "semantic_cache": _cached_in(config, folder / "cache.db"),
    }
    return config.model_copy(update=changes)


def _cached_in(config: Config, file: Path) -> SemanticCache:
    """The cache, a Milvus Lite of it in this run's folder; a server stays where it is."""
    cache = config.semantic_cache
    if cache.milvus is None:
        return cache
    milvus = cache.milvus
    if isinstance(place_of(milvus), LitePlace):
        connection = milvus.connection.model_copy(update={"uri": str(file)})
        milvus = milvus.model_copy(update={"connection": connection, "uri": None})
    # What a file of its own said is written out here.
    return cache.model_copy(update={"milvus": milvus, "backend_config_path": None})


def write(config: Config, folder: Path) -> tuple[Path, Path]:
    """Write the router's and Envoy's configuration; their files."""
    router, envoy = folder / "router.yaml", folder / "envoy.yaml"
    # JSON is YAML, too.
    router.write_text(config.model_dump_json(indent=2, exclude_defaults=True) + "\n", encoding="utf-8")
    envoy.write_text(render(config, "bootstrap")["bootstrap.yaml"], encoding="utf-8")
    return router, envoy
