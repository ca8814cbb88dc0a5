"""Which names are routed, which are pinned, and which are refused."""

from __future__ import annotations

import pytest

from router_extproc.errors import ModelNotFound
from router_extproc.routing.catalogue import Asked, Catalogue, Target

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
