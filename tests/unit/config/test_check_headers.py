# ruff: noqa: E501 - tables read best with one case in a line
"""Header names that cannot be: in a scope they would let all clients share their answers."""

from __future__ import annotations

import pytest

from .conftest import Problems


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x tenant", "'x tenant' is not a header name"),
        ("x-tenant:", "'x-tenant:' is not a header name"),
        ("x-tenänt", "'x-tenänt' is not a header name"),
        ('"x\\u0007"', "'x\\x07' is not a header name"),
        ('""', "'' is not a header name"),
        (":tenant", "':tenant' is not a header name"),
        ("Host", "Envoy passes ':authority' instead of 'host'"),
        ("Connection", "Envoy removes 'Connection', because it belongs to one connection"),
        ("transfer-encoding", "Envoy removes 'transfer-encoding'"),
        (":method", "':method' is the same for all clients"),
        ("te", "'te' is the same for all clients"),
        (":path", "':path' is the same for all clients"),
        ("x-router-tenant", "x-router-* headers are removed from requests"),
    ],
)  # fmt: skip
def test_a_scope_by_a_header_that_tells_nobody_apart_is_refused(
    problems: Problems, name: str, expected: str
) -> None:
    quoted = name if name.startswith('"') else f"'{name}'"
    for text, path in (
        (f"semantic_cache: {{scope: {{headers: [{quoted}]}}}}\n", "semantic_cache.scope"),
        (f"decisions: [{{name: a, model: small, cache: {{scope: {{headers: [{quoted}]}}}}}}]\n", "decisions[0].cache.scope"),
    ):  # fmt: skip
        (found,) = problems(text)
        assert found.startswith(f"{path}.headers[0]: {expected}")
        assert found.endswith("all clients would share their answers")


@pytest.mark.parametrize(
    "name", ["X-Tenant", "authorization", ":authority", "x-envoy-external-address", "a", "x.y_z"]
)
def test_a_scope_by_a_header_that_may_come_is_accepted(problems: Problems, name: str) -> None:
    assert problems(f"semantic_cache: {{scope: {{headers: ['{name}']}}}}\n") == []


@pytest.mark.parametrize("name", ["x tier", "host", "Upgrade", ":tier"])
def test_a_signal_of_a_header_that_never_comes_is_refused(problems: Problems, name: str) -> None:
    (found,) = problems(f"signals: {{t: {{type: header, header: '{name}'}}}}\n")
    assert found.startswith("signals.t.header: ")
    assert found.endswith("it would never match")


@pytest.mark.parametrize("name", ["X-Tier", ":path", ":authority", "user-agent"])
def test_a_signal_of_a_header_that_may_come_is_accepted(problems: Problems, name: str) -> None:
    assert problems(f"signals: {{t: {{type: header, header: '{name}'}}}}\n") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x user", "'x user' is not a header name"),
        (":authority", "every request needs ':authority', so it cannot be removed"),
        ("Host", "every request needs 'Host'"),
    ],
)
def test_a_header_that_envoy_does_not_strip_is_refused(problems: Problems, name: str, expected: str) -> None:
    (found,) = problems(f"envoy: {{strip_headers: [x-user, '{name}']}}\n")
    assert found.startswith(f"envoy.strip_headers[1]: {expected}")


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("{body: ['']}", "semantic_cache.scope.body[0]: must be the names of members"),
        ("{body: [user, 'metadata..id']}", "semantic_cache.scope.body[1]: must be the names of members"),
        ("{body: ['a.b.c.d.e.f.g.h.i']}", "semantic_cache.scope.body[0]: must be the names of members"),
        ("{body: ['user id']}", "semantic_cache.scope.body[0]: must be the names of members"),
        ("{body: [messages]}", "semantic_cache.scope.body[0]: 'messages' is part of what is asked"),
        ("{body: [model]}", "semantic_cache.scope.body[0]: 'model' is part of what is asked"),
        ("{body: user}", "semantic_cache.scope.body: must be a list"),
        ("{headers: [], body: []}", "semantic_cache.scope: names nothing"),
        ("{anonymous: all}", "semantic_cache.scope.anonymous: must be 'nobody' or 'shared'"),
        ("{body: [" + ", ".join(f"m{number}" for number in range(17)) + "]}", "semantic_cache.scope.body: "),
    ],
)
def test_a_scope_by_members_that_tell_nobody_apart_is_refused(
    problems: Problems, scope: str, expected: str
) -> None:
    found = problems(f"semantic_cache: {{scope: {scope}}}\n")
    assert [problem for problem in found if problem.startswith(expected)], found


@pytest.mark.parametrize(
    "scope",
    [
        "credentials",
        "shared",
        "{headers: [authorization]}",
        "{body: [user, safety_identifier, metadata.user_id]}",
        "{headers: [x-tenant], body: [user]}",
        "{headers: [], body: [user]}",
        "{anonymous: shared}",
    ],
)
def test_every_form_of_a_scope_is_accepted(problems: Problems, scope: str) -> None:
    assert problems(f"semantic_cache: {{scope: {scope}}}\n") == []


def test_a_pattern_that_may_not_be_is_refused_with_its_path(problems: Problems) -> None:
    text = "{name: a, model: small, cache: {ignore: ['It is 12', '.*x']}}"
    found = problems(f"semantic_cache: {{ignore: ['.*']}}\ndecisions: [{text}]\n")
    assert any(each.startswith("semantic_cache.ignore[0]: repeats without an end") for each in found), found
    assert any(each.startswith("decisions[0].cache.ignore[1]: repeats without") for each in found), found
    assert not any(each.startswith("decisions[0].cache.ignore[0]") for each in found)
