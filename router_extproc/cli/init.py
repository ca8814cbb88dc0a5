"""`router-extproc init`: a first configuration for pools that somebody has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli.output import ERR, OUT
from router_extproc.config.starter import PLACEHOLDER, StarterPool, check_name, starter
from router_extproc.demo.pools import ask_pool, split_url
from router_extproc.errors import ConfigError

app = typer.Typer(add_completion=False)

EXAMPLE = "Example: router-extproc init small=http://10.0.0.5:8000 large=http://10.0.0.6:8000"


@app.command(epilog=EXAMPLE)
def init(
    pools: Annotated[
        list[str], typer.Argument(metavar="NAME=URL...", help="Your pools; the first is the default one.")
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="What is written.")] = Path("router.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a commented configuration for your pools.

    Each pool is asked which model it serves; one that does not answer within 5 s gets a placeholder, and you
    are told. Exit code 2: the file is there already, or a pool is not written as NAME=URL.
    """
    urls = _read(pools)
    asked = asyncio.run(_ask_all(urls))
    _write(out, starter(asked, file=out.name), force=force)
    OUT.print(f"wrote {out}: check it with `router-extproc check {out}`", markup=False)
    OUT.print(
        "clients that send no key share no answers: if yours send none, set semantic_cache.scope there to"
        " shared, or to the header that tells them apart",
        markup=False,
    )
    for pool in asked:
        if pool.served_name is None:
            ERR.print(
                f"{pool.name}: {urls[pool.name]} did not say which model it serves: put its name in place of"
                f" {PLACEHOLDER} in {out}",
                markup=False,
            )


def _read(pools: Sequence[str]) -> Mapping[str, str]:
    """URLs by name, in the order given."""
    urls: dict[str, str] = {}
    for word in pools:
        name, separator, url = word.partition("=")
        if not separator:
            raise ConfigError("", f"write NAME=URL, for example small=http://10.0.0.5:8000, got {word!r}")
        check_name(name)
        split_url(url, where=name)
        if name in urls:
            raise ConfigError(name, "two pools of one name: their endpoints go into one cluster of the file")
        urls[name] = url
    return urls


async def _ask_all(urls: Mapping[str, str]) -> list[StarterPool]:
    return await asyncio.gather(*(_ask(name, url) for name, url in urls.items()))


async def _ask(name: str, url: str) -> StarterPool:
    endpoint, tls = split_url(url, where=name)
    served = None
    with suppress(ConfigError):
        served = (await ask_pool(name, url)).served_name
    return StarterPool(name, endpoint, tls, served)


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(
            "", f"{out} is there already: choose another file with --out, or --force"
        ) from error
    except OSError as error:
        raise ConfigError("", f"cannot write {out}: {error.strerror}") from error
