"""Which names are routed, which are pinned, and which are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.errors import ModelNotFound
from router_extproc.llm.listed_model import ListedModel
from router_extproc.routing.catalogue import Asked, Catalogue, Target
from router_extproc.routing.pool_models import MODELS_MAX, NAME_CHARS_MAX, PoolModels

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


NAMED = Catalogue.of(
    ("auto", "auto-fast", "claude-*"),
    (SMALL, LARGE),
    {"small": ("cheap", "gpt-*-mini"), "large": ("Best", "gpt-*", "o*-*-pro")},
)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("", Asked("auto", None)),
        ("Auto", Asked("auto", None)),
        (" auto ", Asked("auto", None)),
        ("AUTO:latest", Asked("auto", None)),
        ("auto-fast:latest", Asked("auto-fast", None)),
        ("claude-sonnet-4-5", Asked("claude-*", None)),
        ("cheap", Asked("small", SMALL)),
        ("best", Asked("large", LARGE)),
        ("Large", Asked("large", LARGE)),
        ("large:latest", Asked("large", LARGE)),
        ("qwen/qwen3-4b", Asked("Qwen/Qwen3-4B", SMALL)),
        ("gpt-4o-mini", Asked("small", SMALL)),
        ("gpt-4o", Asked("large", LARGE)),
        ("o3-deep-pro", Asked("large", LARGE)),
    ],
)
def test_every_spelling_of_a_name_asks_for_the_same(name: str, asked: Asked) -> None:
    assert NAMED.ask(name) == asked


@pytest.mark.parametrize(
    "name",
    ["auto:8b", "gpt", "claude", "xclaude-", "o3-pro", "o-pro", "best!", "auto" + " " * 600, "claude-" * 100],
)
def test_a_name_that_is_no_spelling_of_any_is_refused(name: str) -> None:
    with pytest.raises(ModelNotFound):
        NAMED.ask(name)


def test_a_plain_form_that_two_models_share_is_nobodys() -> None:
    names = Catalogue.of(("AUTO", "auto"), (SMALL, Target("SMALL", "b", "b", None)))
    assert names.ask("small").target == SMALL
    for shared in ("Small", "Auto"):
        with pytest.raises(ModelNotFound):
            names.ask(shared)


def test_a_request_without_a_name_is_routed_even_where_no_name_is_virtual() -> None:
    assert Catalogue.of((), (SMALL,)).ask("") == Asked("", None)
    assert Catalogue.of(("claude-*",), (SMALL,)).ask("") == Asked("", None)


def with_lists(**lists: list[ListedModel]) -> Catalogue:
    pools = PoolModels()
    for cluster, models in lists.items():
        pools.note(cluster, models)
    return replace(NAMED, pools=pools)


def test_every_name_without_stars_is_listed_once_virtual_ones_first() -> None:
    adapter = ListedModel("org/adapter", 2048)
    names = with_lists(vllm_small=[ListedModel("Qwen/Qwen3-4B", 4096), adapter, adapter])
    listed = [each.name for each in names.listed()]
    assert listed[:2] == ["auto", "auto-fast"]
    assert sorted(listed[2:-1]) == ["Best", "Qwen/Qwen3-4B", "cheap", "large", "small"]
    assert listed[-1] == "org/adapter"


def test_a_window_is_the_configurations_or_the_pools_and_a_virtual_names_the_largest() -> None:
    pools = PoolModels()
    pools.note("vllm_small", [ListedModel("Qwen/Qwen3-4B", 4096)])
    large = replace(LARGE, context_tokens=1024)
    names = replace(Catalogue.of(("auto",), (SMALL, large)), pools=pools)
    windows = {each.name: each.context_tokens for each in names.listed()}
    assert windows == {"auto": 4096, "small": 4096, "Qwen/Qwen3-4B": 4096, "large": 1024}
    assert {each.context_tokens for each in CATALOGUE.listed()} == {None}


def test_what_only_a_pool_lists_is_pinned_to_that_pool_under_its_own_name() -> None:
    names = with_lists(vllm_large=[ListedModel("org/adapter", 2048)])
    asked = names.ask("org/adapter")
    assert asked == Asked("org/adapter", replace(LARGE, served_name="org/adapter", context_tokens=2048))
    with pytest.raises(ModelNotFound):
        names.ask("org/other")
    with pytest.raises(ModelNotFound):
        NAMED.ask("org/adapter")


def test_a_pools_list_is_bounded_and_replaced_by_its_next_one() -> None:
    pools = PoolModels()
    pools.note("a", [ListedModel("x" * (NAME_CHARS_MAX + 1)), ListedModel("")])
    assert pools.of("a") == {}
    pools.note("a", [ListedModel(f"m{each}") for each in range(MODELS_MAX + 5)])
    assert len(pools.of("a")) == MODELS_MAX
    pools.note("a", [ListedModel("only")])
    assert list(pools.of("a")) == ["only"]
