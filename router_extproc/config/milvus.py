"""The sections of milvus.yaml, with the keys of the guide.

It is not a connection (`cache/milvus/`). Every key here is honoured there.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router_extproc.section import Section


class MilvusAuth(Section):
    """User and password, or a token."""

    enabled: bool = False
    username: str = ""
    password: str = ""
    #: Instead of user and password.
    token: str = ""


class MilvusTls(Section):
    """TLS; with cert_file and key_file mutual TLS."""

    enabled: bool = False
    cert_file: str = ""
    key_file: str = ""
    ca_file: str = ""


class MilvusConnection(Section):
    """Where Milvus is and how to reach it."""

    host: str = "127.0.0.1"
    port: int = Field(default=19530, ge=1, le=65535)
    database: str = "default"
    #: Seconds.
    timeout: float = Field(default=30, gt=0)
    auth: MilvusAuth = MilvusAuth()
    tls: MilvusTls = MilvusTls()
    #: Instead of host and port; a path that ends in .db selects Milvus Lite.
    uri: str | None = None


class MilvusVectorField(Section):
    """The vector column."""

    name: str = "embedding"
    #: Ignored: found from the encoder.
    dimension: int | None = Field(default=None, ge=1)
    metric_type: Literal["IP", "COSINE"] = "IP"


class MilvusIndexParams(Section):
    """HNSW graph parameters."""

    M: int = Field(default=16, ge=2, le=2048)
    efConstruction: int = Field(default=64, ge=8)  # noqa: N815 - Milvus's own key


class MilvusIndex(Section):
    """The vector index."""

    type: Literal["HNSW", "FLAT", "AUTOINDEX"] = "HNSW"
    params: MilvusIndexParams = MilvusIndexParams()


class MilvusCollection(Section):
    """The collection that holds the entries."""

    name: str = Field(default="semantic_cache", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,254}$")
    description: str = ""
    vector_field: MilvusVectorField = MilvusVectorField()
    index: MilvusIndex = MilvusIndex()


class Milvus(Section):
    """The file that `backend_config_path` names. `uri` at its top is the short form."""

    connection: MilvusConnection = MilvusConnection()
    collection: MilvusCollection = MilvusCollection()
    #: The same as connection.uri.
    uri: str | None = None
