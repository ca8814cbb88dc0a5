"""`vllm_endpoints` and `model_config`: the models of the flat forms (2025-10, v0.1, v0.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.pools import (
    Endpoint,
    OldModel,
    address_of,
    note_weights,
    read_cost,
    read_families,
)


@dataclass(frozen=True, slots=True)
class _Server:
    endpoint: Endpoint
    weight: float | None


def read_flat_models(root: OldSection, used: Sequence[str]) -> list[OldModel]:
    """The models of `model_config`, and those that are only named (`used`)."""
    servers = {section.required("name"): _server(section) for section in root.sections("vllm_endpoints")}
    families = read_families(root.named("reasoning_families"))
    sections = root.named("model_config")
    read = [_model(name, section, servers, families) for name, section in sections.items()]
    everywhere = tuple(server.endpoint for server in servers.values())
    return read + [OldModel(name, everywhere) for name in dict.fromkeys(used) if name not in sections]


def lora_models(section: OldSection) -> Iterator[str]:
    """The adapters of a model: further names that its pool serves."""
    for adapter in section.sections("loras"):
        adapter.ignore("description")
        yield adapter.required("name")


def _server(section: OldSection) -> _Server:
    host, port = section.required("address"), section.integer("port") or 0
    tls = (section.text("protocol") or "http").lower() == "https"
    section.ignore("type")
    if not 0 < port < 65536:  # noqa: PLR2004 - what a port is
        section.ledger.add_problem(section.at("port"), "must be a port from 1 to 65535")
    for key in ("api_key", "provider_profile"):
        section.lose_if_there(key, "credentials of a pool are Envoy's", "request_headers_to_add of its route")
    return _Server(Endpoint(address_of(host, port), tls), section.number("weight"))


def _model(
    name: str, section: OldSection, servers: Mapping[str, _Server], families: Mapping[str, str]
) -> OldModel:
    wanted = section.texts("preferred_endpoints")
    unknown = [server for server in wanted if server not in servers]
    if unknown:
        problem = f"no endpoint named {', '.join(unknown)} in vllm_endpoints"
        section.ledger.add_problem(section.at("preferred_endpoints"), problem)
    chosen = [server for server in wanted if server in servers] or list(servers)
    note_weights({server: servers[server].weight for server in chosen}, section, "preferred_endpoints")
    comment = "" if wanted else "The old file prefers no endpoint for this model: it gets all of them."
    section.ignore("description", "param_size", "quality_score", "tags", "capabilities", "modality")
    section.lose_if_there(
        "access_key", "credentials of a pool are Envoy's", "request_headers_to_add of its route"
    )
    return OldModel(
        name,
        tuple(servers[server].endpoint for server in chosen),
        served_name=_served_name(section),
        family=_family(section, families),
        pool=chosen[0] if len(chosen) == 1 else None,
        cost=read_cost(section),
        comment=comment if len(servers) > 1 else "",
    )


def _family(section: OldSection, families: Mapping[str, str]) -> str | None:
    family = section.text("reasoning_family")
    if family and family not in families:
        section.lose("reasoning_family", f"'{family}' is no family that is known here", "reasoning.family")
    return families.get(family or "")


def _served_name(section: OldSection) -> str | None:
    """The name that the pool knows; the ids are by kind of server."""
    ids = section.section("external_model_ids")
    names = {kind: ids.text(kind) for kind in ids.keys()}  # noqa: SIM118 - no mapping itself
    return names.get("vllm") or names.get("openai") or next((name for name in names.values() if name), None)
