"""The router policy: everything in the configuration that decides what happens to a request, as one value.

Made once from a configuration (`translate.py`). A worker may work by another policy later: nothing here is
open, and nothing in it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from router_extproc.cache.decision_policy import CachePolicies
from router_extproc.conversation.ask import AskReader
from router_extproc.dialects.path_forms import PathForms
from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.caching.reuse import ReuseSettings
from router_extproc.pipeline.caching.savings import Prices
from router_extproc.pipeline.conversations import NO_NAMES, SessionNames
from router_extproc.pipeline.evaluation.rules import NO_EVALUATION, EvaluationRules
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.pipeline.saved_header import SavedHeader
from router_extproc.pipeline.tenants import Tenants
from router_extproc.routing.catalogue import Catalogue
from router_extproc.routing.policy import Policy
from router_extproc.routing.traffic.snapshot import ALL_FACTORS, Factors
from router_extproc.signals.base import SignalSettings


@dataclass(frozen=True, slots=True)
class StageLimits:
    """How long a request may take, in seconds."""

    #: Envoy waits this long for a reply.
    message_timeout_s: float
    #: For all stages of one request together.
    budget_s: float
    signals_timeout_s: float
    cache_timeout_s: float
    #: Of a request's body, without its coding.
    max_body_bytes: int = 16 * 1024 * 1024

    @classmethod
    def patient(cls, whole_s: float) -> StageLimits:
        """For requests for which no client waits: each stage may take half of `whole_s`."""
        return cls(whole_s, whole_s, whole_s / 2, whole_s / 2)


@dataclass(frozen=True, slots=True)
class CoalescingLimits:
    """How long equal requests wait for the answer to the first one, and how many."""

    #: From the first request on, in seconds.
    wait_s: float
    waiters_max: int


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What the cache does alike for all decisions."""

    #: Whose feedback counts: of clients in scopes of their own, of all, or of nobody.
    feedback: Literal["own", "all", "off"]
    #: Longer answers are not stored.
    max_answer_bytes: int
    #: No hit is delayed for longer.
    hide_timing_max_s: float
    #: None: equal requests do not wait for each other.
    coalescing: CoalescingLimits | None
    #: Which requests want an answer of their own.
    reuse: ReuseSettings


@dataclass(frozen=True, slots=True)
class RouterPolicy:
    """What a configuration says of requests."""

    catalogue: Catalogue
    #: The decisions, with their candidates and selections.
    routing: Policy
    #: By name: those that some decision or the cache looks at. No other signal is opened or read.
    signals: Mapping[str, SignalSettings]
    cache_policies: CachePolicies
    cache: CacheSettings
    prices: Prices
    limits: StageLimits
    #: Digest of the rules where a decision blocks or answers by itself, "" where none does. It is part of the
    #: cache's keys: what other rules have let pass is not replayed past these.
    local_rules: str = ""
    #: Finds what a human asked.
    ask_reader: AskReader = field(default_factory=AskReader.of)
    #: Number of the version that this is (`process.reload`).
    version: int = 1
    #: By which operators' requests are known; None: none is.
    debug_token: str | None = field(default=None, repr=False)
    #: Decides every request a second time, without effect; None: no policy does.
    shadow: RouterPolicy | None = None
    #: Requests for the list of models get the router's own, not the default pool's.
    own_model_list: bool = True
    path_forms: PathForms = field(default_factory=PathForms)
    #: Headers of another router, beside our own; None: our own only.
    old_headers: OldHeaders | None = None
    #: Answers say what they save; None: they do not.
    saved_header: SavedHeader | None = None
    #: With what the cost of answers is compared; None: no model has a price.
    baseline: Baseline | None = None
    #: By whom costs are told; None: they are not.
    tenants: Tenants | None = None
    #: What of live traffic counts.
    traffic: Factors = ALL_FACTORS
    #: Who names a session.
    session_names: SessionNames = NO_NAMES
    #: A session that was quiet for so long may go to a cheaper model, in seconds.
    session_idle_s: float = 900.0
    #: Which requests another model gets, too.
    evaluation: EvaluationRules = NO_EVALUATION

    @property
    def key_signals(self) -> frozenset[str]:
        """The signals whose readings are part of the cache's keys, by name."""
        return frozenset(name for name, signal in self.signals.items() if signal.in_key)

    @property
    def text_signals(self) -> frozenset[str]:
        """The signals that read texts, by name; those of the shadow policy among them."""
        signals = (*self.signals.items(), *self.shadow_signals.items())
        return frozenset(name for name, signal in signals if signal.reads_texts)

    @property
    def needs_encoder(self) -> bool:
        """True when a signal (of the shadow policy, too) or an evaluation needs it; the cache always does."""
        signals = (*self.signals.values(), *self.shadow_signals.values())
        return bool(self.evaluation) or any(signal.needs_encoder for signal in signals)

    @property
    def shadow_signals(self) -> Mapping[str, SignalSettings]:
        """Those that only the shadow policy reads, or reads otherwise."""
        if self.shadow is None:
            return {}
        looked_at, own = self.shadow.routing.signals, self.shadow.signals
        return {
            name: settings
            for name, settings in own.items()
            if name in looked_at and self.signals.get(name) != settings
        }

    def with_limits(self, limits: StageLimits) -> RouterPolicy:
        """The same policy with other limits."""
        return replace(self, limits=limits)

    def as_version(self, number: int) -> RouterPolicy:
        """The same policy as the version with this number."""
        return replace(self, version=number)
