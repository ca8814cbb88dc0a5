"""Scopes: who may share, and that nobody else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache.base import Scope
from router_extproc.cache.scope import CREDENTIALS, ClientScope, SharedScope, scope_of
from router_extproc.llm.answer import JsonValue

AUTHORIZATION = ClientScope()
TWO_HEADERS = ClientScope(("x-user", "x-team"))
ALICE = ("authorization", b"Bearer alice")


def test_same_key_is_the_same_scope() -> None:
    assert scope_of(AUTHORIZATION, [ALICE, ("x-other", b"1")]) == scope_of(AUTHORIZATION, [ALICE])


def test_another_key_is_another_scope() -> None:
    assert scope_of(AUTHORIZATION, [("authorization", b"Bearer bob")]) != scope_of(AUTHORIZATION, [ALICE])


def test_empty_repeated_joined_and_other_keys_are_four_scopes() -> None:
    headers: list[list[tuple[str, bytes]]] = [
        [ALICE, ("x-api-key", b"")],
        [ALICE],
        [("authorization", b"a"), ("authorization", b"b")],
        [("authorization", b"a,b")],
    ]
    assert len({scope_of(AUTHORIZATION, each) for each in headers}) == 4


def test_header_names_are_compared_without_case() -> None:
    rule = ClientScope(("Authorization",))
    lower = ClientScope(("authorization",))
    assert scope_of(rule, [("AUTHORIZATION", ALICE[1])]) == scope_of(lower, [ALICE])


def test_values_cannot_move_between_headers() -> None:
    one = scope_of(TWO_HEADERS, [("x-user", b"a"), ("x-team", b"b")])
    assert scope_of(TWO_HEADERS, [("x-user", b"b"), ("x-team", b"a")]) != one
    assert scope_of(TWO_HEADERS, [("x-user", b"ax-team"), ("x-team", b"b")]) != one


def test_order_of_the_configured_names_does_not_matter() -> None:
    headers = [("x-user", b"a"), ("x-team", b"b")]
    assert scope_of(ClientScope(("x-team", "x-user")), headers) == scope_of(TWO_HEADERS, headers)


def test_shared_scope_ignores_every_header() -> None:
    assert scope_of(SharedScope(), [ALICE]) == scope_of(SharedScope(), [])


def test_shared_scope_is_nobodys_own_scope() -> None:
    assert scope_of(SharedScope(), []) != scope_of(AUTHORIZATION, [])


def test_scope_does_not_show_the_key() -> None:
    assert "alice" not in str(scope_of(AUTHORIZATION, [ALICE]))


@given(st.lists(st.binary(max_size=5), max_size=3), st.lists(st.binary(max_size=5), max_size=3))
def test_scopes_are_equal_only_for_equal_values(one: list[bytes], other: list[bytes]) -> None:
    rule = ClientScope(("x-user", "x-team"))
    team = ("x-team", b"red")
    scopes = [scope_of(rule, [team, *(("x-user", value) for value in values)]) for values in (one, other)]
    assert (scopes[0] == scopes[1]) == (one == other)


# ── who says nothing ──────────────────────────────────────────────────────────────────────────

NOBODY: list[list[tuple[str, bytes]]] = [
    [],
    [("authorization", b"")],
    [("authorization", b"Bearer ")],
    [("cookie", b" ")],
    [("x-forwarded-for", b"10.0.0.1"), ("user-agent", b"curl")],
]


@pytest.mark.parametrize("headers", NOBODY)
def test_a_request_without_a_credential_shares_with_nobody(headers: list[tuple[str, bytes]]) -> None:
    assert scope_of(ClientScope(), headers) is None


def test_a_request_without_any_named_header_shares_with_nobody() -> None:
    """Two tenants whose gateway forgot the header must not meet."""
    assert scope_of(TWO_HEADERS, [ALICE]) is None
    assert scope_of(TWO_HEADERS, [("x-team", b"red")]) is not None


@pytest.mark.parametrize("headers", NOBODY)
def test_requests_without_a_credential_may_share_among_themselves(headers: list[tuple[str, bytes]]) -> None:
    """A demonstration, or people who have no keys: who has one stays apart from them."""
    rule = ClientScope(anonymous_share=True)
    assert scope_of(rule, headers) is not None
    assert scope_of(rule, headers) != scope_of(rule, [ALICE])
    assert scope_of(rule, headers) != scope_of(SharedScope(), headers)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_every_usual_credential_tells_clients_apart(name: str) -> None:
    one, other = (scope_of(ClientScope(), [(name, value)]) for value in (b"a", b"b"))
    assert one is not None
    assert one != other


def test_a_credential_beside_another_counts() -> None:
    """One key for a company, one cookie for each of its people."""
    one, other = (scope_of(ClientScope(), [ALICE, ("cookie", value)]) for value in (b"s=1", b"s=2"))
    assert one != other


def test_what_was_stored_under_fewer_headers_is_not_found_under_more() -> None:
    assert scope_of(ClientScope(("x-user",)), [("x-user", b"a")]) != scope_of(TWO_HEADERS, [("x-user", b"a")])


# ── members of the body ───────────────────────────────────────────────────────────────────────

BY_BODY = ClientScope(("authorization",), (("metadata", "user_id"), ("user",)))


def body_scope(**body: JsonValue) -> Scope | None:
    return scope_of(BY_BODY, [ALICE], body)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"user": "alice"}, {"user": "bob"}),
        ({"user": "alice"}, {}),
        ({"user": ""}, {}),
        ({"user": "null"}, {"user": None}),
        ({"user": "1"}, {"user": 1}),
        ({"user": "alice"}, {"metadata": {"user_id": "alice"}}),
        ({"metadata": {"user_id": "alice"}}, {"metadata": {"user_id": "bob"}}),
        ({"metadata": {"user_id": "alice"}}, {"metadata": {"user": "alice"}}),
        ({"metadata": {"user_id": ["a", "b"]}}, {"metadata": {"user_id": ["a,b"]}}),
        ({"metadata": {"user_id": {"a": 1}}}, {"metadata": {"user_id": {"a": 2}}}),
    ],
)
def test_other_members_are_another_scope(one: dict[str, JsonValue], other: dict[str, JsonValue]) -> None:
    assert body_scope(**one) != body_scope(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"user": None}, {}),
        ({"user": "alice", "seed": 1}, {"user": "alice"}),
        ({"metadata": {"user_id": "a", "run": 1}}, {"metadata": {"user_id": "a", "run": 2}}),
        ({"metadata": "alice"}, {}),
    ],
)
def test_members_that_are_not_named_make_no_scope(
    one: dict[str, JsonValue], other: dict[str, JsonValue]
) -> None:
    assert body_scope(**one) == body_scope(**other)


def test_a_member_alone_says_who_asks() -> None:
    assert scope_of(BY_BODY, [], {"user": "alice"}) is not None


@pytest.mark.parametrize(
    "body", [{}, {"user": None}, {"user": " "}, {"metadata": {}}, {"metadata": {"user_id": ""}}]
)
def test_a_request_that_names_nobody_shares_with_nobody(body: dict[str, JsonValue]) -> None:
    assert scope_of(BY_BODY, [], body) is None


def test_a_body_without_any_member_is_not_read_by_headers_alone() -> None:
    assert scope_of(ClientScope(("authorization",)), [ALICE], {"user": "alice"}) == scope_of(
        ClientScope(("authorization",)), [ALICE], {"user": "bob"}
    )
