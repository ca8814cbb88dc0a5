"""Why each value of the rendered configuration is what it is; written above it as a comment.

It is not documentation of Envoy. The rule it keeps: every number and every switch that differs from
Envoy's default has its reason here, keyed by the end of its path (list items count by their name).
"""

from __future__ import annotations

from router_extproc.envoy_config.yaml_text import Reasons

REASONS: Reasons = {}
