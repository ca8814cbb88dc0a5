from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from router_extproc.config.pools import PoolHealth
from router_extproc.process.pool_probe import BACK_LATER, Streak, log_changes

HEALTH = PoolHealth(unhealthy_threshold=3, healthy_threshold=1)


@pytest.mark.parametrize("alive", [True, False])
def test_the_first_result_counts_at_once(alive: bool) -> None:  # noqa: FBT001 - the table's value
    assert Streak(HEALTH).add(alive=alive) is alive


def test_an_endpoint_is_down_after_as_many_failures_as_envoy_takes() -> None:
    streak = Streak(HEALTH)
    results = [streak.add(alive=alive) for alive in (True, False, False, True, False, False, False)]
    assert results == [True, True, True, True, True, True, False]


def test_an_endpoint_is_back_later_than_for_envoy() -> None:
    """Else requests would go to a pool that Envoy does not use yet."""
    streak = Streak(HEALTH)
    results = [streak.add(alive=alive) for alive in (False, *[True] * (1 + BACK_LATER))]
    assert results == [False] * (1 + BACK_LATER) + [True]


def test_a_lost_pool_and_its_return_are_a_warning_each() -> None:
    with capture_logs() as lines:
        log_changes({"a": False, "b": True})
    assert [(line["event"], line["cluster"], line["log_level"]) for line in lines] == [
        ("pool lost: its fallback answers", "a", "warning"),
        ("pool is back", "b", "warning"),
    ]
