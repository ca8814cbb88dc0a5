"""Reads a sidecar's published metrics back from their text, to measure it from outside."""

from __future__ import annotations

from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from router_extproc.telemetry.metrics.exposition import PREFIX

_OUTCOMES: Final = f"{PREFIX}_stage_outcomes_total"


def sums_of(text: str) -> dict[str, float]:
    """Every sample by its name, summed over its labels; `text`: what `/metrics` answers."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def count_late_stages(text: str) -> int:
    """How often a stage has run out of its time; `text`: what `/metrics` answers."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    late = (each for each in samples if each.name == _OUTCOMES and each.labels["outcome"] == "timeout")
    return int(sum(each.value for each in late))
