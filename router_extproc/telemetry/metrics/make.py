"""How the parts of the metrics make their series: by what adds the prefix and the registry to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from prometheus_client import Counter, Histogram

#: Makes a counter from its name, its text and its labels.
MakeCounter: TypeAlias = Callable[..., Counter]
#: The same for a histogram.
MakeHistogram: TypeAlias = Callable[..., Histogram]
