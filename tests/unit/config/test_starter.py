"""The configuration that `init` writes: accepted without a warning, whatever the pools are called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router_extproc.config.examine import Report, examine
from router_extproc.config.starter import PLACEHOLDER, StarterPool, check_name, starter
from router_extproc.errors import ConfigError

SMALL = StarterPool("small", "10.0.0.5:8000", tls=False, served_name="Qwen/Qwen3-4B")
LARGE = StarterPool("large", "pool.example.com:443", tls=True, served_name="Qwen/Qwen3-32B")
THIRD = StarterPool("third", "[::1]:8000", tls=False, served_name=None)


def examined(folder: Path, *pools: StarterPool) -> Report:
    file = folder / "router.yaml"
    file.write_text(starter(pools), encoding="utf-8")
    return examine(file)


@pytest.mark.parametrize("pools", [(SMALL,), (SMALL, LARGE)], ids=len)
def test_it_is_accepted_without_a_warning(tmp_path: Path, pools: tuple[StarterPool, ...]) -> None:
    report = examined(tmp_path, *pools)
    assert not report.errors
    assert not report.warnings


def test_a_name_that_is_still_to_be_filled_in_is_a_warning(tmp_path: Path) -> None:
    report = examined(tmp_path, SMALL, LARGE, THIRD)
    assert not report.errors
    assert [warning.path for warning in report.warnings] == ["models.third.served_name"]


def test_each_pool_is_a_model_and_a_cluster(tmp_path: Path) -> None:
    config = examined(tmp_path, SMALL, LARGE, THIRD).accepted()
    assert {name: model.served_name for name, model in config.models.items()} == {
        "small": "Qwen/Qwen3-4B",
        "large": "Qwen/Qwen3-32B",
        "third": PLACEHOLDER,
    }
    clusters = {name: (cluster.endpoints, cluster.tls) for name, cluster in config.envoy.clusters.items()}
    assert clusters == {
        "small": (("10.0.0.5:8000",), False),
        "large": (("pool.example.com:443",), True),
        "third": (("[::1]:8000",), False),
    }


def test_the_first_is_the_default_and_the_second_gets_the_hard_questions(tmp_path: Path) -> None:
    config = examined(tmp_path, SMALL, LARGE, THIRD).accepted()
    assert config.default_model == "small"
    assert [decision.model for decision in config.decisions] == ["large"]


def test_one_pool_has_no_decisions_but_a_cache(tmp_path: Path) -> None:
    config = examined(tmp_path, SMALL).accepted()
    assert not config.decisions
    assert config.semantic_cache.enabled


def test_the_rules_it_shows_for_later_are_accepted_when_they_are_taken(tmp_path: Path) -> None:
    """What a comment teaches must work: written as one pool, then edited as it says."""
    text = starter([SMALL])
    lines = text.splitlines()
    first, last = lines.index("signals:"), lines.index("#     model: large")
    shown = [re.sub(r"^# (?=  |decisions:)", "", line) for line in lines[first : last + 1]]
    second = starter([SMALL, LARGE])
    rules = second[second.index("signals:") : second.index("# Answers that are reused")]
    (tmp_path / "router.yaml").write_text(second.replace(rules, "\n".join(shown) + "\n"), encoding="utf-8")
    assert [decision.model for decision in examine(tmp_path / "router.yaml").accepted().decisions] == [
        "large"
    ]


def test_lines_are_short_enough_for_a_terminal() -> None:
    assert max(len(line) for line in starter([SMALL, LARGE, THIRD]).splitlines()) <= 110


@example(served="${HOME}")
@given(
    served=st.text(st.sampled_from("a${}\\\"'\n#: ") | st.characters(codec="utf-8"), min_size=1, max_size=40)
)
def test_whatever_a_pool_calls_its_model_is_text(
    served: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It comes from another machine, which must not name variables of ours, either."""
    pool = StarterPool("small", "h:1", tls=False, served_name=served)
    config = examined(tmp_path_factory.mktemp("served"), pool).accepted()
    assert config.models["small"].served_name == served


@pytest.mark.parametrize("name", ["", "auto", "yes", "No", "4b", "a b", "a: b", "a.b", "ü", "x" * 64])
def test_a_name_that_yaml_or_clients_would_misread_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name)


@pytest.mark.parametrize("name", ["small", "Qwen3-4B", "a_1"])
def test_a_plain_name_is_taken(name: str) -> None:
    check_name(name)
