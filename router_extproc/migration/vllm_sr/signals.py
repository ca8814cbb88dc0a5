"""Signals of the old file as signals of ours, one function for each kind.

A function gives the signals it needs, and the test that stands for the old rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.conditions import any_of
from router_extproc.migration.vllm_sr.conversation import conversation_settings
from router_extproc.migration.vllm_sr.domains import SIGNAL, domain_signal, domain_test
from router_extproc.migration.vllm_sr.draft import Entry, Signals, When
from router_extproc.migration.vllm_sr.keywords import keyword_signals
from router_extproc.migration.vllm_sr.names import Names
from router_extproc.migration.vllm_sr.pii_kinds import pii_settings
from router_extproc.migration.vllm_sr.supported import accepts_signal
from router_extproc.signals.language import LANGUAGES

#: Chances of failure below which a prompt is easy, and from which it is hard (signals/complexity.py).
EASY_MAX: Final = 0.3
HARD_MIN: Final = 0.6
#: The headers in which the old router looks for who asks.
USER_HEADER: Final = "x-authz-user-id"
GROUPS_HEADER: Final = "x-authz-user-groups"
_MULTIPLES: Final = {"K": 1_000, "M": 1_000_000}
#: Signal names that kinds share.
_SHARED: Final = (SIGNAL, "language", "complexity", "all", "any", "not", "user", "groups")


@dataclass(frozen=True, slots=True)
class Measured:
    """One rule of the old file in our terms."""

    signals: Mapping[str, Entry]
    #: By the names under which old conditions ask for it.
    tests: Mapping[str, When]


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """What signals need to know of the rest of the file."""

    domain_threshold: float | None = None
    user_header: str = USER_HEADER
    groups_header: str = GROUPS_HEADER
    names: Names = field(default_factory=lambda: Names(*_SHARED))


Reader: TypeAlias = Callable[[OldSection, str, SignalSettings], Measured]


def read_signals(
    rules: Mapping[str, Sequence[OldSection]], settings: SignalSettings, *, reported: bool = True
) -> Signals:
    """All signals. `rules`: the old rules by the type that conditions name.

    reported: a rule without counterpart is noted.
    """
    signals: dict[str, Entry] = {}
    tests: dict[tuple[str, str], When] = {}
    for kind, rules_of_kind in rules.items():
        for rule in rules_of_kind:
            name = rule.text("name") or ""
            rule.ignore("description")
            if kind not in READERS:
                _lose_rule(rule, kind, reported=reported)
                continue
            measured = READERS[kind](rule, settings.names.new(name, prefix=kind), settings)
            signals |= measured.signals
            tests |= {(kind, asked): test for asked, test in measured.tests.items()}
    return Signals(signals, tests)


def _lose_rule(rule: OldSection, kind: str, *, reported: bool) -> None:
    rule.ignore_rest()
    if reported:
        reason, nearest = WITHOUT.get(kind, (f"no signal here is like '{kind}'", ""))
        rule.lose("", reason, nearest)


def _one(rule: OldSection, name: str, settings: Mapping[str, JsonValue], comment: str = "") -> Measured:
    """A signal of the rule's own, whose label says that it was found."""
    return Measured({name: Entry(settings, comment)}, {rule.text("name") or "": {name: True}})


# ── kinds ─────────────────────────────────────────────────────────────────────────────────────


def _keyword(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    signals, test = keyword_signals(rule, name)
    return Measured(signals, {rule.text("name") or "": test})


def _embedding(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    candidates = [text for text in rule.texts("candidates") if text.strip()]
    if (rule.text("query_modality") or "text") != "text":
        rule.lose("query_modality", "only the text of a request is compared with examples")
        rule.ignore_rest()
        return Measured({}, {rule.text("name") or "": False})
    if not candidates:
        return Measured({}, {rule.text("name") or "": False})
    threshold = rule.number("threshold")
    rule.ignore("aggregation_method")
    near: dict[str, JsonValue] = {"type": "similarity", "examples": list(candidates)}
    near |= {} if threshold is None else {"min_score": threshold}
    if accepts_signal(near):
        return _one(rule, name, near, "The old threshold; our encoder is another, so look at its scores.")
    comment = (
        f"The old rule took what is as near to an example as {threshold:g}. Here a prompt is labelled when"
        " it is likelier to mean the same as the examples than not (min_score 0.5)."
        if threshold is not None
        else ""
    )
    return _one(rule, name, {"type": "intent", "examples": {name: list(candidates)}}, comment)


def _domain(rule: OldSection, _name: str, settings: SignalSettings) -> Measured:
    rule.lose_if_there("model_scores", "candidates of a domain are chosen by its decision here", setting=True)
    test = domain_test(rule)
    entry = {} if test is False else {SIGNAL: domain_signal(settings.domain_threshold)}
    return Measured(entry, {rule.text("name") or "": test})


def _language(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    code, threshold = (rule.text("name") or "").lower(), rule.number("threshold")
    if code not in LANGUAGES:
        rule.lose("name", f"'{code}' is no language that is told apart here (ISO 639-1)")
        return Measured({}, {rule.text("name") or "": False})
    if not threshold:
        return Measured({"language": Entry({"type": "language"})}, {code: {"language": code}})
    own = f"language-{name}"
    return Measured({own: Entry({"type": "language", "min_score": threshold})}, {code: {own: code}})


def _context(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    low, high = (_tokens(rule, key) for key in ("min_tokens", "max_tokens"))
    bounds: dict[str, JsonValue] = {"type": "context_length", "min_tokens": low or 0}
    return _one(rule, name, {**bounds, "max_tokens": high} if high else bounds)


def _tokens(rule: OldSection, key: str) -> int | None:
    """A number of tokens: 4096, 32K, 1.5M."""
    written = (rule.text(key) or "").strip().upper()
    if not written:
        return None
    factor = _MULTIPLES.get(written[-1:], 1)
    try:
        return int(float(written.rstrip("KM")) * factor)
    except (ValueError, OverflowError):
        rule.ledger.add_problem(rule.at(key), "must be a number of tokens, for example 4096, 32K or 1M")
        return None


def _complexity(rule: OldSection, _name: str, _: SignalSettings) -> Measured:
    old = rule.text("name") or ""
    rule.ignore("threshold")
    for key in ("hard", "easy"):
        rule.lose_if_there(
            key, "a trained head tells how hard a prompt is, not examples", "signal complexity"
        )
    rule.lose_if_there("composer", "a level of complexity depends on no other signal", "all: in each `when`")
    comment = "A trained head: the chance that a weak model fails. Hard, medium and easy are ranges of it."
    tests: dict[str, When] = {
        f"{old}:hard": {"complexity": {"min": HARD_MIN}},
        f"{old}:medium": {"complexity": {"min": EASY_MAX, "max": HARD_MIN}},
        f"{old}:easy": {"complexity": {"max": EASY_MAX}},
        old: {"complexity": {"min": HARD_MIN}},
    }
    return Measured({"complexity": Entry({"type": "complexity", "min_score": HARD_MIN}, comment)}, tests)


def _jailbreak(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    for key in ("jailbreak_patterns", "benign_patterns"):
        rule.lose_if_there(key, "a trained head tells attacks, not examples", "signal guard")
    rule.ignore("method")
    settings, comment = guard_settings(rule.number("threshold"))
    return _one(rule, name, _with_history(rule, settings), comment)


def _with_history(rule: OldSection, settings: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The settings, reading earlier turns, too, where the old rule did."""
    if not rule.flag("include_history"):
        return settings
    whole: dict[str, JsonValue] = {**settings, "parts": ["ask", "history"]}
    if accepts_signal(whole):
        return whole
    reason = "only what the newest turn asks is read"
    rule.lose("include_history", reason, f"signal {settings['type']}")
    return settings


def guard_settings(threshold: float | None) -> tuple[Mapping[str, JsonValue], str]:
    """The guard signal for a threshold of the old classifier, and why."""
    if not threshold:
        return {"type": "guard"}, ""
    comment = (
        "The threshold of the old classifier. Our guard is another model; from 0.83 on (its default), 1 % of"
        " harmless prompts are taken for attacks."
    )
    return {"type": "guard", "min_score": threshold}, comment


def _pii(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    settings = pii_settings(rule, allowed="pii_types_allowed", threshold=rule.number("threshold"))
    if settings is None:
        return Measured({}, {rule.text("name") or "": False})
    return _one(rule, name, _with_history(rule, settings))


def _conversation(rule: OldSection, name: str, _: SignalSettings) -> Measured:
    settings = conversation_settings(rule)
    if settings is not None:
        return _one(rule, name, settings)
    rule.ignore_rest()
    rule.lose("", *WITHOUT["conversation"])
    return Measured({}, {})


def _authz(rule: OldSection, _name: str, settings: SignalSettings) -> Measured:
    users: list[JsonValue] = []
    groups: list[JsonValue] = []
    for subject in rule.sections("subjects"):
        found = subject.text("name") or ""
        (users if (subject.text("kind") or "").lower() == "user" else groups).append(found)
    signals: dict[str, Entry] = {}
    parts: list[When] = []
    trust = "Let only your gateway set this header: a client could write it, too (envoy.strip_headers)."
    if users:
        signals["user"] = Entry({"type": "header", "header": settings.user_header}, trust)
        parts.append({"user": users})
    if groups:
        signals["groups"] = Entry({"type": "header", "header": settings.groups_header}, trust)
        parts.append({"groups": groups})
        nearest = f"signal header: matches when {settings.groups_header} names this group alone"
        rule.lose("subjects", "one of several groups in the header is not found", nearest)
    role, old = rule.text("role") or "", rule.text("name") or ""
    return Measured(signals, dict.fromkeys((old, role) if role else (old,), any_of(parts)))


READERS: Final[Mapping[str, Reader]] = {
    "keyword": _keyword,
    "embedding": _embedding,
    "domain": _domain,
    "language": _language,
    "context": _context,
    "complexity": _complexity,
    "jailbreak": _jailbreak,
    "pii": _pii,
    "authz": _authz,
    "conversation": _conversation,
}

#: Kinds without counterpart: why, and the nearest thing.
WITHOUT: Final[Mapping[str, tuple[str, str]]] = {
    "fact_check": ("no signal tells whether a prompt asks for facts", "signal intent with `examples:`"),
    "user_feedback": ("no signal reads what a user says of an answer", "signal keywords or intent"),
    "reask": ("no signal compares a turn with earlier ones", ""),
    "preference": ("no model is asked for a user's preference", "signal intent with `examples:`"),
    "structure": ("no signal counts parts of a prompt", "signal keywords"),
    "modality": ("no signal tells which kind of output is wanted", "signal keywords or intent"),
    "kb": ("there are no knowledge bases", "signal intent with `examples:`"),
    "conversation": ("no signal counts this of a request", "signal context_length"),
    "event": ("no signal reads events", "signal keywords"),
    "metadata": ("no signal reads the request's metadata", "signal header"),
    "classifier": ("no further classifier is asked", "signal intent with a trained head"),
    "projection": ("signals are not combined into scores", "all, any, not, min and max in `when`"),
}
