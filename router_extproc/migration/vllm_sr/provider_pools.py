"""`providers`: the models of the v0.1 to v0.4 forms, and where they are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.pools import (
    Endpoint,
    OldModel,
    note_weights,
    read_cost,
    read_families,
    read_url,
    same_tls,
)

_CREDENTIALS = (
    "api_key",
    "api_key_env",
    "auth_header",
    "auth_prefix",
    "extra_headers",
    "provider",
    "api_version",
    "chat_path",
)


def read_provider_models(
    root: OldSection, routing: OldSection, used: Sequence[str]
) -> tuple[list[OldModel], str]:
    """The models, and the name of the default one."""
    providers = root.section("providers")
    defaults = providers.section("defaults")
    families = read_families(
        {**providers.named("reasoning_families"), **defaults.named("reasoning_families")}
    )
    cards = dict(_card(section) for section in routing.sections("modelCards"))
    read = [_model(section, families, cards) for section in providers.sections("models")]
    known = {model.name for model in read}
    named = [name for name in dict.fromkeys([*cards, *used]) if name and name not in known]
    read += [OldModel(name, (), context_tokens=cards.get(name)) for name in named]
    default = defaults.text("default_model") or providers.text("default_model")
    if not default and read:
        default = read[0].name
    if not default:
        root.ledger.add_problem("providers.models", "needs at least one model")
    providers.lose_if_there(
        "default_reasoning_effort", "reasoning is on or off", "decisions[].reasoning", setting=True
    )
    return read, default or ""


def _card(section: OldSection) -> tuple[str, int | None]:
    """A model's name, and how long a request it reads."""
    section.ignore("description", "param_size", "capabilities", "quality_score", "modality", "tags", "loras")
    return section.text("name") or "", section.integer("context_window_size")


def _model(section: OldSection, families: Mapping[str, str], cards: Mapping[str, int | None]) -> OldModel:
    name = section.required("name")
    refs = (*section.sections("backend_refs"), *section.sections("endpoints"))
    endpoints = [endpoint for ref in refs if (endpoint := _endpoint(ref)) is not None]
    weights = {ref.path: ref.number("weight") for ref in refs}
    note_weights(weights, section, "backend_refs" if "backend_refs" in section else "endpoints")
    section.lose_if_there(
        "access_key", "credentials of a pool are Envoy's", "request_headers_to_add of its route"
    )
    family = section.text("reasoning_family")
    if (section.text("api_format") or "openai") != "openai":
        reason = "requests are not translated from one API to another"
        section.lose("api_format", reason, "a pool that speaks the API of the client")
    return OldModel(
        name,
        same_tls(section, endpoints) if endpoints else (),
        served_name=section.text("provider_model_id") or _external(section),
        family=families.get(family or ""),
        cost=read_cost(section),
        context_tokens=cards.get(name),
    )


def _external(section: OldSection) -> str | None:
    ids = section.section("external_model_ids")
    return ids.text("vllm") or ids.text("openai")


def _endpoint(ref: OldSection) -> Endpoint | None:
    ref.ignore("name", "type")
    for key in _CREDENTIALS:
        reason = "credentials and headers of a pool are Envoy's"
        ref.lose_if_there(key, reason, "request_headers_to_add of its route")
    if "endpoint" in ref:
        ref.ignore("base_url")
        return read_url(ref, "endpoint", protocol=ref.text("protocol") or "http")
    ref.ignore("protocol")
    found = read_url(ref, "base_url")
    if found is None and "base_url" not in ref:
        ref.ledger.add_problem(ref.path, "needs an endpoint or a base_url")
    return found
