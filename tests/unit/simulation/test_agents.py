"""What the simulation of agent sessions shows of the routing of sessions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from router_extproc.cli import main
from router_extproc.errors import ConfigProblems
from router_extproc.simulation.agents.draw import draw_sessions
from router_extproc.simulation.agents.plot import open_sessions_plot
from router_extproc.simulation.agents.prefixes import Prefixes
from router_extproc.simulation.agents.report import SessionsReport, WayReport, simulate_sessions
from router_extproc.simulation.agents.section import SimulatedSessions
from router_extproc.simulation.read import read_scenario
from router_extproc.simulation.scenario import Scenario
from router_extproc.simulation.shipped import find_scenario

Output = pytest.CaptureFixture[str]


def agents(**more: object) -> SimulatedSessions:
    """Those of the shipped scenario, but few."""
    shipped = scenario().sessions
    assert shipped is not None
    return shipped.model_copy(update={"count": 8, "repeats": 3, **more})


def scenario() -> Scenario:
    return read_scenario(find_scenario("sessions"))


@cache
def simulated() -> SessionsReport:
    return simulate_sessions(scenario(), agents())


def way(name: str, report: SessionsReport | None = None) -> WayReport:
    return next(each for each in (report or simulated()).ways if each.way == name)


def test_sessions_cost_less_than_the_dear_model_and_solve_nearly_as_much() -> None:
    """The figures of docs/routing.md are of more repeats."""
    kept = way("cheapest, sessions")
    assert kept.cost_change.value < -0.3
    assert kept.solved_change.value > -0.02
    assert way("cheapest, each ask").solved < kept.solved
    assert way("always small").solved < kept.solved


def test_no_session_is_switched_inside_a_tool_loop() -> None:
    assert way("cheapest, sessions").unsafe_switches == 0
    assert way("cheapest, sessions").switches > 0
    assert way("cheapest, each request").unsafe_switches > 0


def test_one_model_alone_never_switches() -> None:
    for name in ("always small", "always large"):
        assert (way(name).switches, way(name).unsafe_switches) == (0, 0)
        assert way(name).cached_share > 0.8


def test_the_dear_model_is_what_ways_are_compared_with() -> None:
    assert simulated().baseline == "always large"
    large = way("always large")
    assert (large.cost_change.value, large.solved_change.value) == (0, 0)


def test_without_a_prefix_cache_nothing_is_cached_and_all_costs_more() -> None:
    report = simulate_sessions(scenario(), agents(prefix_s=0, count=2, pause_s=1))
    assert way("always large", report).cached_share == 0
    assert report.ways[1].cost > 2 * simulate_sessions(scenario(), agents(count=2)).ways[1].cost


def test_sessions_are_drawn_from_their_seed() -> None:
    one, again, other = (list(draw_sessions(scenario(), agents(), seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_a_prefix_is_kept_for_a_while_and_by_its_own_pool() -> None:
    prefixes = Prefixes(60)
    assert prefixes.answer("a", 100, 10, 0.0).cached_tokens == 0
    assert prefixes.answer("a", 150, 10, 60.0).cached_tokens == 110
    assert prefixes.answer("b", 150, 10, 60.0).cached_tokens == 0
    assert prefixes.answer("a", 50, 10, 61.0).cached_tokens == 50
    assert prefixes.answer("a", 100, 10, 122.0).cached_tokens == 0


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *args])
    return int(ended.value.code or 0)


@pytest.fixture
def short(tmp_path: Path) -> str:
    """A scenario of few sessions."""
    text = find_scenario("sessions").read_text()
    path = tmp_path / "short.yaml"
    path.write_text(text.replace("count: 25", "count: 2").replace("repeats: 10", "repeats: 2"))
    return str(path)


def test_people_get_a_table_and_programs_a_document(short: str, capsys: Output) -> None:
    assert run(short) == 0
    assert "cheapest, sessions, against always large: cost -" in capsys.readouterr().out
    assert run(short, "--json", "--seed", "5") == 0
    document: dict[str, Any] = orjson.loads(capsys.readouterr().out)  # Any: JSON
    assert (document["seed"], document["repeats"], len(document["ways"])) == (5, 2, 5)


def test_a_picture_is_drawn(short: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "out.png"
    assert run(short, "--plot", str(target)) == 0
    assert target.read_bytes().startswith(b"\x89PNG")


def test_a_picture_needs_its_folder_before_anything_runs(short: str, tmp_path: Path, capsys: Output) -> None:
    assert run(short, "--plot", str(tmp_path / "absent" / "out.png")) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_what_sessions_have_no_use_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(f"requests_per_s: 3\n{find_scenario('sessions').read_text()}")
    with pytest.raises(ConfigProblems, match="requests_per_s: belongs to a scenario without sessions"):
        read_scenario(path)


def test_a_plot_says_when_its_folder_is_missing_by_itself(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "out.png"
    open_sessions_plot(target)(simulated())
    assert target.stat().st_size > 10_000
