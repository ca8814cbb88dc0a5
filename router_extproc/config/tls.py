"""Certificates by file: of Envoy's listener, of the gRPC server, and of Envoy as its client."""

from __future__ import annotations

from router_extproc.section import Section


class ServerCertificate(Section):
    """What a server shows, and whom it lets in."""

    #: PEM, with the intermediate certificates behind the server's own.
    cert_file: str
    #: PEM, readable by the server's user only.
    key_file: str
    #: Clients need a certificate of this authority (mutual TLS); None: anybody may connect.
    client_ca_file: str | None = None


class ClientCertificate(Section):
    """Whom a client trusts, and what it shows."""

    #: The authority that the server's certificate must come from.
    ca_file: str
    #: Shown to a server that asks for it; both or neither.
    cert_file: str | None = None
    #: PEM, readable by Envoy's user only.
    key_file: str | None = None
