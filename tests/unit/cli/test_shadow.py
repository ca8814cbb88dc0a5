"""From evaluations that ended to what `router-extproc shadow` says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from router_extproc.cli import main
from router_extproc.pipeline.evaluation.outcomes import Evaluated, OutcomeLedger
from router_extproc.testing.admin import admin_in_thread

Output = pytest.CaptureFixture[str]
NAMES = ("easy", "large", "small")
COSTS = (0.004, 0.001)
#: 18 answers of 20 say the same and cost a quarter; four more were not compared.
COMPARED = [
    *[Evaluated(*NAMES, "same", COSTS)] * 18,
    *[Evaluated(*NAMES, "different")] * 2,
    *(Evaluated(*NAMES, outcome) for outcome in ("failed", "over-budget", "busy", "failed")),
]
#: Of five that two judges have seen, two speak for the other model; one judge did not reply.
JUDGED = [
    *[Evaluated(*NAMES, "same", COSTS)] * 5,
    Evaluated(*NAMES, "better", COSTS, "strict", 0.01),
    Evaluated(*NAMES, "equal", COSTS, "strict"),
    Evaluated(*NAMES, "worse", COSTS, "strict", 0.01),
    Evaluated(*NAMES, "unreadable", COSTS, "lenient"),
    Evaluated(*NAMES, "unreadable", COSTS, "lenient"),
    Evaluated(*NAMES, "judge-failed", judge="away"),
]


def run(evaluated: Sequence[Evaluated], *options: str) -> int:
    """The exit code of the command against a port that has counted these."""
    ledger = OutcomeLedger()
    for each in evaluated:
        ledger.add(each)
    with admin_in_thread(None, evaluated=ledger.sums) as address, pytest.raises(SystemExit) as ended:
        main(["shadow", "--admin", address, *options])
    return int(ended.value.code or 0)


def row(capsys: Output) -> Any:
    """Of the only pair of models, as JSON."""
    (row,) = json.loads(capsys.readouterr().out)["evaluations"]
    return row


def test_how_often_it_was_good_enough_is_told_with_its_exact_interval(capsys: Output) -> None:
    """The interval of 18 in 20 is that of Clopper and Pearson's tables."""
    assert run(COMPARED, "--json") == 0
    told = row(capsys)
    assert (told["decision"], told["model"], told["shadow_model"]) == NAMES
    assert (told["compared"], told["good_enough"], told["not_compared"], told["priced"]) == (20, 18, 4, 18)
    assert (told["good_enough_low"], told["good_enough_high"]) == pytest.approx((0.6830, 0.9877), abs=5e-5)
    assert (told["cost"], told["shadow_cost"], told["saving"]) == pytest.approx((0.072, 0.018, 0.75))
    assert (told["evaluated"], told["judged"], told["judges"]) == (20, 0, {})


def test_what_was_judged_is_told_beside_what_was_compared(capsys: Output) -> None:
    """An unreadable verdict speaks against the other model; intervals of 5 in 5 and 2 in 5 by the tables."""
    assert run(JUDGED, "--json") == 0
    told = row(capsys)
    assert (told["evaluated"], told["good_enough"], told["not_compared"]) == (10, 7, 1)
    assert (told["compared"], told["compared_good_enough"]) == (5, 5)
    assert (told["compared_good_enough_low"], told["compared_good_enough_high"]) == pytest.approx(
        (0.4782, 1.0), abs=5e-5
    )
    assert (told["judged"], told["judged_good_enough"]) == (5, 2)
    assert (told["judged_good_enough_low"], told["judged_good_enough_high"]) == pytest.approx(
        (0.0527, 0.8534), abs=5e-5
    )
    assert [told[name] for name in ("better", "equal", "worse", "unreadable")] == [1, 1, 1, 2]
    assert told["judges"] == {"strict": 3, "lenient": 2}
    assert (told["judge_cost"], told["saving"]) == pytest.approx((0.02, 0.75))


def test_people_read_who_says_it(capsys: Output) -> None:
    assert run(JUDGED) == 0
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines()[1:5]] == [
        [*NAMES, "10", "70.0%", "34.8%", "to", "93.3%", "75.0%"],
        ["compared", "5", "100.0%", "47.8%", "to", "100.0%"],
        ["judged", "by", "lenient,", "5", "40.0%", "5.3%", "to", "85.3%"],
        ["strict"],
    ]
    words = " ".join(shown.split())
    assert "better (1) or equal (1); unreadable verdicts (2) count against it" in words
    assert "1 more were sampled" in words


def test_people_read_a_table(capsys: Output) -> None:
    assert run(COMPARED) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[1].split() == [*NAMES, "20", "90.0%", "68.3%", "to", "98.8%", "75.0%"]
    assert "4 more were sampled and not compared" in " ".join(shown.split())


def test_a_pair_of_which_nothing_was_compared_yet_is_shown_as_that(capsys: Output) -> None:
    assert run([Evaluated(*NAMES, "failed")]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [*NAMES, "0", "-", "0.0%", "to", "100.0%", "-"]


def test_before_anything_was_sampled_there_is_nothing_to_tell(capsys: Output) -> None:
    assert run([]) == 1
    assert "is `shadow` configured" in capsys.readouterr().err
