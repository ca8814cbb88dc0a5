"""Real pools in place of the stand-ins: what `POOLS` says, and whether they answer.

A pool that cannot be used is named at once, with what was asked of it, before Envoy starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from router_extproc.address import TcpAddress
from router_extproc.errors import ConfigError

#: For a pool to say which models it serves.
ASK_S: Final = 5.0
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that serves one model."""

    endpoint: str  # "host:port"
    tls: bool
    served_name: str


def read_pools(text: str, models: Collection[str]) -> Mapping[str, str]:
    """Model to URL, from `small=http://host:port large=http://host:port`.

    Raises:
        ConfigError: not of that form, or not one of the models.
    """
    pools: dict[str, str] = {}
    for word in text.split():
        name, separator, url = word.partition("=")
        if not separator or name not in models:
            raise ConfigError("POOLS", f"write NAME=URL with NAME one of {', '.join(models)}, got {word!r}")
        split_url(url, where=f"POOLS: {name}")
        pools[name] = url
    return pools


def split_url(url: str, *, where: str) -> tuple[str, bool]:
    """The endpoint of a pool's URL, and whether it speaks TLS.

    Raises:
        ConfigError: it is no such URL; `where` says whose.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(where, f"{url!r} is not a URL") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(where, f"write http://HOST:PORT, got {url!r}")
    if parts.path.strip("/"):
        raise ConfigError(where, f"leave out the path of {url!r}: clients' own paths are kept")
    return str(TcpAddress(parts.hostname, port or _PORTS[parts.scheme])), parts.scheme == "https"


async def ask_pool(name: str, url: str, *, within_s: float = ASK_S) -> Pool:
    """The pool behind a URL, with the first model that it says it serves.

    Raises:
        ConfigError: it does not answer, or serves nothing.
    """
    endpoint, tls = split_url(url, where=f"POOLS: {name}")
    asked = f"{url.rstrip('/')}/v1/models"
    try:
        async with asyncio.timeout(within_s), httpx.AsyncClient(timeout=within_s, trust_env=False) as client:
            answer = (await client.get(asked)).raise_for_status()
        served = answer.json()["data"][0]["id"]
    except (httpx.HTTPError, TimeoutError) as error:
        raise ConfigError("POOLS", f"{name}: no answer from {asked} ({type(error).__name__})") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigError("POOLS", f"{name}: {asked} lists no model") from error
    return Pool(endpoint, tls, str(served))
