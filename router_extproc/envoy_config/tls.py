"""TLS: of the listener, towards pools, and towards the gRPC server.

Source: transport_sockets/tls/v3/tls.proto.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

import betterproto2
from envoy_data_plane.envoy.config.core.v3 import DataSource, TransportSocket
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    DownstreamTlsContext,
    SubjectAltNameMatcher,
    TlsCertificate,
    TlsParameters,
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    SubjectAltNameMatcherSanType as SanType,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    TlsParametersTlsProtocol as Version,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.address import read_tcp
from router_extproc.config.tls import ClientCertificate, ServerCertificate

_HTTP: Final = ("h2", "http/1.1")
#: gRPC refuses a connection that did not agree on it.
_GRPC: Final = ("h2",)


def listener_tls(files: ServerCertificate) -> TransportSocket:
    """What clients of Envoy see, and what they must show."""
    common = CommonTlsContext(
        tls_params=TlsParameters(tls_minimum_protocol_version=Version.TLSv1_2),
        tls_certificates=[_certificate(files.cert_file, files.key_file)],
        alpn_protocols=list(_HTTP),
    )
    context = DownstreamTlsContext(common_tls_context=common)
    if files.client_ca_file is not None:
        common.validation_context = CertificateValidationContext(trusted_ca=_file(files.client_ca_file))
        context.require_client_certificate = True
    return _socket(context)


def pool_tls(ca_file: str, endpoints: Sequence[str]) -> TransportSocket:
    """A pool's certificate is checked against this authority and the pool's name, or its addresses."""
    trust = CertificateValidationContext(trusted_ca=_file(ca_file))
    named = any(_san_type(_host(endpoint)) is SanType.DNS for endpoint in endpoints)
    if not named:
        # An address is no server name (SNI), so there is nothing that could be checked automatically.
        trust.match_typed_subject_alt_names = _names(endpoints)
    return _socket(
        UpstreamTlsContext(
            common_tls_context=CommonTlsContext(validation_context=trust),
            auto_host_sni=named,
            auto_sni_san_validation=named,
        )
    )


def server_tls(files: ClientCertificate, addresses: Sequence[str]) -> TransportSocket:
    """The gRPC server's certificate is checked against the authority and the workers' hosts."""
    trust = CertificateValidationContext(
        trusted_ca=_file(files.ca_file),
        match_typed_subject_alt_names=_names(addresses),
    )
    common = CommonTlsContext(validation_context=trust, alpn_protocols=list(_GRPC))
    if files.cert_file is not None and files.key_file is not None:
        common.tls_certificates = [_certificate(files.cert_file, files.key_file)]
    return _socket(UpstreamTlsContext(common_tls_context=common))


def _host(address: str) -> str:
    return read_tcp(address).host


def _names(addresses: Sequence[str]) -> list[SubjectAltNameMatcher]:
    return [_name(host) for host in dict.fromkeys(map(_host, addresses))]


def _name(host: str) -> SubjectAltNameMatcher:
    return SubjectAltNameMatcher(san_type=_san_type(host), matcher=StringMatcher(exact=host))


def _san_type(host: str) -> SanType:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return SanType.DNS
    return SanType.IP_ADDRESS


def _certificate(cert_file: str, key_file: str) -> TlsCertificate:
    return TlsCertificate(certificate_chain=_file(cert_file), private_key=_file(key_file))


def _file(path: str) -> DataSource:
    return DataSource(filename=path)


def _socket(context: betterproto2.Message) -> TransportSocket:
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=Packed.pack(context))
