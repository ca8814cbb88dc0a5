"""The flat form of v0.1 and v0.2: `vllm_endpoints` and `model_config`, rules of signals, and `decisions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.cache import Beside, read_cache
from router_extproc.migration.vllm_sr.decisions import Surroundings, read_decisions, used_models
from router_extproc.migration.vllm_sr.draft import Draft
from router_extproc.migration.vllm_sr.flat_pools import read_flat_models
from router_extproc.migration.vllm_sr.guard import guard_decision, read_prompt_guard
from router_extproc.migration.vllm_sr.implied import with_implied_domains
from router_extproc.migration.vllm_sr.pools import OldModel, build
from router_extproc.migration.vllm_sr.signals import SignalSettings, read_signals

FORM: Final = "v0.1/v0.2 (vllm_endpoints, model_config, decisions)"
#: The list of rules in the file, and the type that conditions name.
RULES: Final[Mapping[str, str]] = {
    "keyword_rules": "keyword",
    "embedding_rules": "embedding",
    "categories": "domain",
    "fact_check_rules": "fact_check",
    "user_feedback_rules": "user_feedback",
    "reask_rules": "reask",
    "preference_rules": "preference",
    "language_rules": "language",
    "context_rules": "context",
    "structure_rules": "structure",
    "complexity_rules": "complexity",
    "modality_rules": "modality",
    "role_bindings": "authz",
    "jailbreak": "jailbreak",
    "pii": "pii",
    "kb": "kb",
    "conversation": "conversation",
    "events": "event",
    "metadata": "metadata",
    "classifiers": "classifier",
}
#: The name that clients ask for unless the file has another; `auto` always works.
AUTO: Final = "MoM"


def read_flat(root: OldSection, beside: Beside) -> Draft:
    """The draft of a file in this form."""
    sections = root.sections("decisions")
    default = root.required("default_model")
    used = used_models(sections)
    old = read_flat_models(root, [default, *(candidate.model for candidate in used)])
    models = build([*old, *lora_models(old, {each.lora: each.model for each in used if each.lora})])
    threshold = root.section("classifier").section("category_model").number("threshold")
    user_header, groups_header = identity_headers(root.section("authz"))
    settings = SignalSettings(threshold, user_header, groups_header)
    rules = {kind: root.sections(key) for key, kind in RULES.items()}
    signals = with_implied_domains(read_signals(rules, settings), sections, threshold)
    # With attacks as signals, decisions say what becomes of them.
    guard = {} if rules["jailbreak"] else read_prompt_guard(root.section("prompt_guard"))
    cache = read_cache(
        root.section("semantic_cache"), beside, threshold=root.section("bert_model").number("threshold")
    )
    around = Surroundings(signals.tests, models, default, cache.value["enabled"] is True, bool(guard))
    decisions = read_decisions(sections, around)
    highest = max((decision.priority for decision in decisions.decisions), default=0)
    strategy_note(root, "strategy")
    return Draft(
        FORM,
        default,
        virtual_names((root.text("auto_model_name") or AUTO, "auto"), old),
        models,
        {**signals.signals, **guard, **decisions.signals},
        (*guard_decision(guard, highest), *decisions.decisions),
        cache,
    )


def virtual_names(names: Iterable[str], models: Iterable[OldModel]) -> tuple[str, ...]:
    """The names that clients ask for to be routed; a model of such a name keeps it."""
    known = {model.name for model in models}
    return tuple(name for name in dict.fromkeys(names) if name not in known)


def lora_models(models: list[OldModel], adapters: Mapping[str, str]) -> list[OldModel]:
    """A model for each adapter (`adapters`: to the model it belongs to), in the pool of its base."""
    bases = {model.name: model for model in models}
    return [
        OldModel(name, bases[base].endpoints, family=bases[base].family, pool=bases[base].pool)
        for name, base in adapters.items()
        if name not in bases
    ]


def identity_headers(authz: OldSection) -> tuple[str, str]:
    """The headers that say who asks, user and groups, where the file names them."""
    identity = authz.section("identity")
    defaults = SignalSettings()
    return (
        identity.text("user_id_header") or defaults.user_header,
        identity.text("user_groups_header") or defaults.groups_header,
    )


def strategy_note(section: OldSection, key: str) -> None:
    """By priority is what we do, too."""
    if (section.text(key) or "priority") != "priority":
        reason = "of decisions that hold, the first by priority is taken, not the surest"
        section.lose(key, reason, "priority of each decision")
