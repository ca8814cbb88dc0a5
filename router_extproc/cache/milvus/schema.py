"""The collection of entries: its columns, how it is created, and whether an existing one is ours.

An existing collection of another shape is refused with a sentence that says what differs; it is never
dropped or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymilvus import DataType, MilvusClient
from pymilvus.milvus_client.index import IndexParams
from pymilvus.orm.schema import CollectionSchema

from router_extproc.cache.digest import DIGEST_CHARS
from router_extproc.cache.milvus.errors import CollectionMismatch
from router_extproc.cache.milvus.settings import MilvusCollection, MilvusIndex

#: Changes when the columns do, or what stands in them.
SCHEMA_VERSION = "1"
VERSION_PROPERTY = "router_extproc.schema"
#: Milvus's own bound on a VARCHAR, in bytes.
VARCHAR_BYTES_MAX = 65_535
#: An answer is cut into pieces of at most VARCHAR_BYTES_MAX; more pieces than this are not stored.
ANSWER_PIECES_MAX = 64
TAGS_MAX = 64
_IVF = ("IVF_FLAT", "IVF_SQ8")
TAG_BYTES_MAX = 256
NAME_BYTES_MAX = 512


@dataclass(frozen=True, slots=True)
class Column:
    """One column beside the vector."""

    type: DataType
    #: Of a VARCHAR, or of an array's elements.
    max_bytes: int | None = None
    #: Of an array.
    max_pieces: int | None = None


PRIMARY = "fingerprint"
#: Rows of one scope stand in one part of the collection.
PARTITION_KEY = "scope"
TTL_PROPERTY = "collection.ttl.seconds"
COLUMNS: Mapping[str, Column] = {
    PRIMARY: Column(DataType.VARCHAR, DIGEST_CHARS),
    "partition": Column(DataType.VARCHAR, DIGEST_CHARS),
    "scope": Column(DataType.VARCHAR, DIGEST_CHARS),
    #: False: exact matches only; the vector then means nothing.
    "semantic": Column(DataType.BOOL),
    "dialect": Column(DataType.VARCHAR, NAME_BYTES_MAX),
    "model": Column(DataType.VARCHAR, NAME_BYTES_MAX),
    "decision": Column(DataType.VARCHAR, NAME_BYTES_MAX),
    "created": Column(DataType.DOUBLE),
    "expires": Column(DataType.DOUBLE),
    "tags": Column(DataType.ARRAY, TAG_BYTES_MAX, TAGS_MAX),
    "prompt": Column(DataType.VARCHAR, VARCHAR_BYTES_MAX),
    #: Compressed, base64, in pieces.
    "answer": Column(DataType.ARRAY, VARCHAR_BYTES_MAX, ANSWER_PIECES_MAX),
}


def ensure_collection(
    client: MilvusClient, settings: MilvusCollection, *, dim: int, timeout_s: float
) -> None:
    """Make the collection where there is none, check it where there is one, and load it.

    Raises:
        CollectionMismatch: it exists with other columns, another dimension or another metric, or was
            made by a version that writes other rows.
    """
    if settings.vector_field.name in COLUMNS:
        raise CollectionMismatch(
            "cache", f"collection.vector_field.name: {settings.vector_field.name!r} is a column's"
        )
    if not client.has_collection(settings.name, timeout=timeout_s):
        _make(client, settings, dim=dim, timeout_s=timeout_s)
    properties = _check(client, settings, dim=dim, timeout_s=timeout_s)
    _keep_ttl(client, settings, properties, timeout_s=timeout_s)
    if not client.list_indexes(settings.name, settings.vector_field.name, timeout=timeout_s):
        # Whoever made it did not come to the end.
        client.create_index(settings.name, _index_params(settings), timeout=timeout_s)
    client.load_collection(settings.name, timeout=timeout_s)


def search_params(settings: MilvusCollection, *, limit: int) -> dict[str, object]:
    """How a search uses the index: HNSW looks at `ef` neighbours, at least at `limit`."""
    params, asked = settings.index.params, {}
    if settings.index.type == "HNSW":
        asked = {"ef": max(params.ef or params.efConstruction, limit)}
    elif settings.index.type in _IVF:
        asked = {"nprobe": min(params.nprobe, params.nlist)}
    return {"metric_type": settings.vector_field.metric_type, "params": asked}


def _make(client: MilvusClient, settings: MilvusCollection, *, dim: int, timeout_s: float) -> None:
    parts = {"num_partitions": settings.partitions} if settings.partitions else {}
    client.create_collection(
        settings.name,
        schema=_schema(settings, dim=dim),
        index_params=_index_params(settings),
        properties={VERSION_PROPERTY: SCHEMA_VERSION, **_ttl(settings)},
        consistency_level=settings.consistency_level,
        timeout=timeout_s,
        **parts,
    )


def _keep_ttl(
    client: MilvusClient, settings: MilvusCollection, found: Mapping[str, str], *, timeout_s: float
) -> None:
    """What an existing collection lets go of when; without `ttl_seconds` it stays as it is."""
    wanted = _ttl(settings)
    if not wanted.items() <= found.items():
        client.alter_collection_properties(settings.name, wanted, timeout=timeout_s)


def _ttl(settings: MilvusCollection) -> dict[str, str]:
    return {} if settings.ttl_seconds is None else {TTL_PROPERTY: str(settings.ttl_seconds)}


def _schema(settings: MilvusCollection, *, dim: int) -> CollectionSchema:
    schema = MilvusClient.create_schema(
        auto_id=False, enable_dynamic_field=False, description=settings.description
    )
    for name, column in COLUMNS.items():
        options = _field_options(column)
        if name == PARTITION_KEY and settings.partitions:
            options["is_partition_key"] = True
        schema.add_field(name, column.type, is_primary=name == PRIMARY, **options)
    schema.add_field(settings.vector_field.name, DataType.FLOAT_VECTOR, dim=dim)
    return schema


def _field_options(column: Column) -> dict[str, object]:
    options: dict[str, object] = {}
    if column.max_bytes is not None:
        options["max_length"] = column.max_bytes
    if column.max_pieces is not None:
        options |= {"element_type": DataType.VARCHAR, "max_capacity": column.max_pieces}
    return options


def _index_params(settings: MilvusCollection) -> IndexParams:
    params = MilvusClient.prepare_index_params()
    params.add_index(
        settings.vector_field.name,
        index_type=settings.index.type,
        metric_type=settings.vector_field.metric_type,
        params=_build_params(settings.index),
    )
    return params


def _build_params(index: MilvusIndex) -> dict[str, int]:
    params = index.params
    if index.type == "HNSW":
        return {"M": params.M, "efConstruction": params.efConstruction}
    return {"nlist": params.nlist} if index.type in _IVF else {}


def _check(
    client: MilvusClient, settings: MilvusCollection, *, dim: int, timeout_s: float
) -> Mapping[str, str]:
    """The properties of a collection that is ours."""
    found = client.describe_collection(settings.name, timeout=timeout_s)
    columns = {field["name"]: field for field in found["fields"]}
    properties: Mapping[str, str] = found.get("properties") or {}
    problem = (
        _version_problem(properties)
        or _column_problem(columns, settings.vector_field.name)
        or _vector_problem(columns[settings.vector_field.name], dim)
        or _metric_problem(client, settings)
    )
    if problem:
        raise CollectionMismatch(
            "cache", f"collection {settings.name!r} {problem}; it was left as it is: choose another name"
        )
    return properties


def _version_problem(properties: Mapping[str, str]) -> str:
    found = properties.get(VERSION_PROPERTY, SCHEMA_VERSION)
    return "" if found == SCHEMA_VERSION else f"has rows of version {found}, not {SCHEMA_VERSION}"


def _column_problem(columns: Mapping[str, Any], vector: str) -> str:  # Any: the client's own dict
    missing = sorted({*COLUMNS, vector} - columns.keys())
    if missing:
        return f"has no column {', '.join(missing)}"
    wrong = sorted(name for name, column in COLUMNS.items() if columns[name]["type"] != column.type)
    return f"has another type of column {', '.join(wrong)}" if wrong else ""


def _vector_problem(field: Mapping[str, Any], dim: int) -> str:  # Any: the client's own dict
    found = field.get("params", {}).get("dim")
    return "" if found == dim else f"has vectors of dimension {found}, the encoder gives {dim}"


def _metric_problem(client: MilvusClient, settings: MilvusCollection) -> str:
    wanted = settings.vector_field.metric_type
    for name in client.list_indexes(settings.name, settings.vector_field.name):
        found = client.describe_index(settings.name, name)["metric_type"]
        if found != wanted:
            return f"has an index of metric {found}, not {wanted}"
    return ""
