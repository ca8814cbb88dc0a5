"""The forms with `providers`: v0.3 and v0.4 (`routing`, `global`), and the command line's of v0.1 and v0.2.

In the older one, `signals` and `decisions` stand at the top.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.cache import Beside, read_cache
from router_extproc.migration.vllm_sr.decisions import Surroundings, read_decisions, used_models
from router_extproc.migration.vllm_sr.draft import Draft
from router_extproc.migration.vllm_sr.flat import (
    AUTO,
    identity_headers,
    lora_models,
    strategy_note,
    virtual_names,
)
from router_extproc.migration.vllm_sr.implied import with_implied_domains
from router_extproc.migration.vllm_sr.pools import OldModel, address_of, build
from router_extproc.migration.vllm_sr.provider_pools import read_provider_models
from router_extproc.migration.vllm_sr.signals import SignalSettings, read_signals

NEW_FORM: Final = "v0.3/v0.4 (providers, routing, global)"
OLD_FORM: Final = "v0.1/v0.2 (providers, signals, decisions)"
#: The list of rules in the file, and the type that conditions name.
RULES: Final[Mapping[str, str]] = {
    "keywords": "keyword",
    "embeddings": "embedding",
    "domains": "domain",
    "fact_check": "fact_check",
    "user_feedbacks": "user_feedback",
    "reasks": "reask",
    "preferences": "preference",
    "language": "language",
    "context": "context",
    "structure": "structure",
    "complexity": "complexity",
    "modality": "modality",
    "role_bindings": "authz",
    "jailbreak": "jailbreak",
    "pii": "pii",
    "kb": "kb",
    "conversation": "conversation",
    "events": "event",
    "metadata": "metadata",
    "classifiers": "classifier",
}


def read_canonical(root: OldSection, beside: Beside) -> Draft:
    """The draft of a file in this form."""
    new = "routing" in root
    routing, world = (root.section("routing") if new else root), root.section("global")
    root.ignore("version")
    sections = routing.sections("decisions")
    used = used_models(sections)
    old, default = read_provider_models(root, routing, [candidate.model for candidate in used])
    models = build([*old, *lora_models(old, {each.lora: each.model for each in used if each.lora})])
    settings = _signal_settings(world)
    written = routing.section("signals")
    rules = {kind: written.sections(key) for key, kind in RULES.items()}
    threshold = settings.domain_threshold
    signals = with_implied_domains(read_signals(rules, settings), sections, threshold)
    cache = read_cache(_cache_section(root, world), beside)
    around = Surroundings(signals.tests, models, default, cache.value["enabled"] is True)
    decisions = read_decisions(sections, around)
    strategy_note(routing, "strategy")
    strategy_note(world.section("router"), "strategy")
    return Draft(
        NEW_FORM if new else OLD_FORM,
        default,
        _virtual_models(world.section("router"), old),
        models,
        {**signals.signals, **decisions.signals},
        decisions.decisions,
        cache,
        _listen(root),
    )


def _signal_settings(world: OldSection) -> SignalSettings:
    modules = world.section("model_catalog").section("modules")
    threshold = modules.section("classifier").section("domain").number("threshold")
    return SignalSettings(threshold, *identity_headers(world.section("services").section("authz")))


def _cache_section(root: OldSection, world: OldSection) -> OldSection:
    stores = world.section("stores")
    if "response_cache" in stores:
        return stores.section("response_cache")
    return stores.section("semantic_cache") if "semantic_cache" in stores else root.section("semantic_cache")


def _virtual_models(router: OldSection, models: list[OldModel]) -> tuple[str, ...]:
    names = (*router.texts("auto_model_names"), router.text("auto_model_name") or AUTO, "auto")
    return virtual_names(names, models)


def _listen(root: OldSection) -> str | None:
    """Where clients connect: the first listener; further ones are noted."""
    first, *others = root.sections("listeners") or (None,)
    for other in others:
        if other is not None:
            other.ignore_rest()
            other.lose("", "Envoy has one listener here", "envoy.listen")
    if first is None:
        return None
    first.ignore("name")
    host, port = first.text("address") or "0.0.0.0", first.integer("port")  # noqa: S104 - as the old router
    return address_of(host, port) if port else None
