"""The routing signals: each measures one fact of a request.

It is not where they are configured; `app.py` builds them from the configuration's `signals`. The
rule it keeps: a signal is one file here, one line in SIGNALS, and passes `testing.check_signal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from router_extproc.signals.base import Signal
from router_extproc.signals.context_length import ContextLengthSignal
from router_extproc.signals.header import HeaderSignal
from router_extproc.signals.intent import IntentSignal
from router_extproc.signals.keywords import KeywordsSignal

#: `type` in the configuration to the class that measures it.
SIGNALS: Mapping[str, type[Signal]] = MappingProxyType(
    {
        "intent": IntentSignal,
        "keywords": KeywordsSignal,
        "context_length": ContextLengthSignal,
        "header": HeaderSignal,
    }
)
