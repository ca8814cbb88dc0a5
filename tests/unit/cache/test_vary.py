"""What pools say that their answers hang on."""

from __future__ import annotations

import pytest

from router_extproc.cache.vary import ANYTHING, NAME_CHARS_MAX, NAMES_MAX, VaryNames, read_vary


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", set()),
        ("X-Tenant", {"x-tenant"}),
        ("X-Tenant, accept-language", {"x-tenant", "accept-language"}),
        (" , X-Tenant ,,", {"x-tenant"}),
        ("Origin, Accept-Encoding, X-Team", {"x-team"}),
        ("*", {ANYTHING}),
        ("x-tenant, *", {"x-tenant", ANYTHING}),
    ],
)
def test_names_are_read_from_every_spelling(value: str, names: set[str]) -> None:
    assert read_vary(value) == names


def test_accept_encoding_cannot_change_a_stored_answer() -> None:
    """Compressing proxies name it on every answer; entries are stored without any encoding."""
    assert read_vary("Accept-Encoding") == frozenset()


def test_learned_names_are_kept_once_and_in_order() -> None:
    names = VaryNames(["x-b"])
    names.learn(frozenset({"x-c", "x-a"}))
    names.learn(frozenset({"x-b"}))
    assert names.names == ("x-a", "x-b", "x-c")


def test_anything_is_never_a_name() -> None:
    names = VaryNames()
    names.learn(frozenset({ANYTHING}))
    assert names.names == ()


def test_a_pool_cannot_fill_the_keys() -> None:
    names = VaryNames()
    names.learn(frozenset(f"x-{number}" for number in range(1000)) | {"x" * (NAME_CHARS_MAX + 1)})
    assert len(names.names) == NAMES_MAX
    before = names.names
    names.learn(frozenset({"a"}))
    assert names.names == before
