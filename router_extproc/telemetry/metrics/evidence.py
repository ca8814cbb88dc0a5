"""How often the cache is wrong, as metrics: comparisons, feedback, and the rate with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from router_extproc.cache.false_hits.evidence import Finding, Sample
from router_extproc.cache.false_hits.kept import Source
from router_extproc.pipeline.background import Outcome
from router_extproc.telemetry.metrics.exposition import PREFIX

_NOTHING: Final = Finding(Sample(0, 0), Sample(0, 0), None)


class EvidenceCollector(Collector):
    """What it was last shown; nothing before the first."""

    def __init__(self) -> None:
        self._findings: Mapping[str, Finding] = {}
        self._background: Mapping[str, int] = {}
        self._expected: tuple[str, ...] = ()

    def begin_at_zero(self, decisions: Iterable[str]) -> None:
        """Show counters of these decisions before anything is known of them."""
        self._expected = tuple(decisions)

    def show(self, findings: Mapping[str, Finding], background: Mapping[str, int]) -> None:
        """Take over what is known of each decision, and how the work behind it went."""
        self._findings, self._background = findings, background

    def describe(self) -> Iterable[Metric]:
        """Nothing: decisions are known only with findings."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        yield from _counters(self._findings, self._expected)
        yield from _rates(self._findings)
        background = CounterMetricFamily(
            f"{PREFIX}_cache_background_tasks", "Background tasks after requests.", labels=("outcome",)
        )
        for outcome in get_args(Outcome):
            background.add_metric((outcome,), self._background.get(outcome, 0))
        yield from _with_former_name(background, "cache_chores")


def _counters(findings: Mapping[str, Finding], expected: Iterable[str]) -> Iterator[Metric]:
    shadow = CounterMetricFamily(
        f"{PREFIX}_cache_shadow_comparisons",
        "Semantic hits compared with a fresh answer.",
        labels=("decision", "outcome"),
    )
    feedback = CounterMetricFamily(
        f"{PREFIX}_cache_feedback", "Entries reported as wrong.", labels=("decision", "source")
    )
    for decision in dict.fromkeys((*expected, *findings)):
        found = findings.get(decision, _NOTHING)
        shadow.add_metric((decision, "different"), found.own.wrong)
        shadow.add_metric((decision, "same"), found.own.compared - found.own.wrong)
        for source in get_args(Source):
            feedback.add_metric((decision, source), found.feedback.get(source, 0))
    yield from _with_former_name(shadow, "cache_trials")
    yield from _with_former_name(feedback, "cache_complaints")


def _with_former_name(family: CounterMetricFamily, former: str) -> Iterator[Metric]:
    """The counter, and the same under the name that it had in the release before; it goes with the next."""
    yield family
    labels = [sample.labels for sample in family.samples]
    told = f"Now {family.name}_total; this name is removed in the next release."
    old = CounterMetricFamily(f"{PREFIX}_{former}", told, labels=tuple(labels[0]) if labels else ())
    for sample in family.samples:
        old.add_metric(tuple(sample.labels.values()), sample.value)
    yield old


def _rates(findings: Mapping[str, Finding]) -> Iterator[Metric]:
    rate = GaugeMetricFamily(
        f"{PREFIX}_cache_false_hit_rate",
        "Share of the latest comparisons that differed, with the bounds of its exact 95 % interval.",
        labels=("decision", "bound"),
    )
    needed = GaugeMetricFamily(
        f"{PREFIX}_cache_score_min", "Verifier score that max_false_hit_rate requires.", labels=("decision",)
    )
    for decision, found in findings.items():
        for bound, value in zip(("lower", "upper"), found.latest.interval, strict=True):
            rate.add_metric((decision, bound), value)
        if found.latest.compared:
            rate.add_metric((decision, "estimate"), found.latest.wrong / found.latest.compared)
        if found.score_min is not None:
            needed.add_metric((decision,), found.score_min)
    yield from (rate, needed)
