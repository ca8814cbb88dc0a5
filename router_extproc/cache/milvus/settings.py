"""The sections of milvus.yaml, with the keys of the guide.

It is not a connection (`cache/milvus/`). Every key here is honoured there.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router_extproc.section import Section


class MilvusAuth(Section):
    """User and password, or a token."""

    #: Off: no name, password or token is sent.
    enabled: bool = False
    #: The user's name.
    username: str = ""
    #: Write it as ${NAME}.
    password: str = ""
    #: Instead of user and password.
    token: str = ""


class MilvusTls(Section):
    """TLS; with cert_file and key_file mutual TLS."""

    #: Off: the connection is not encrypted.
    enabled: bool = False
    #: The client's certificate, PEM.
    cert_file: str = ""
    #: Its key, PEM.
    key_file: str = ""
    #: The authority that signed the server's certificate; empty: any that the machine trusts.
    ca_file: str = ""
    #: The name in the server's certificate, where it is not the host's.
    server_name: str = ""


class MilvusConnection(Section):
    """Where Milvus is and how to reach it."""

    #: Name or address of the server.
    host: str = "127.0.0.1"
    #: The server's gRPC port.
    port: int = Field(default=19530, ge=1, le=65535)
    #: The database, which must exist.
    database: str = "default"
    #: Seconds for one write or scan; lookups and attempts to connect have shorter limits of their own.
    timeout: float = Field(default=30, gt=0)
    auth: MilvusAuth = MilvusAuth()
    tls: MilvusTls = MilvusTls()
    #: Instead of host and port; a path that ends in .db selects Milvus Lite.
    uri: str | None = None


class MilvusVectorField(Section):
    """The vector column."""

    #: The column's name.
    name: str = "embedding"
    #: Ignored: the encoder's is used.
    dimension: int | None = Field(default=None, ge=1)
    #: For vectors of length 1 both are the cosine.
    metric_type: Literal["IP", "COSINE"] = "IP"


class MilvusIndexParams(Section):
    """How an index is built and searched; each type reads its own."""

    #: HNSW: links of a node.
    M: int = Field(default=16, ge=2, le=2048)
    #: HNSW: neighbours that are looked at while building.
    efConstruction: int = Field(default=64, ge=8)  # noqa: N815 - Milvus's own key
    #: HNSW: neighbours that a search looks at; default: the same as efConstruction.
    ef: int | None = Field(default=None, ge=1, le=32768)
    #: IVF_FLAT, IVF_SQ8: clusters.
    nlist: int = Field(default=128, ge=1, le=65536)
    #: IVF_FLAT, IVF_SQ8: clusters that a search looks into.
    nprobe: int = Field(default=16, ge=1, le=65536)


class MilvusIndex(Section):
    """The vector index."""

    #: What Milvus builds; Milvus Lite searches without one.
    type: Literal["HNSW", "FLAT", "AUTOINDEX", "IVF_FLAT", "IVF_SQ8"] = "HNSW"
    params: MilvusIndexParams = MilvusIndexParams()


class MilvusCollection(Section):
    """The collection that holds the entries."""

    #: A second collection, this name with the suffix _purges, tells every replica of purges.
    name: str = Field(default="semantic_cache", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,239}$")
    #: A text for people.
    description: str = ""
    vector_field: MilvusVectorField = MilvusVectorField()
    index: MilvusIndex = MilvusIndex()
    #: How old the state may be that a lookup sees. With Strong every lookup waits about 0.2 s.
    consistency_level: Literal["Strong", "Session", "Bounded", "Eventually"] = "Bounded"
    #: Partitions that the scopes are spread over, so that a search scans only one of them; 0: none. Fixed
    #: when the collection is created.
    partitions: int = Field(default=16, ge=0, le=1024)
    #: Milvus drops a row this many seconds after it was written, whatever its own expiry. None: never.
    ttl_seconds: int | None = Field(default=None, ge=1)


class Milvus(Section):
    """The file that `backend_config_path` names. `uri` at its top is the short form."""

    connection: MilvusConnection = MilvusConnection()
    collection: MilvusCollection = MilvusCollection()
    #: The same as connection.uri.
    uri: str | None = None
