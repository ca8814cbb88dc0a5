"""Downloads one file of a hub: resumes after a broken connection, and compares the checksum.

A file under its final name is complete and has the checksum that the hub lists; until then its bytes are
in a `.part` file beside it. Never more bytes are read than are listed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from router_extproc.errors import ConfigError
from router_extproc.models.hub.listing import Listed, Place, check_status

#: Times a broken download goes on where it was, and the pause before each.
ATTEMPTS_MAX = 5
PAUSE_S = 1.0
CHUNK_BYTES = 1024 * 1024

#: Called with a file's name, the bytes that are there and the bytes of all of it.
OnBytes = Callable[[str, int, int], None]


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
