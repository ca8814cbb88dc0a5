"""How often the cache is wrong, as metrics.

It is not the evidence. The rule it keeps: a rate is shown with its interval, never without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from router_extproc.cache.false_hits.evidence import Finding, Sample, Source
from router_extproc.pipeline.background import Outcome
from router_extproc.telemetry.metrics.naming import PREFIX

_NOTHING: Final = Finding(Sample(0, 0), Sample(0, 0), None)


class EvidenceCollector(Collector):
    """What it was last shown; nothing before the first."""

    def __init__(self) -> None:
        self._findings: Mapping[str, Finding] = {}
        self._chores: Mapping[str, int] = {}
        self._expected: tuple[str, ...] = ()

    def begin_at_zero(self, decisions: Iterable[str]) -> None:
        """Show counters of these decisions before anything is known of them."""
        self._expected = tuple(decisions)

    def show(self, findings: Mapping[str, Finding], chores: Mapping[str, int]) -> None:
        """Take over what is known of each decision, and how the work behind it went."""
        self._findings, self._chores = findings, chores

    def describe(self) -> Iterable[Metric]:
        """Nothing: decisions are known only with findings."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        yield from _counters(self._findings, self._expected)
        yield from _rates(self._findings)
        chores = CounterMetricFamily(f"{PREFIX}_cache_chores", "Work behind requests.", labels=("outcome",))
        for outcome in get_args(Outcome):
            chores.add_metric((outcome,), self._chores.get(outcome, 0))
        yield chores


def _counters(findings: Mapping[str, Finding], expected: Iterable[str]) -> Iterator[Metric]:
    trials = CounterMetricFamily(
        f"{PREFIX}_cache_trials", "Hits compared with a fresh answer.", labels=("decision", "outcome")
    )
    complaints = CounterMetricFamily(
        f"{PREFIX}_cache_complaints", "Hits that were called wrong.", labels=("decision", "source")
    )
    for decision in dict.fromkeys((*expected, *findings)):
        found = findings.get(decision, _NOTHING)
        trials.add_metric((decision, "different"), found.ever.wrong)
        trials.add_metric((decision, "same"), found.ever.trials - found.ever.wrong)
        for source in get_args(Source):
            complaints.add_metric((decision, source), found.complaints.get(source, 0))
    yield from (trials, complaints)


def _rates(findings: Mapping[str, Finding]) -> Iterator[Metric]:
    rate = GaugeMetricFamily(
        f"{PREFIX}_cache_false_hit_rate",
        "Share of the latest trials that differed; bound: of its exact 95 % interval.",
        labels=("decision", "bound"),
    )
    needed = GaugeMetricFamily(
        f"{PREFIX}_cache_score_min", "Verifier score that max_false_hit_rate asks for.", labels=("decision",)
    )
    for decision, found in findings.items():
        for bound, value in zip(("lower", "upper"), found.latest.interval, strict=True):
            rate.add_metric((decision, bound), value)
        if found.latest.trials:
            rate.add_metric((decision, "estimate"), found.latest.wrong / found.latest.trials)
        if found.score_min is not None:
            needed.add_metric((decision,), found.score_min)
    yield from (rate, needed)
