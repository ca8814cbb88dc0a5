"""Scopes: who may share, and that nobody else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache.scope import HeaderScope, SharedScope, scope_of

AUTHORIZATION = HeaderScope()
TWO_HEADERS = HeaderScope(("x-user", "x-team"))
ALICE = ("authorization", b"Bearer alice")


def test_same_key_is_the_same_scope() -> None:
    assert scope_of(AUTHORIZATION, [ALICE, ("x-other", b"1")]) == scope_of(AUTHORIZATION, [ALICE])


def test_another_key_is_another_scope() -> None:
    assert scope_of(AUTHORIZATION, [("authorization", b"Bearer bob")]) != scope_of(AUTHORIZATION, [ALICE])


def test_absent_empty_repeated_and_joined_keys_are_four_scopes() -> None:
    headers: list[list[tuple[str, bytes]]] = [
        [],
        [("authorization", b"")],
        [("authorization", b"a"), ("authorization", b"b")],
        [("authorization", b"a,b")],
    ]
    assert len({scope_of(AUTHORIZATION, each) for each in headers}) == 4


def test_header_names_are_compared_without_case() -> None:
    rule = HeaderScope(("Authorization",))
    assert scope_of(rule, [("AUTHORIZATION", ALICE[1])]) == scope_of(AUTHORIZATION, [ALICE])


def test_values_cannot_move_between_headers() -> None:
    one = scope_of(TWO_HEADERS, [("x-user", b"a"), ("x-team", b"b")])
    assert scope_of(TWO_HEADERS, [("x-user", b"b"), ("x-team", b"a")]) != one
    assert scope_of(TWO_HEADERS, [("x-user", b"ax-team"), ("x-team", b"b")]) != one


def test_order_of_the_configured_names_does_not_matter() -> None:
    headers = [("x-user", b"a"), ("x-team", b"b")]
    assert scope_of(HeaderScope(("x-team", "x-user")), headers) == scope_of(TWO_HEADERS, headers)


def test_shared_scope_ignores_every_header() -> None:
    assert scope_of(SharedScope(), [ALICE]) == scope_of(SharedScope(), [])


def test_shared_scope_is_nobodys_own_scope() -> None:
    assert scope_of(SharedScope(), []) != scope_of(AUTHORIZATION, [])


def test_scope_does_not_show_the_key() -> None:
    assert "alice" not in scope_of(AUTHORIZATION, [ALICE])


@given(st.lists(st.binary(max_size=5), max_size=3), st.lists(st.binary(max_size=5), max_size=3))
def test_scopes_are_equal_only_for_equal_values(one: list[bytes], other: list[bytes]) -> None:
    scopes = [
        scope_of(AUTHORIZATION, [("authorization", value) for value in values]) for values in (one, other)
    ]
    assert (scopes[0] == scopes[1]) == (one == other)
