"""The demo's configuration: the packaged one with this run's ports, pools and files.

What is served is written to the demo's folder as it is, so that it can be read, checked and served again by
hand; but what came from the environment stays there, and is written as its `${NAME}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

import orjson
from pydantic import JsonValue

from router_extproc.address import UnixAddress
from router_extproc.cache.milvus.endpoint import LiteEndpoint, endpoint_of
from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.model import Config, SemanticCache
from router_extproc.config.read import read_config
from router_extproc.demo.pools import Pool
from router_extproc.demo.secrets import with_names
from router_extproc.envoy_config.render import render
from router_extproc.errors import ConfigError
from router_extproc.file_access import find_problem
from router_extproc.private_files import make_folder, take_from_others, write_private

HOST: Final = "127.0.0.1"
ROUTER: Final = "router.yaml"
ENVOY: Final = "envoy.yaml"
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


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
        "listen": str(UnixAddress(str(socket))),
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
    if isinstance(endpoint_of(milvus), LiteEndpoint):
        connection = milvus.connection.model_copy(update={"uri": str(file)})
        milvus = milvus.model_copy(update={"connection": connection, "uri": None})
    # What a file of its own said is written out here.
    return cache.model_copy(update={"milvus": milvus, "backend_config_path": None})


def prepare_folder(folder: Path) -> None:
    """Make the demo's folder, 0700, or close the one of an earlier run to other users.

    A folder that holds other things keeps its mode; what the demo writes into it is private by itself.

    Raises:
        ConfigError: somebody else could change what is written there.
    """
    try:
        if not make_folder(folder) and _is_of_a_demo(folder):
            take_from_others(folder)
    except OSError as error:
        raise ConfigError("--folder", f"cannot use {folder}: {error.strerror}") from error
    problem = find_problem(folder, contents=False)
    if problem is not None:
        raise ConfigError("--folder", problem)


def _is_of_a_demo(folder: Path) -> bool:
    names = {each.name for each in folder.iterdir()}
    return not names or {ROUTER, ENVOY} <= names


def _written(config: Config) -> dict[str, JsonValue]:
    """What is not as by default, and what a configuration is to say in any case: who shares answers."""
    document: dict[str, JsonValue] = config.model_dump(mode="json", exclude_defaults=True)
    cache = document.get("semantic_cache")
    if isinstance(cache, dict):
        cache.update(config.semantic_cache.model_dump(mode="json", include={"scope"}))
    return document


def write(config: Config, folder: Path, secrets: Mapping[str, str] = NOTHING) -> tuple[Path, Path]:
    """Write the router's and Envoy's configuration, each 0600; their files.

    secrets: see `with_names`.
    """
    router, envoy = folder / ROUTER, folder / ENVOY
    document = with_names(_written(config), secrets)
    # JSON is YAML, too.
    write_private(
        router, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    )
    write_private(envoy, render(config, "bootstrap")["bootstrap.yaml"])
    return router, envoy
