"""What a Hugging Face style hub says of one repository: its files, their sizes and checksums.

It fetches none of them (`hub_download`). The rule it keeps: an answer that is no listing, or too long for
one, is refused with what to do.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from pydantic import BaseModel, Field, ValidationError

from router_extproc.errors import ConfigError

HUB = "https://huggingface.co"
#: As the hub's own client reads them.
MIRROR_VARIABLE = "HF_ENDPOINT"
TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the variable's name
#: A repository that lists more is not read; no encoder has so many files, or so much text about them.
LISTING_BYTES_MAX = 8 * 1024 * 1024
HINT = f"another address is given by --mirror or {MIRROR_VARIABLE}"


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
        raise ConfigError("", f"{address} is not a repository listing: {HINT}") from error


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
