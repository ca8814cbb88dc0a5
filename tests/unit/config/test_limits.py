"""The stages share what Envoy waits, less the way back."""

from __future__ import annotations

import pytest

from router_extproc.config.limits import Limits


@pytest.mark.parametrize(("message_timeout_s", "margin_s"), [(0.5, 0.05), (0.2, 0.05), (5.0, 1.0)])
def test_stages_share_the_time_that_is_left(message_timeout_s: float, margin_s: float) -> None:
    limits = Limits(message_timeout_s=message_timeout_s, margin_s=margin_s)
    assert limits.signals_timeout_s + limits.cache_timeout_s == pytest.approx(message_timeout_s - margin_s)
    assert limits.signals_timeout_s > limits.cache_timeout_s > 0


def test_a_share_that_is_given_stays() -> None:
    limits = Limits(message_timeout_s=1.0, cache_timeout_s=0.7)
    assert (limits.cache_timeout_s, limits.signals_timeout_s) == (0.7, pytest.approx(0.95 * 5 / 9))


def test_a_full_window_has_its_time_by_default() -> None:
    """On a processor without VNNI 256 tokens take more than 0.1 s."""
    assert Limits().signals_timeout_s == pytest.approx(0.25)
    assert Limits().cache_timeout_s == pytest.approx(0.2)


def test_the_default_limit_of_bodies_fits_a_photo_and_an_agent() -> None:
    assert Limits().max_body_bytes == 16 * 1024 * 1024
