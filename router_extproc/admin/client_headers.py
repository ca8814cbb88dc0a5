"""The headers of the client that an operator asks about, beside the operator's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

#: In front of a client's header: the operator's request has an Authorization of its own.
CLIENT_PREFIX: Final = "x-router-client-"


def client_headers(headers: Iterable[tuple[str, str]], *, with_token: bool) -> tuple[tuple[str, str], ...]:
    """Names in lower case with their values.

    What has the prefix wins over the request's own header of that name. `with_token`: Authorization is the
    operator's and never the client's.
    """
    sent = [(name.lower(), value) for name, value in headers]
    meant = [
        (name.removeprefix(CLIENT_PREFIX), value) for name, value in sent if name.startswith(CLIENT_PREFIX)
    ]
    hidden = {name for name, _ in meant} | ({"authorization"} if with_token else set())
    own = [(name, value) for name, value in sent if name not in hidden and not name.startswith(CLIENT_PREFIX)]
    return (*own, *meant)


def as_client(headers: Mapping[str, str]) -> dict[str, str]:
    """A client's headers as they are sent to the admin port."""
    return {CLIENT_PREFIX + name.lower(): value for name, value in headers.items()}
