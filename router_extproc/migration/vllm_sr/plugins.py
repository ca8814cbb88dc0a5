"""Plugins of an old decision as keys of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.cache import read_decision_cache
from router_extproc.migration.vllm_sr.draft import Entry
from router_extproc.migration.vllm_sr.pii_kinds import pii_settings
from router_extproc.migration.vllm_sr.signals import guard_settings

#: Parameters that the old router bounds, by its own names for them.
_BOUNDS: Final = {"max_tokens_limit": ("max_tokens", "max_completion_tokens"), "max_n": ("n",)}
Keys: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class PluginKeys:
    """What a decision's plugins say."""

    #: Keys of the decision.
    keys: Mapping[str, JsonValue] = field(default_factory=dict)
    #: Signals whose find is refused before the decision, by what is refused.
    refused: Mapping[str, Entry] = field(default_factory=dict)


def read_plugins(decision: OldSection, *, cached: bool, guarded: bool) -> PluginKeys:
    """The keys for all plugins of a decision; those without counterpart are noted.

    cached: the cache is on. guarded: every attack is refused before any decision.
    """
    keys: Keys = {}
    refused: dict[str, Entry] = {}
    for plugin in decision.sections("plugins"):
        kind = plugin.text("type") or ""
        settings = plugin.section("configuration")
        if kind in ("semantic-cache", "semantic_cache", "response_cache", "response-cache"):
            keys |= _cache(settings, cached=cached)
        elif kind == "jailbreak":
            refused |= _guard(settings, guarded=guarded)
        elif settings.flag("enabled") is False:
            settings.ignore_rest()
        elif kind == "pii":
            refused |= _pii(settings)
        elif kind in PLUGINS:
            keys |= PLUGINS[kind](settings)
        else:
            settings.ignore_rest()
            plugin.lose("", *WITHOUT.get(kind, (f"no plugin here is like '{kind}'", "")))
    return PluginKeys(keys, refused)


# ── with a counterpart ────────────────────────────────────────────────────────────────────────


def _cache(settings: OldSection, *, cached: bool) -> Keys:
    value = read_decision_cache(settings, cached=cached)
    return {"cache": value} if value else {}


def system_prompt(settings: OldSection) -> Keys:
    """Replace is what the old router does unless it is told to insert."""
    text, mode = settings.text("system_prompt"), settings.text("mode") or "replace"
    return {"system_prompt": {"prepend" if mode == "insert" else "replace": text}} if text else {}


def _headers(settings: OldSection) -> Keys:
    headers: Keys = {}
    for key in ("add", "update"):
        for pair in settings.sections(key):
            headers[pair.required("name").lower()] = pair.text("value") or ""
    settings.lose_if_there(
        "delete", "a decision removes no headers", "request_headers_to_remove of your Envoy"
    )
    return {"headers": headers} if headers else {}


def _answer(settings: OldSection) -> Keys:
    return {"action": {"answer": settings.text("message") or ""}}


def _parameters(settings: OldSection) -> Keys:
    parameters: Keys = {}
    if blocked := settings.texts("blocked_params"):
        parameters["remove"] = list(blocked)
    bounds: Keys = {}
    for old, new in _BOUNDS.items():
        if (bound := settings.integer(old)) is not None:
            bounds |= dict.fromkeys(new, bound)
    if settings.flag("strip_unknown"):
        settings.lose("strip_unknown", "unknown members of a request pass", "parameters.remove")
    if bounds:
        parameters["max"] = bounds
    return {"parameters": parameters} if parameters else {}


PLUGINS: Final[Mapping[str, Callable[[OldSection], Keys]]] = {
    "system_prompt": system_prompt,
    "header_mutation": _headers,
    "fast_response": _answer,
    "request_params": _parameters,
}


# ── refusals ──────────────────────────────────────────────────────────────────────────────────


def _guard(settings: OldSection, *, guarded: bool) -> dict[str, Entry]:
    on, threshold = settings.flag("enabled"), settings.number("threshold")
    if guarded:
        if on is False or threshold is not None:
            settings.lose("", "attacks are refused before any decision, and alike for all", "signal guard")
        return {}
    return {"guard": Entry(*guard_settings(threshold))} if on else {}


def _pii(settings: OldSection) -> dict[str, Entry]:
    found = pii_settings(settings, allowed="pii_types_allowed", threshold=settings.number("threshold"))
    return {} if found is None else {"pii": Entry(found)}


# ── without one ───────────────────────────────────────────────────────────────────────────────

WITHOUT: Final[Mapping[str, tuple[str, str]]] = {
    "hallucination": ("answers are not checked against facts", ""),
    "response_jailbreak": ("answers are not read for attacks", "signal guard, which reads requests"),
    "content_safety": ("no such check", "signal guard with kinds: [harmful_request]"),
    "router_replay": ("requests are not recorded", "the log line of each request, and its metrics"),
    "memory": ("nothing is remembered of a user", ""),
    "rag": ("nothing is put into a prompt", ""),
    "image_gen": ("no images are made", ""),
    "tools": ("tools of a request are passed on as they are", ""),
    "tool_selection": ("tools of a request are passed on as they are", ""),
    "context_compression": ("a conversation is passed on whole", ""),
}
