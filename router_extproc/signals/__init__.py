"""The routing signals: each measures one fact of a request.

A signal is one file here and one line in SIGNALS, and passes `testing.check_signal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from router_extproc.signals.base import SignalSettings
from router_extproc.signals.claim import ClaimSettings
from router_extproc.signals.complexity import ComplexitySettings
from router_extproc.signals.context_length import ContextLengthSettings
from router_extproc.signals.conversation import ConversationSettings
from router_extproc.signals.guard import GuardSettings
from router_extproc.signals.header import HeaderSettings
from router_extproc.signals.intent import IntentSettings
from router_extproc.signals.keywords import KeywordsSettings
from router_extproc.signals.language import LanguageSettings
from router_extproc.signals.pii.signal import PiiSettings
from router_extproc.signals.requested_model import RequestedModelSettings
from router_extproc.signals.sampling import SamplingSettings
from router_extproc.signals.similarity import SimilaritySettings
from router_extproc.signals.time_window import TimeWindowSettings
from router_extproc.signals.volatile import VolatileSettings

#: `type` in the configuration to the section that opens such signals.
SIGNALS: Mapping[str, type[SignalSettings]] = MappingProxyType(
    {
        "intent": IntentSettings,
        "similarity": SimilaritySettings,
        "keywords": KeywordsSettings,
        "context_length": ContextLengthSettings,
        "conversation": ConversationSettings,
        "header": HeaderSettings,
        "claim": ClaimSettings,
        "requested_model": RequestedModelSettings,
        "time_window": TimeWindowSettings,
        "language": LanguageSettings,
        "pii": PiiSettings,
        "guard": GuardSettings,
        "complexity": ComplexitySettings,
        "volatile": VolatileSettings,
        "sampling": SamplingSettings,
    }
)
