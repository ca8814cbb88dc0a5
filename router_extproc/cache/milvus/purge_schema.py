"""The collection of purges: its columns, how it is created, and whether an existing one is ours.

An existing collection of another shape is refused, never dropped or changed.
"""

from __future__ import annotations

from typing import Final

from pymilvus import DataType, MilvusClient

from router_extproc.cache.milvus.errors import CollectionMismatch

#: Of its name, behind that of the collection that holds the entries.
SUFFIX = "_purges"
#: Of the collection of the same shape in which writes are told (`write_feed`).
WRITES_SUFFIX = "_writes"
FIELDS: Final = ("id", "at", "selector")
#: Milvus wants a vector in every collection; this one says nothing.
VECTOR = "nothing"
_SELECTOR_BYTES_MAX = 65_535


def ensure_purge_log(
    client: MilvusClient, entries_name: str, *, timeout_s: float, suffix: str = SUFFIX
) -> None:
    """Make the collection where there is none, check it where there is one, and load it.

    Raises:
        CollectionMismatch: it exists with other columns.
    """
    name = entries_name + suffix
    if not client.has_collection(name, timeout=timeout_s):
        _make(client, name, timeout_s=timeout_s)
    found = {field["name"] for field in client.describe_collection(name, timeout=timeout_s)["fields"]}
    if not {*FIELDS, VECTOR} <= found:
        raise CollectionMismatch("cache", f"collection {name!r} is not ours; it was left as it is")
    client.load_collection(name, timeout=timeout_s)


def _make(client: MilvusClient, name: str, *, timeout_s: float) -> None:
    schema = MilvusClient.create_schema(auto_id=True, enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("at", DataType.DOUBLE)
    schema.add_field("selector", DataType.VARCHAR, max_length=_SELECTOR_BYTES_MAX)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=2)
    index = MilvusClient.prepare_index_params()
    index.add_index(VECTOR, index_type="FLAT", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index, timeout=timeout_s)
