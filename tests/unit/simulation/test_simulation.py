"""What the simulator shows of the real routing code, in simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from router_extproc.cli import main
from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.simulation.plot import open_simulation_plot
from router_extproc.simulation.read import read_scenario
from router_extproc.simulation.report import SelectionReport, Simulated, quantile, simulate
from router_extproc.simulation.run import outcome_of, serve_asks
from router_extproc.simulation.scenario import Scenario, SimulatedFeedback
from router_extproc.simulation.shipped import SHIPPED, find_scenario

Output = pytest.CaptureFixture[str]


@cache
def shipped(name: str) -> Simulated:
    """A shipped scenario that has run."""
    return simulate(read_scenario(find_scenario(name)))


def report_of(simulated: Simulated, selection: str) -> SelectionReport:
    return next(each for each in simulated.report.selections if each.selection == selection)


def run(*args: str) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *args])
    return int(ended.value.code or 0)


def knob(simulated: Simulated, names: Sequence[str]) -> tuple[list[float], list[float]]:
    """Costs and qualities at these positions."""
    figures = [report_of(simulated, name).figures for name in names]
    return [each.cost for each in figures], [each.quality or 0.0 for each in figures]


# ── what routing does ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("selection", ["fixed", "fastest", "weighted"])
def test_an_outage_of_the_preferred_pool_loses_no_request(selection: str) -> None:
    """What had begun when the pool died breaks off: fail-over ends with the first byte."""
    report = report_of(shipped("outage"), selection)
    assert report.figures.lost == 0
    assert report.figures.cut_off == report.phases[0].figures.cut_off > 0


@pytest.mark.parametrize("selection", ["fixed", "fastest", "weighted"])
def test_traffic_leaves_a_dead_pool_within_two_seconds_and_comes_back(selection: str) -> None:
    died, recovered = report_of(shipped("outage"), selection).events
    assert died.left_after_s is not None
    assert died.left_after_s < 2
    assert recovered.back_after_s is not None
    assert recovered.back_after_s < 10


@pytest.mark.parametrize("seed", range(2, 5))
def test_an_outage_loses_nothing_whatever_the_seed(seed: int) -> None:
    report = report_of(simulate(shipped("outage").scenario, seed), "fixed")
    assert report.figures.lost == 0
    assert report.events[0].left_after_s is not None
    assert report.events[0].left_after_s < 2


def test_without_fail_over_an_outage_loses_requests() -> None:
    """Else the simulator would show no more than that it loses none itself."""
    scenario = shipped("outage").scenario.model_copy(update={"failover": False})
    assert report_of(simulate(scenario), "fixed").figures.lost > 0


def test_requests_leave_a_silent_pool_at_the_time_for_the_first_byte() -> None:
    report = report_of(shipped("silent-pool"), "fastest")
    assert report.figures.lost == 0
    assert report.preferred_changes_in_a_minute <= 2
    assert (report.phases[1].figures.p50_s or 0) < 1.5 + 3


@pytest.mark.parametrize(("seed", "factor"), [(0, 4.0), (1, 6.0), (2, 6.0)])
def test_a_step_in_latency_changes_the_preferred_pool_at_most_twice_a_minute(
    seed: int, factor: float
) -> None:
    scenario = shipped("slow-pool").scenario
    slow, recovery = scenario.events
    stepped = scenario.model_copy(update={"events": (slow.model_copy(update={"factor": factor}), recovery)})
    report = report_of(simulate(stepped, seed), "fastest")
    assert report.preferred_changes >= 1
    assert report.preferred_changes_in_a_minute <= 2


def test_a_pool_is_left_alone_for_as_long_as_its_429_says() -> None:
    served = shipped("rate-limit").served["fastest"]
    refused = [each.ask.at_s for each in served if each.result == "lost"]
    gaps = [later - earlier for earlier, later in pairwise(refused)]
    assert 1 <= len(refused) <= 3
    assert all(gap >= 20 for gap in gaps)
    asked = [each.ask.at_s for each in served if each.first == "metered"]
    assert not [at_s for at_s in asked if refused[0] + 0.1 < at_s < refused[0] + 20]


def test_more_quality_kept_costs_more() -> None:
    costs, qualities = knob(shipped("price-quality"), ["q=0", "q=0.7", "q=0.8", "q=0.9", "q=0.95", "q=1"])
    assert costs == sorted(costs)
    assert qualities == sorted(qualities)
    assert costs[0] < costs[-1]


def test_a_heavier_cost_costs_less_and_gives_less() -> None:
    costs, qualities = knob(shipped("price-quality"), ["w=1", "w=0.4", "w=0.2", "w=0.1", "w=0.05", "w=0"])
    assert costs == sorted(costs)
    assert qualities == sorted(qualities)
    assert costs[0] < costs[-1]


def test_requests_wait_in_a_pool_that_is_full() -> None:
    scenario = shipped("outage").scenario.model_copy(update={"events": ()})
    small = scenario.models["local"].model_copy(update={"capacity": 1})
    full = scenario.model_copy(update={"models": {"local": small}, "failover": False, "requests_per_s": 0.9})
    free = full.model_copy(update={"models": {"local": scenario.models["local"]}})
    waited = report_of(simulate(full), "fixed").figures
    assert (waited.p95_s or 0) > 2 * (report_of(simulate(free), "fixed").figures.p95_s or 0)


def test_a_pool_that_answers_500_loses_its_traffic() -> None:
    scenario = shipped("outage").scenario
    died, recovery = scenario.events
    failing = died.model_copy(update={"happens": "failing"})
    report = report_of(simulate(scenario.model_copy(update={"events": (failing, recovery)})), "fastest")
    assert report.figures.lost == 0
    assert report.figures.cut_off == 0
    assert (report.events[0].left_after_s or 9) < 2


def test_every_request_has_one_end() -> None:
    for name in set(SHIPPED) - {"sessions"}:
        for selection, served in shipped(name).served.items():
            figures = report_of(shipped(name), selection).figures
            answered = sum(each.result == "answered" for each in served)
            assert figures.requests == answered + figures.lost + figures.cut_off
            assert sum(phase.figures.requests for phase in report_of(shipped(name), selection).phases) == len(
                served
            )


def test_costs_are_prices_by_tokens() -> None:
    simulated = shipped("price-quality")
    scenario, served = simulated.scenario, simulated.served["q=0.9"]
    by_hand = sum(
        each.ask.prompt_tokens * scenario.models[each.model].cost.input_per_mtok / 1e6
        + each.ask.answer_tokens * scenario.models[each.model].cost.output_per_mtok / 1e6
        for each in served
    )
    assert report_of(simulated, "q=0.9").figures.cost == pytest.approx(by_hand, abs=1e-8)


def test_nothing_is_served_where_nobody_asks() -> None:
    scenario = shipped("outage").scenario
    assert serve_asks(scenario, scenario.selections["fixed"], []) == []


def test_a_quantile_is_a_value_that_was_there() -> None:
    assert [quantile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 0.95)] == [1.0, 2.0, 3.0]
    assert quantile([], 0.5) is None


# ── scenarios ─────────────────────────────────────────────────────────────────────────────────

WRONG = """\
requests_per_s: 0
prompts: {easy: 1, hard: 1}
models:
  small: {ttft_s: 0.1, s_per_token: 0.01, quality: {easy: 0.5, hrad: 0.2}, capacty: 4}
  large: {ttft_s: -1, s_per_token: 0.01}
events:
  - {at_s: 10, model: smal, happens: outage}
  - {at_s: 500, model: small, happens: slow}
  - {at_s: 10, model: small, happens: outage, retry_after_s: 3, factor: 2}
  - {at_s: 10, model: small, happens: explosion}
selections:
  best: {by: learned, model: ./folder}
  odd: {by: dice}
"""


def test_a_scenario_with_mistakes_lists_all_problems(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(WRONG)
    assert run(str(path)) == 2
    told = capsys.readouterr().err
    for place in (
        f"{path}:1: requests_per_s: ",
        f"{path}:4: models.small.capacty: ",
        f"{path}:4: models.small.quality: has no 'hard'",
        f"{path}:4: models.small.quality.hrad: ",
        f"{path}:5: models.large.ttft_s: ",
        f"{path}:7: events[0].model: no model 'smal' (did you mean 'small'?)",
        f"{path}:8: events[1].at_s: ",
        f"{path}:8: events[1].factor: is missing",
        f"{path}:9: events[2].retry_after_s: ",
        f"{path}:9: events[2].factor: ",
        f"{path}:10: events[3].happens: ",
        f"{path}:12: selections.best.model: ",
        f"{path}:13: selections.odd.by: must be one of",
    ):
        assert place in told


ONE = "{a: {ttft_s: 1, s_per_token: 1}}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "models"),
        ("{", "not valid YAML"),
        ("models: {a: {ttft_s: 1, s_per_token: 1}}\nselections: {}", "selections: must not be empty"),
        (
            f"{{requests_per_s: 10000, duration_s: 1000, models: {ONE}, selections: {{f: {{by: fixed}}}}}}",
            "requests_per_s: 10,000,000 requests",
        ),
        ("models: {a: {ttft_s: 1, s_per_token: .inf}}\nselections: {f: {by: fixed}}", "models.a.s_per_token"),
    ],
)
def test_what_is_no_scenario_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ConfigProblems, match=problem):
        read_scenario(tmp_path / "scenario.yaml")


def test_a_short_scenario_is_enough(tmp_path: Path) -> None:
    text = "models: {a: {ttft_s: 1, s_per_token: 0}}\nfailover: true\nselections: {f: {by: fixed}}\n"
    (tmp_path / "scenario.yaml").write_text(text)
    assert isinstance(read_scenario(tmp_path / "scenario.yaml"), Scenario)


# ── the command ───────────────────────────────────────────────────────────────────────────────


def test_equal_seeds_give_equal_bytes_and_others_do_not(capsys: Output) -> None:
    outputs = []
    for seed in ("7", "7", "8"):
        assert run("outage", "--json", "--seed", seed) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert outputs[0] != outputs[2]


def test_the_document_has_phases_models_and_events(capsys: Output) -> None:
    assert run("outage", "--json") == 0
    document: dict[str, Any] = orjson.loads(capsys.readouterr().out)  # Any: JSON
    fixed = document["selections"][0]
    assert [phase["from_s"] for phase in fixed["phases"]] == [0.0, 40.0, 80.0]
    assert fixed["phases"][1]["models"][1]["share"] == 1.0
    assert fixed["events"][0]["happens"] == "outage"


def test_people_get_a_table(capsys: Output) -> None:
    assert run("rate-limit") == 0
    shown = capsys.readouterr().out
    assert "p95 s" in shown
    assert "metered: rate_limited; traffic has left after" in shown


def test_what_is_heard_of_answers_corrects_a_wrong_table() -> None:
    """The oversold model is left, for the one that the truth would choose."""
    best, believed, learned = (
        report_of(shipped("outcomes"), name) for name in ("best", "cheapest", "bandit")
    )
    assert (believed.figures.quality or 0) < 0.6
    assert (learned.figures.quality or 0) > 0.98 * (best.figures.quality or 0)
    assert learned.figures.cost < 1.2 * best.figures.cost


def test_nothing_is_heard_without_feedback_or_of_another_models_answer() -> None:
    served = next(each for each in shipped("outcomes").served["bandit"] if each.result == "answered")
    assert outcome_of(served, SimulatedFeedback(share=0.0), 0.0) is None
    honest = outcome_of(served, SimulatedFeedback(share=1.0), 0.0)
    lying = outcome_of(served, SimulatedFeedback(share=1.0, honesty=0.0), 0.0)
    assert honest is not None
    assert lying is not None
    assert honest.good is not lying.good
    assert outcome_of(replace(served, first="other"), SimulatedFeedback(share=1.0), 0.0) is None


def test_the_source_of_a_shipped_scenario_can_be_copied(capsys: Output, tmp_path: Path) -> None:
    assert run("outage", "--source") == 0
    (tmp_path / "own.yaml").write_text(capsys.readouterr().out)
    assert read_scenario(tmp_path / "own.yaml") == shipped("outage").scenario


def test_an_unknown_scenario_is_told_with_those_that_are_there(capsys: Output) -> None:
    assert run("outtage") == 2
    assert "did you mean 'outage'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["outage", "price-quality", "rate-limit"])
def test_a_picture_is_drawn(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "out.png"
    open_simulation_plot(target, shipped(name).scenario)(shipped(name))
    assert target.read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        open_simulation_plot(tmp_path / "absent" / "out.png", shipped("outage").scenario)
