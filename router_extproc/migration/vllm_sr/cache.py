"""The old router's cache as `semantic_cache`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from router_extproc.cache.milvus.settings import Milvus, MilvusCollection
from router_extproc.config.starter import PLACEHOLDER
from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.draft import Entry
from router_extproc.section import Section

#: Gives the section in a file that the old one names, and None where there is none.
Beside: TypeAlias = Callable[[str], OldSection | None]
#: A TTL of 0 meant: for ever. A year is as good.
YEAR_S: Final = 31_536_000
#: Old backends, and ours.
BACKENDS: Final = {"memory": "memory", "milvus": "milvus", "hybrid": "milvus", "": "memory"}
SHARED: Final = (
    "The old cache shared answers among all clients. Here a request shares only with requests of the same"
    " credential (Authorization, x-api-key, a cookie ...); clients that send none share nothing. `shared`"
    " is what the old router did. A neighbour's answer is checked by a second model before it is reused."
)
COLLECTION: Final = (
    " The collection gets a name of its own: the old router may still use its own, in another form."
)
#: Behind the old collection's name.
SUFFIX: Final = "_router_extproc"
_SETTINGS: Final = (
    "embedding_model",
    "use_hnsw",
    "hnsw_m",
    "hnsw_ef_construction",
    "hnsw_ef_search",
    "max_memory_entries",
)


def read_cache(section: OldSection, beside: Beside, *, threshold: float | None = None) -> Entry:
    """The section `semantic_cache`. threshold: where the section has none."""
    if not section.flag("enabled"):
        section.ignore_rest()
        return Entry({"enabled": False})
    value: dict[str, JsonValue] = {"enabled": True, **_backend(section, beside)}
    similarity = section.number("similarity_threshold")
    similarity = threshold if similarity is None else similarity
    if similarity is not None:
        value["similarity_threshold"] = similarity
    if (entries := section.integer("max_entries")) is not None and entries > 0:
        value["max_entries"] = entries
    if (ttl_s := section.integer("ttl_seconds")) is not None:
        value["ttl_seconds"] = ttl_s if ttl_s > 0 else YEAR_S
    if policy := section.text("eviction_policy"):
        value["eviction_policy"] = policy
    for key in _SETTINGS:
        section.lose_if_there(
            key, "the near tier needs no index settings", "semantic_cache.near", setting=True
        )
    return Entry({**value, "scope": "credentials"}, SHARED + (COLLECTION if "milvus" in value else ""))


def _backend(section: OldSection, beside: Beside) -> dict[str, JsonValue]:
    written = (section.text("backend_type") or "").lower()
    if written not in BACKENDS:
        nearest = "backend_type memory (written here), or milvus"
        section.lose("backend_type", f"{written} is no backend here", nearest)
        section.ignore("backend_config_path", written)
        return {"backend_type": "memory"}
    if BACKENDS[written] == "memory":
        section.ignore("backend_config_path", "milvus", "redis", "valkey", "qdrant")
        return {"backend_type": "memory"}
    section.ignore("redis", "valkey", "qdrant")
    return {"backend_type": "milvus", "milvus": _milvus(section, beside)}


def _milvus(section: OldSection, beside: Beside) -> JsonValue:
    """The settings of Milvus, written in place: the old file has keys that ours refuses."""
    path = section.text("backend_config_path")
    if not path:
        return _own_collection(_known(section.section("milvus"), Milvus))
    file = beside(path)
    if file is None:
        section.lose("backend_config_path", f"no file '{path}' was found", "semantic_cache.milvus.connection")
        return _own_collection({"connection": {"host": PLACEHOLDER, "port": 19530}})
    found = _known(file, Milvus)
    file.report_unread()
    return _own_collection(found)


def _own_collection(milvus: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The settings with another collection than the old router's."""
    collection = milvus.get("collection")
    settings = collection if isinstance(collection, dict) else {}
    name = settings.get("name") or MilvusCollection().name
    return {**milvus, "collection": {**settings, "name": f"{name}{SUFFIX}"}}


def _known(section: OldSection, kind: type[Section]) -> dict[str, JsonValue]:
    """The keys that our section has, too; the others are left to be noted."""
    value: dict[str, JsonValue] = {}
    for key in section.keys():  # noqa: SIM118 - no mapping itself
        field = kind.model_fields.get(key)
        if field is None:
            continue
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            below = section.section(key)
            if below.flag("enabled") is False:
                below.ignore_rest()
                continue
            value[key] = _known(below, inner)
        else:
            value[key] = section.scalar(key)
    return value


def read_decision_cache(plugin: OldSection, *, cached: bool) -> dict[str, JsonValue]:
    """A decision's `cache` from its plugin `semantic-cache` or `response_cache`. cached: the cache is on."""
    if plugin.flag("enabled") is False:
        plugin.ignore_rest()
        return {"mode": "off"} if cached else {}
    semantic = plugin.section("semantic")
    similarity = semantic.number("similarity_threshold")
    similarity = plugin.number("similarity_threshold") if similarity is None else similarity
    value: dict[str, JsonValue] = {} if similarity is None else {"similarity_min": similarity}
    if (ttl_s := plugin.number("ttl_seconds")) is not None:
        value["ttl_s"] = ttl_s if ttl_s > 0 else YEAR_S
    match plugin.text("mode"):
        case "exact" | "exact_only":
            value = {key: each for key, each in value.items() if key != "similarity_min"} | {"mode": "exact"}
        case _:
            plugin.ignore("mode")
    if plugin.text("scope") == "global":
        value["scope"] = "shared"
    return value
