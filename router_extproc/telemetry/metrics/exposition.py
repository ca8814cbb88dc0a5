"""The Prometheus text of one worker, and of several as one.

It holds no metric. The rule it keeps: every sample names its worker, so that the text of several
workers can be joined without adding, losing or repeating a series.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BLOCK: Final = b"# HELP "


def expose(registry: CollectorRegistry, *, worker: int) -> bytes:
    """The registry's samples and this process's own, each with the label `worker`."""
    text = CollectorRegistry()
    text.register(_OfWorker((registry, ProcessCollector(registry=None)), str(worker)))
    return generate_latest(text)


class _OfWorker(Collector):
    """Other collectors' samples with one more label."""

    def __init__(self, collectors: Sequence[CollectorRegistry | ProcessCollector], worker: str) -> None:
        self._collectors = collectors
        self._worker = worker

    def describe(self) -> Iterable[Metric]:
        """Nothing: the samples are collected once, at once."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        for collector in self._collectors:
            for metric in collector.collect():
                yield self._labelled(metric)

    def _labelled(self, metric: Metric) -> Metric:
        copy = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        copy.samples = [
            sample._replace(labels={"worker": self._worker, **sample.labels})
            for sample in metric.samples
            # Start times, one for each series: process_start_time_seconds says it once.
            if not sample.name.endswith("_created")
        ]
        return copy


def merge(texts: Sequence[bytes]) -> bytes:
    """The texts of several workers as one: each metric's samples stand together under one head."""
    blocks: dict[bytes, bytes] = {}
    for text in texts:
        for block in text.split(_BLOCK)[1:]:
            help_line, type_line, samples = block.split(b"\n", 2)
            head = b"%b%b\n%b\n" % (_BLOCK, help_line, type_line)
            blocks[head] = blocks.get(head, b"") + samples
    return b"".join(head + samples for head, samples in blocks.items())


PREFIX: Final = "router_extproc"
