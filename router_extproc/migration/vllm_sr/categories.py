"""The form of October 2025: each category scores the models, and the best one serves it.

`vllm_endpoints`, `model_config`, `categories` with `model_scores`, `prompt_guard`, `semantic_cache`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.cache import Beside, read_cache
from router_extproc.migration.vllm_sr.conditions import all_of
from router_extproc.migration.vllm_sr.decisions import blocked
from router_extproc.migration.vllm_sr.domains import SIGNAL, domain_signal, domain_test
from router_extproc.migration.vllm_sr.draft import Decision, Draft, Entry, Models, When
from router_extproc.migration.vllm_sr.flat_pools import read_flat_models
from router_extproc.migration.vllm_sr.guard import GUARD, guard_decision, read_prompt_guard
from router_extproc.migration.vllm_sr.names import Names
from router_extproc.migration.vllm_sr.pii_kinds import pii_settings
from router_extproc.migration.vllm_sr.pools import build

FORM: Final = "2025-10 (vllm_endpoints, model_config, categories with model_scores)"
#: Of a category that the domain signal finds; the default model's own rules come after all of them.
PRIORITY: Final = 100
LAST: Final = 1
#: Clients asked for this name to be routed.
VIRTUAL: Final = ("auto",)


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a category says of one model."""

    model: str
    score: float
    reasoning: bool | None


@dataclass(frozen=True, slots=True)
class _Denied:
    """Models whose policy forbids personal data, by name, to the signal that finds it."""

    signals: Mapping[str, str]
    entries: Mapping[str, Entry]

    def signal_of(self, model: str) -> str | None:
        return self.signals.get(model)


def read_categories(root: OldSection, beside: Beside) -> Draft:
    """The draft of a file in this form."""
    sections = root.sections("categories")
    scored = {section.path: _scores(section) for section in sections}
    default = root.required("default_model")
    named = [default, *(score.model for scores in scored.values() for score in scores)]
    models = build(read_flat_models(root, named))
    classifier = root.section("classifier")
    domain = domain_signal(classifier.section("category_model").number("threshold"))
    denied = _denied(root, classifier.section("pii_model").number("threshold"))
    guard = read_prompt_guard(root.section("prompt_guard"))
    names = Names("default", "pinned", GUARD)
    decisions = [
        decision
        for section in sections
        for decision in _decisions(section, scored[section.path], models, denied, names)
    ]
    signals = {SIGNAL: domain} if any(_asks(decision.when, SIGNAL) for decision in decisions) else {}
    bert = root.section("bert_model").number("threshold")
    return Draft(
        FORM,
        default,
        tuple(name for name in VIRTUAL if name not in models.models),
        models,
        {**signals, **denied.entries, **guard},
        (*guard_decision(guard, PRIORITY), *decisions, *_default_refusal(default, denied)),
        read_cache(root.section("semantic_cache"), beside, threshold=bert),
    )


def _asks(when: When, signal: str) -> bool:
    return isinstance(when, dict) and f"'{signal}'" in str(when)


# ── categories ────────────────────────────────────────────────────────────────────────────────


def _scores(section: OldSection) -> Sequence[_Scored]:
    """The models of a category, the best first; of equal ones, the first written."""
    found = []
    for score in section.sections("model_scores"):
        score.ignore("reasoning_description")
        if (score.text("reasoning_effort") or "high") != "high":
            score.lose("reasoning_effort", "reasoning is on or off", "parameters.set of the decision")
        found.append(
            _Scored(score.required("model"), score.number("score") or 0.0, score.flag("use_reasoning"))
        )
    return sorted(found, key=lambda scored: -scored.score)


def _decisions(
    section: OldSection, scores: Sequence[_Scored], models: Models, denied: _Denied, names: Names
) -> Iterator[Decision]:
    """The decision of a category, and before it the one for personal data that its model may not see."""
    name = section.required("name")
    when = domain_test(section)
    if not scores:
        section.ledger.add_problem(section.at("model_scores"), "needs at least one model")
        return
    prompt = _prompt(section)
    cache = _cache(section)
    for key in ("jailbreak_enabled", "jailbreak_threshold", "pii_enabled", "pii_threshold"):
        section.lose_if_there(key, "attacks and personal data are treated alike in all categories", "signals")
    if when is False:
        return
    best = scores[0]
    decision = Decision(
        names.new(name),
        PRIORITY,
        when,
        {**_model_keys(best, models), **prompt, **cache},
        section.path,
        _comment(section, scores),
    )
    yield from _pii_decision(decision, scores, models, denied)
    yield decision


def _model_keys(scored: _Scored, models: Models) -> dict[str, JsonValue]:
    keys: dict[str, JsonValue] = {"model": scored.model}
    if scored.reasoning is not None and models.reasons(scored.model):
        keys["reasoning"] = scored.reasoning
    return keys


def _comment(section: OldSection, scores: Sequence[_Scored]) -> str:
    text = section.text("description") or ""
    if len(scores) < 2:  # noqa: PLR2004 - one model has no rival
        return text
    best, *others = scores
    rivals = ", ".join(f"{other.model} {other.score:g}" for other in others)
    told = f"{best.model} has the highest score, {best.score:g}; the others: {rivals}."
    return f"{text}\n{told}" if text else told


def _prompt(section: OldSection) -> dict[str, JsonValue]:
    off = section.flag("system_prompt_enabled") is False
    text, mode = section.text("system_prompt"), section.text("system_prompt_mode")
    if off or not text:
        return {}
    return {"system_prompt": {"prepend" if mode == "insert" else "replace": text}}


def _cache(section: OldSection) -> dict[str, JsonValue]:
    similarity = section.number("semantic_cache_similarity_threshold")
    if section.flag("semantic_cache_enabled") is False:
        return {"cache": {"mode": "off"}}
    return {} if similarity is None else {"cache": {"similarity_min": similarity}}


# ── personal data ─────────────────────────────────────────────────────────────────────────────


def _denied(root: OldSection, threshold: float | None) -> _Denied:
    """The signals for models whose `pii_policy` does not allow all personal data."""
    signals: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    for model, section in root.named("model_config").items():
        policy = section.section("pii_policy")
        if policy.flag("allow_by_default") is not False:
            policy.ignore("pii_types_allowed")
            continue
        settings = pii_settings(policy, allowed="pii_types_allowed", threshold=threshold)
        if settings is None:
            continue
        entry = Entry(settings, "What a model's pii_policy does not allow.")
        name = next((name for name, other in entries.items() if other == entry), None)
        name = name or ("pii" if not entries else f"pii-{len(entries) + 1}")
        entries[name], signals[model] = entry, name
    return _Denied(signals, entries)


def _pii_decision(
    decision: Decision, scores: Sequence[_Scored], models: Models, denied: _Denied
) -> Iterator[Decision]:
    signal = denied.signal_of(scores[0].model)
    if signal is None:
        return
    other = next((scored for scored in scores if denied.signal_of(scored.model) is None), None)
    keys = blocked() if other is None else {**decision.keys, **_model_keys(other, models)}
    what = "are refused" if other is None else "go to the best model that may see it"
    yield Decision(
        f"{decision.name}.pii",
        PRIORITY,
        all_of([decision.when, {signal: True}]),
        keys,
        decision.origin,
        f"Personal data that {scores[0].model} may not see: such requests {what}.",
    )


def _default_refusal(default: str, denied: _Denied) -> Iterator[Decision]:
    if (signal := denied.signal_of(default)) is not None:
        comment = f"The default model, {default}, may not see this either."
        yield Decision("default.pii", LAST, {signal: True}, blocked(), "default_model", comment)
