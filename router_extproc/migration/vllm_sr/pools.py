"""Models and endpoints of the old file as our models and Envoy's clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from router_extproc.config.starter import PLACEHOLDER
from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.draft import Entry, Models
from router_extproc.migration.vllm_sr.names import Names
from router_extproc.migration.vllm_sr.supported import has_context_tokens

#: How the old router switches reasoning (type and parameter), and our family that says it so.
FAMILIES: Final[Mapping[tuple[str, str], str]] = {
    ("chat_template_kwargs", "enable_thinking"): "qwen3",
    ("chat_template_kwargs", "thinking"): "deepseek",
    ("reasoning_effort", "reasoning_effort"): "gpt_oss",
    ("top_level_reasoning_effort", "reasoning_effort"): "gpt_oss",
}
#: Families that need no definition in the old file.
BY_NAME: Final[Mapping[str, str]] = {
    "qwen3": "qwen3",
    "deepseek": "deepseek",
    "gpt-oss": "gpt_oss",
    "gpt_oss": "gpt_oss",
    "gpt": "gpt_oss",
}
_PORTS: Final = {"http": 80, "https": 443}
#: The path under which pools serve the API; Envoy keeps the client's path, so another one is lost.
_API: Final = ("", "/v1")
NO_ENDPOINT: Final = "the old file names no endpoint of this model: write HOST:PORT of its servers here."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server of a pool."""

    #: HOST:PORT.
    address: str
    tls: bool = False


@dataclass(frozen=True, slots=True)
class OldModel:
    """One model of the old file, whatever its form."""

    name: str
    endpoints: tuple[Endpoint, ...]
    #: What the pool calls it; None: by its name.
    served_name: str | None = None
    family: str | None = None
    #: Name of the pool, if the old file has one for it.
    pool: str | None = None
    cost: Mapping[str, JsonValue] | None = None
    #: Tokens of the longest request that it reads.
    context_tokens: int | None = None
    comment: str = ""


def read_families(section: Mapping[str, OldSection]) -> Mapping[str, str]:
    """Our family by the name of the old one; one that cannot be said is noted."""
    known = dict(BY_NAME)
    for name, family in section.items():
        how = (family.text("type") or "", family.text("parameter") or "")
        family.ignore_rest()
        if how in FAMILIES:
            known[name] = FAMILIES[how]
        else:
            known.pop(name, None)
            reason = f"reasoning is never switched by {how[0] or '?'} {how[1] or '?'} here"
            family.lose("", reason, "reasoning.family qwen3, deepseek or gpt_oss")
    return known


def read_cost(model: OldSection) -> Mapping[str, JsonValue] | None:
    """Prices of a model; other prices than of input and output are noted."""
    pricing = model.section("pricing")
    pricing.ignore("currency")
    reason = "to write into a prefix cache has no price of its own"
    pricing.lose_if_there("cache_write_per_1m", reason, "models.*.cost", setting=True)
    prices = (pricing.number("prompt_per_1m"), pricing.number("completion_per_1m"))
    cached = pricing.number("cached_input_per_1m")
    if prices == (None, None):
        return None
    told = {"input_per_mtok": prices[0] or 0.0, "output_per_mtok": prices[1] or 0.0}
    return told if cached is None else {**told, "cached_input_per_mtok": cached}


def read_url(section: OldSection, key: str, *, protocol: str = "http") -> Endpoint | None:
    """The endpoint in HOST:PORT, HOST:PORT/v1 or a URL; a path that is not the API's is noted."""
    written = (section.text(key) or "").strip()
    if not written:
        return None
    scheme = written.partition("://")[0].lower() if "://" in written else protocol.lower()
    try:
        parts = urlsplit(written if "://" in written else f"{scheme}://{written}")
        port = parts.port or _PORTS.get(scheme, 0)
    except ValueError:
        port = 0
    if scheme not in _PORTS or not port or not parts.hostname:
        section.ledger.add_problem(section.at(key), "must be HOST:PORT or a URL of http or https")
        return None
    if parts.path.rstrip("/") not in _API:
        section.lose(
            key, f"the path {parts.path} is not put before a request's", "a rewrite of your own Envoy"
        )
    return Endpoint(address_of(parts.hostname, port), scheme == "https")


def address_of(host: str, port: int) -> str:
    """HOST:PORT, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def build(models: Sequence[OldModel]) -> Models:
    """Our models, and one cluster for each set of endpoints."""
    names = Names()
    clusters: dict[str, Entry] = {}
    by_endpoints: dict[tuple[Endpoint, ...], str] = {}
    entries: dict[str, Entry] = {}
    for model in models:
        name = by_endpoints.get(model.endpoints) if model.endpoints else None
        if name is None:
            name = names.new(model.pool or model.name)
            clusters[name] = _cluster(model.endpoints)
            by_endpoints[model.endpoints] = name
        entries[model.name] = Entry(_model(model, name), model.comment)
    return Models(entries, clusters)


def _model(model: OldModel, cluster: str) -> Mapping[str, JsonValue]:
    value: dict[str, JsonValue] = {"cluster": cluster}
    if model.served_name and model.served_name != model.name:
        value["served_name"] = model.served_name
    if model.family:
        value["reasoning"] = {"family": model.family}
    if model.context_tokens and has_context_tokens():
        value["context_tokens"] = model.context_tokens
    if model.cost:
        value["cost"] = dict(model.cost)
    return value


def _cluster(endpoints: Sequence[Endpoint]) -> Entry:
    if not endpoints:
        return Entry({"endpoints": [f"{PLACEHOLDER}:8000"]}, f"{PLACEHOLDER}: {NO_ENDPOINT}")
    value: dict[str, JsonValue] = {"endpoints": [endpoint.address for endpoint in endpoints]}
    return Entry({**value, "tls": True} if endpoints[0].tls else value)


def same_tls(model: OldSection, endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints that speak as the first one does; a cluster speaks one way."""
    kept = tuple(endpoint for endpoint in endpoints if endpoint.tls == endpoints[0].tls)
    if len(kept) < len(endpoints):
        reason = (
            "one pool speaks TLS with all of its endpoints or with none; those unlike the first are left out"
        )
        model.lose("backend_refs", reason, "a second model with a pool of its own, as `fallback`")
    return tuple(dict.fromkeys(kept))


def note_weights(weights: Mapping[str, float | None], section: OldSection, key: str) -> None:
    """Endpoints of a pool get equal shares; other weights are noted."""
    if len({weight or 1 for weight in weights.values()}) > 1:
        section.lose(key, "the endpoints of a pool get equal shares", "one model a pool, chosen by weight")
