"""Fetches encoders from a Hugging Face style hub.

It is not a client for the whole hub: of one repository (`hub_listing`) it fetches the few files that an
encoder needs (`hub_download`). The rule it keeps: a folder under its final name is whole; what was fetched
before a break is used by the next try.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import httpx

from router_extproc.errors import ConfigError
from router_extproc.models.hub.download import PAUSE_S, Download, OnBytes, fetch_file
from router_extproc.models.hub.listing import Listed, Listing, Place, list_files
from router_extproc.models.onnx.home import MODEL_NAME, TOKENIZER_NAME
from router_extproc.models.onnx.manifest import PulledManifest, record_files, write_manifest

#: Seconds without a byte before a connection counts as broken.
SILENCE_S = 30.0
#: All files of an encoder together; a server on a CPU has no use for more.
PULL_BYTES_MAX = 4 * 1024 * 1024 * 1024

REPO = re.compile(r"[\w.-]+/[\w.-]+")
REVISION = re.compile(r"[\w./-]+")
#: Where a graph usually is, best first.
GRAPHS = ("onnx/model.onnx", MODEL_NAME)
CONFIG_NAME = "config.json"
#: What `transformers` makes a tokenizer from where there is no tokenizer.json.
TOKENIZER_PARTS = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
)


def pull(
    place: Place,
    folder: Path,
    *,
    on_bytes: OnBytes = lambda _name, _done, _all: None,
    pause_s: float = PAUSE_S,
) -> PulledManifest:
    """Fetch an encoder into the folder, which is replaced as a whole.

    Raises:
        ConfigError: no such repository, no graph in it, no access, no connection, or a wrong checksum.
    """
    check_place(place)
    headers = {"authorization": f"Bearer {place.token}"} if place.token else {}
    with httpx.Client(timeout=SILENCE_S, follow_redirects=True, headers=headers) as client:
        listing = list_files(client, place)
        wanted = choose_files(listing, place)
        scratch = folder.with_name(f".pull-{folder.name}-{listing.commit[:12]}")
        scratch.mkdir(parents=True, exist_ok=True)
        for name, listed in wanted.items():
            fetch_file(Download(client, place, listing.commit, listed, scratch / name, on_bytes, pause_s))
    manifest = PulledManifest(
        repo=place.repo,
        revision=place.revision,
        commit=listing.commit,
        graph=wanted[MODEL_NAME].name,
        files=record_files(scratch, wanted),
    )
    write_manifest(scratch, manifest)
    if folder.exists():
        shutil.rmtree(folder)
    scratch.rename(folder)
    return manifest


def check_place(place: Place) -> None:
    """Raise ConfigError unless the names are names: they become parts of addresses and of folders."""
    if not REPO.fullmatch(place.repo) or ".." in place.repo:
        raise ConfigError("", f"'{place.repo}' is not a repository: write OWNER/NAME")
    if not REVISION.fullmatch(place.revision) or ".." in place.revision:
        raise ConfigError("", f"'{place.revision}' is not a revision: write a branch, tag or commit")
    if not place.hub.startswith(("http://", "https://")):
        raise ConfigError("", f"'{place.hub}' is not a hub's address: write http://… or https://…")


def choose_files(listing: Listing, place: Place) -> dict[str, Listed]:
    """What to fetch, by the name that it gets here."""
    listed = {each.name: each for each in listing.files}
    graph = find_graph(listed, place)
    wanted = {MODEL_NAME: listed[graph]}
    # Weights over 2 GB are beside the graph, which names the file.
    data = f"{graph}_data"
    if data in listed:
        wanted[PurePosixPath(data).name] = listed[data]
    tokenizer = (TOKENIZER_NAME,) if TOKENIZER_NAME in listed else TOKENIZER_PARTS
    for name in (CONFIG_NAME, *tokenizer):
        if name in listed:
            wanted[name] = listed[name]
    if not wanted.keys() & {TOKENIZER_NAME, *TOKENIZER_PARTS}:
        raise ConfigError("", f"{place.repo} has no tokenizer ({TOKENIZER_NAME} or the files of one)")
    total = sum(each.bytes for each in wanted.values())
    if total > PULL_BYTES_MAX:
        raise ConfigError(
            "", f"{place.repo} is {total} bytes, more than {PULL_BYTES_MAX}: choose a smaller graph"
        )
    return wanted


def find_graph(listed: Mapping[str, Listed], place: Place) -> str:
    """The name of the graph."""
    wanted = GRAPHS if place.graph is None else (place.graph,)
    for name in wanted:
        if name in listed:
            return name
    graphs = ", ".join(sorted(name for name in listed if name.endswith(".onnx"))) or "none"
    hint = f"; --file chooses one of: {graphs}" if graphs != "none" else ": it was not exported"
    raise ConfigError("", f"{place.repo} has no ONNX graph named {' or '.join(wanted)}{hint}")


def list_pulled(models: Path) -> Sequence[Path]:
    """The folders of pulled encoders."""
    return [path.parent for path in sorted(models.glob("*--*/manifest.json"))]
