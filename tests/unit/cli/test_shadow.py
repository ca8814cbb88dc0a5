"""From evaluations that ended to what `router-extproc shadow` says of them."""

from __future__ import annotations

import json

import pytest
from prometheus_client import generate_latest

from router_extproc.cli import main
from router_extproc.pipeline.evaluation.evaluations import Evaluated
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.testing.admin import admin_in_thread

Output = pytest.CaptureFixture[str]
NAMES = ("easy", "large", "small")


def metrics() -> bytes:
    """18 answers of 20 say the same and cost a quarter; four more were not compared."""
    counted = Metrics()
    for _ in range(18):
        counted.evaluations.count(Evaluated(*NAMES, "same", (0.004, 0.001)))
    for outcome in ("different", "different", "failed", "over-budget", "busy", "failed"):
        counted.evaluations.count(Evaluated(*NAMES, outcome))  # type: ignore[arg-type]
    return generate_latest(counted.registry)


def run(exposition: bytes, *options: str) -> int:
    """The exit code of the command against a port with these metrics."""
    with admin_in_thread(None, metrics=exposition) as address, pytest.raises(SystemExit) as ended:
        main(["shadow", "--admin", address, *options])
    return int(ended.value.code or 0)


def test_how_often_it_was_good_enough_is_told_with_its_exact_interval(capsys: Output) -> None:
    """The interval of 18 in 20 is that of Clopper and Pearson's tables."""
    assert run(metrics(), "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert (row["decision"], row["model"], row["shadow_model"]) == NAMES
    assert (row["compared"], row["good_enough"], row["not_compared"], row["priced"]) == (20, 18, 4, 18)
    assert (row["good_enough_low"], row["good_enough_high"]) == pytest.approx((0.6830, 0.9877), abs=5e-5)
    assert (row["cost"], row["shadow_cost"], row["saving"]) == pytest.approx((0.072, 0.018, 0.75))


def test_people_read_a_table(capsys: Output) -> None:
    assert run(metrics()) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[1].split() == [*NAMES, "20", "90.0%", "68.3%", "to", "98.8%", "75.0%"]
    assert "4 more were sampled and not compared" in " ".join(shown.split())


def test_a_pair_of_which_nothing_was_compared_yet_is_shown_as_that(capsys: Output) -> None:
    counted = Metrics()
    counted.evaluations.count(Evaluated(*NAMES, "failed"))
    assert run(generate_latest(counted.registry)) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [*NAMES, "0", "-", "0.0%", "to", "100.0%", "-"]


def test_before_anything_was_sampled_there_is_nothing_to_tell(capsys: Output) -> None:
    assert run(b"") == 1
    assert "is `shadow` configured" in capsys.readouterr().err
