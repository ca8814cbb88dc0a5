"""The selections: how one of a decision's candidates is chosen.

A selection is one file here, one line in SELECTIONS, and passes `testing.check_selection`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from router_extproc.routing.selection.bandit import BanditSettings
from router_extproc.routing.selection.base import SelectionSettings
from router_extproc.routing.selection.cheapest import CheapestSettings
from router_extproc.routing.selection.fastest import FastestSettings
from router_extproc.routing.selection.fixed import FixedSettings
from router_extproc.routing.selection.learned import LearnedSettings
from router_extproc.routing.selection.weighted import WeightedSettings

#: `by` in the configuration to the section that opens such a selection.
SELECTIONS: Mapping[str, type[SelectionSettings]] = MappingProxyType(
    {
        "fixed": FixedSettings,
        "weighted": WeightedSettings,
        "cheapest": CheapestSettings,
        "fastest": FastestSettings,
        "learned": LearnedSettings,
        "bandit": BanditSettings,
    }
)
