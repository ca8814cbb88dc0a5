"""Fetches encoders from a Hugging Face style hub: files, checksums, resume.

It is not a client for the whole hub: it lists one repository and fetches the few files that an encoder
needs. The rule it keeps: a folder under its final name is whole and every file of it was compared with the
checksum that the hub lists; what was fetched before a break is kept beside it and used by the next try.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx
from pydantic import BaseModel, Field, ValidationError

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.home import MODEL_NAME, TOKENIZER_NAME
from router_extproc.models.onnx.manifest import PulledManifest, record_files, write_manifest

HUB = "https://huggingface.co"
#: As the hub's own client reads them.
MIRROR_VARIABLE = "HF_ENDPOINT"
TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the variable's name
#: Seconds without a byte before a connection counts as broken.
SILENCE_S = 30.0
#: Times a broken download goes on where it was, and the pause before each.
ATTEMPTS_MAX = 5
PAUSE_S = 1.0
#: A repository that lists more is not read; no encoder has so many files, or so much text about them.
LISTING_BYTES_MAX = 8 * 1024 * 1024
#: All files of an encoder together; a server on a CPU has no use for more.
PULL_BYTES_MAX = 4 * 1024 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024

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

#: Called with a file's name, the bytes that are there and the bytes of all of it.
OnBytes = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repository is fetched from."""

    repo: str
    revision: str = "main"
    #: Address of the hub or of a mirror.
    hub: str = HUB
    #: None: only what is public.
    token: str | None = None
    #: The graph's name in the repository; None: the usual one.
    graph: str | None = None


class _Large(BaseModel):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Listed(BaseModel):
    """One file, as the hub lists it."""

    name: str = Field(alias="rfilename")
    bytes: int = Field(alias="size", ge=0)
    #: git's checksum; of a pointer, where `large` is there.
    blob: str = Field(alias="blobId", pattern="^[0-9a-f]{40}$")
    large: _Large | None = Field(default=None, alias="lfs")


class Listing(BaseModel):
    """A repository at one revision, as the hub lists it."""

    commit: str = Field(alias="sha", pattern="^[0-9a-f]{40}$")
    files: list[Listed] = Field(alias="siblings")


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
        raise ConfigError("", f"'{place.repo}' is no repository: wanted OWNER/NAME")
    if not REVISION.fullmatch(place.revision) or ".." in place.revision:
        raise ConfigError("", f"'{place.revision}' is no revision: wanted a branch, tag or commit")
    if not place.hub.startswith(("http://", "https://")):
        raise ConfigError("", f"'{place.hub}' is no address of a hub: wanted http:// or https://")


def pulled_name(repo: str, revision: str = "main") -> str:
    """The name of a pulled encoder's folder."""
    flat = repo.replace("/", "--")
    return flat if revision == "main" else f"{flat}@{revision.replace('/', '--')}"


# ── what is there ─────────────────────────────────────────────────────────────────────────────


def list_files(client: httpx.Client, place: Place) -> Listing:
    """The files of the repository."""
    address = f"{place.hub.rstrip('/')}/api/models/{place.repo}/revision/{place.revision}"
    try:
        with client.stream("GET", address, params={"blobs": "true"}) as response:
            check_status(response, place, address)
            body = read_bounded(response, place)
    except httpx.HTTPError as error:
        raise ConfigError("", f"{place.hub} cannot be reached ({type(error).__name__}): {HINT}") from error
    try:
        return Listing.model_validate_json(body)
    except ValidationError as error:
        raise ConfigError("", f"{address} is no listing of a repository: {HINT}") from error


HINT = f"another address is given by --mirror or {MIRROR_VARIABLE}"


def read_bounded(response: httpx.Response, place: Place) -> bytes:
    """The body, at most LISTING_BYTES_MAX of it."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LISTING_BYTES_MAX:
            raise ConfigError("", f"{place.repo} lists more than {LISTING_BYTES_MAX} bytes of files")
    return bytes(body)


def check_status(response: httpx.Response, place: Place, address: str) -> None:
    """Raise ConfigError that says what to do."""
    status = response.status_code
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise ConfigError(
            "",
            f"{place.hub} gives no access to {place.repo} ({status}): check the name, or set "
            f"{TOKEN_VARIABLE} to a token that may read it",
        )
    if status == httpx.codes.NOT_FOUND:
        raise ConfigError(
            "", f"{place.hub} has no {place.repo} at revision '{place.revision}' (404 for {address})"
        )
    if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
        raise ConfigError("", f"{place.hub} answered {status} for {address}")


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


# ── fetching ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Download:
    """One file on its way."""

    client: httpx.Client
    place: Place
    commit: str
    listed: Listed
    #: Where it goes once it is whole.
    target: Path
    on_bytes: OnBytes
    pause_s: float

    @property
    def part(self) -> Path:
        """What is there so far."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def address(self) -> str:
        """Of the file at the commit."""
        return f"{self.place.hub.rstrip('/')}/{self.place.repo}/resolve/{self.commit}/{self.listed.name}"


def fetch_file(download: Download) -> None:
    """Fetch the file, going on after breaks, and compare it with its checksum."""
    if download.target.is_file():
        return
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            fetch_rest(download)
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS_MAX:
                raise ConfigError("", tell_break(download, error)) from error
            time.sleep(download.pause_s)
        else:
            break
    check_file(download)
    download.part.rename(download.target)


def fetch_rest(download: Download) -> None:
    """Fetch what is missing of the file."""
    there = download.part.stat().st_size if download.part.is_file() else 0
    if there >= download.listed.bytes > 0:
        return
    # The checksum is of the file as it is, not of a packed form.
    headers = {"accept-encoding": "identity", **({"range": f"bytes={there}-"} if there else {})}
    with download.client.stream("GET", download.address, headers=headers) as response:
        check_status(response, download.place, download.address)
        goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = there if goes_on else 0
        with download.part.open("ab" if goes_on else "wb") as stream:
            for chunk in bounded_chunks(response, download, done):
                stream.write(chunk)


def bounded_chunks(response: httpx.Response, download: Download, done: int) -> Iterator[bytes]:
    """The chunks; never more than the listing says."""
    # As they come: with a chunk size, what is gathered for the next chunk is lost in a break.
    for chunk in response.iter_raw():
        done += len(chunk)
        if done > download.listed.bytes:
            break
        yield chunk
        download.on_bytes(download.listed.name, done, download.listed.bytes)
    if done < download.listed.bytes:
        raise httpx.ReadError(f"{done} of {download.listed.bytes} bytes came")


def tell_break(download: Download, error: httpx.HTTPError) -> str:
    """What is said after the last attempt."""
    there = download.part.stat().st_size if download.part.is_file() else 0
    return (
        f"{download.listed.name} broke off {ATTEMPTS_MAX} times ({type(error).__name__}); {there} of "
        f"{download.listed.bytes} bytes are kept: the same command goes on from there"
    )


def check_file(download: Download) -> None:
    """Raise ConfigError unless the file has the size and checksum that are listed; else it is removed."""
    listed, size = download.listed, download.part.stat().st_size
    wanted = listed.large.sha256 if listed.large else listed.blob
    found = digest_of(download.part, size, large=listed.large is not None)
    if (found, size) == (wanted, listed.bytes):
        return
    download.part.unlink()
    raise ConfigError(
        "",
        f"{listed.name} is not what {download.place.hub} lists: checksum {found[:12]}…, wanted "
        f"{wanted[:12]}…; it was removed, try again or another mirror",
    )


def digest_of(path: Path, size: int, *, large: bool) -> str:
    """SHA-256 of large files, git's own checksum of small ones."""
    # Not for secrecy: git names its objects by SHA-1.
    name, start = ("sha256", b"") if large else ("sha1", b"blob %d\0" % size)
    digest = hashlib.new(name, start, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def list_pulled(models: Path) -> Sequence[Path]:
    """The folders of pulled encoders."""
    return [path.parent for path in sorted(models.glob("*--*/manifest.json"))]
