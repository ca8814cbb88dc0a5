"""Which names are routed, which are pinned, and which are refused."""

from __future__ import annotations

import pytest

from router_extproc.errors import ModelNotFound
from router_extproc.routing.catalogue import Catalogue, Target

SMALL = Target("small", "vllm_small", "Qwen/Qwen3-4B", None)
LARGE = Target("large", "vllm_large", "small", None)
CATALOGUE = Catalogue.of(("auto", "best"), (SMALL, LARGE))


@pytest.mark.parametrize("name", ["auto", "best"])
def test_virtual_name_is_routed(name: str) -> None:
    assert CATALOGUE.pinned(name) is None


@pytest.mark.parametrize(("name", "target"), [("large", LARGE), ("Qwen/Qwen3-4B", SMALL)])
def test_real_name_is_pinned_by_key_or_served_name(name: str, target: Target) -> None:
    assert CATALOGUE.pinned(name) == target


def test_key_wins_over_another_models_served_name() -> None:
    assert CATALOGUE.pinned("small") == SMALL


def test_unknown_name_is_refused_without_repeating_it() -> None:
    """An error must not echo what the client wrote."""
    with pytest.raises(ModelNotFound) as caught:
        CATALOGUE.pinned("hunter2")
    assert caught.value.status == 404
    assert "hunter2" not in caught.value.message
