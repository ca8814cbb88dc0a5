"""The section `admin`: where operators ask, by which names, and with which token."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, Field

from router_extproc.section import Section

#: A shorter token could be found by trying.
TOKEN_CHARS_MIN: Final = 16
#: Servers bound the length of a header.
TOKEN_CHARS_MAX: Final = 512
#: What an Authorization header carries as it is: no space, no control character, ASCII only.
_TOKEN: Final = re.compile(r"[!-~]+")


class Admin(Section):
    """The admin HTTP server; a plain HOST:PORT is the short form of `listen`."""

    #: HOST:PORT of metrics, health, the dashboard, explain and cache operations.
    listen: str = "127.0.0.1:9190"
    #: HOST:PORT of a second port with metrics and health only, for Prometheus and probes.
    metrics: str | None = None
    #: Host names, with or without a port, that are answered besides loopback ones and (where `listen` is
    #: not loopback) IP addresses: a web page can give its own name any address, but not these names.
    allowed_hosts: tuple[str, ...] = ()
    #: The token that "Authorization: Bearer …" must carry. None: on loopback none is needed; on other
    #: addresses, what clients wrote can be neither shown nor changed.
    token: str | None = Field(default=None, repr=False)
    #: A file with the token, instead of `token`; read when the sidecar starts.
    token_file: str | None = None

    @property
    def listen_path(self) -> str:
        """The YAML path of `listen`, as the short or the long form has it."""
        return "admin" if self.model_fields_set <= {"listen"} else "admin.listen"

    def addresses(self) -> list[tuple[str, str]]:
        """The YAML path and the value of each address."""
        metrics = [] if self.metrics is None else [("admin.metrics", self.metrics)]
        return [(self.listen_path, self.listen), *metrics]

    def __str__(self) -> str:
        """HOST:PORT of the admin port: nothing secret."""
        return self.listen


def _from_short_form(value: Any) -> Any:  # Any: YAML
    return value if isinstance(value, dict | Admin) else {"listen": value}


#: As a file has it: the section, or HOST:PORT for its `listen`.
AdminPort: TypeAlias = Annotated[Admin, BeforeValidator(_from_short_form, json_schema_input_type=str | Admin)]


def token_problem(token: str) -> str | None:
    """Why this text cannot be a token; never repeats it."""
    if not TOKEN_CHARS_MIN <= len(token) <= TOKEN_CHARS_MAX:
        return f"must have {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} characters"
    if not _TOKEN.fullmatch(token):
        return "must consist of visible ASCII characters without spaces"
    return None
