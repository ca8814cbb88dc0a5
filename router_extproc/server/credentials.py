"""TLS of the gRPC server: certificate, key, and whose clients it lets in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc

from router_extproc.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files, read when the server starts."""

    cert_file: Path
    key_file: Path
    #: None: clients need no certificate.
    client_ca_file: Path | None = None


def credentials_of(tls: ServerTls) -> grpc.ServerCredentials:
    """What gRPC needs to speak TLS.

    Raises:
        ConfigError: a file cannot be read.
    """
    pair = (_read("key_file", tls.key_file), _read("cert_file", tls.cert_file))
    authority = None if tls.client_ca_file is None else _read("client_ca_file", tls.client_ca_file)
    return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)


def _read(key: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"listen_tls.{key}", f"cannot read {file}: {error.strerror}") from error
