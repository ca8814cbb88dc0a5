from __future__ import annotations

import pytest

from router_extproc.errors import LocalProtocolError
from router_extproc.protocol.headers import HeaderMutation, Headers


def test_names_are_compared_without_case() -> None:
    headers = Headers((("Content-Type", "text/plain"),))
    assert headers.get("CONTENT-type") == "text/plain"
    assert "content-TYPE" in headers


def test_every_value_of_a_name_is_kept_in_order() -> None:
    headers = Headers((("accept", "a"), ("x", "1"), ("Accept", "b")))
    assert headers.get_all("accept") == ("a", "b")
    assert headers.get("accept") == "a"
    assert len(headers) == 3


def test_a_missing_header_is_none() -> None:
    assert Headers().get("accept") is None
    assert "accept" not in Headers()


def test_repr_shows_no_value() -> None:
    """Values hold keys and cookies, and a repr ends up in logs."""
    assert repr(Headers((("authorization", "Bearer secret"),))) == "Headers(authorization)"


def test_headers_are_equal_by_content() -> None:
    assert Headers((("A", "1"),)) == Headers((("a", "1"),))
    assert dict(Headers((("A", "1"),))) == {"a": "1"}


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("17", 17),
        ("", None),
        ("-1", None),
        ("1 7", None),
        ("²", None),
        ("9" * 19, 10**19 - 1),
        ("9" * 20, None),
    ],
)
def test_content_length_is_read_when_it_is_a_number(value: str, length: int | None) -> None:
    assert Headers((("content-length", value),)).content_length() == length


def test_no_content_length_is_none() -> None:
    assert Headers().content_length() is None


@pytest.mark.parametrize(
    "name", ["host", ":method", ":authority", ":scheme", "x-envoy", "x-envoy-upstream-rq-timeout-ms"]
)
@pytest.mark.parametrize("removed", [False, True])
def test_a_mutation_that_envoy_forbids_cannot_be_built(name: str, removed: bool) -> None:  # noqa: FBT001
    """STYLE §2 rule 5: Envoy drops the whole reply, or the stream, when it meets one."""
    with pytest.raises(LocalProtocolError, match=name):
        HeaderMutation(remove=(name,)) if removed else HeaderMutation(((name, "v"),))


def test_a_path_may_be_changed() -> None:
    assert HeaderMutation(((":path", "/v1/models"),)).sets(":path")


@pytest.mark.parametrize("name", ["X-Router-Cluster", "", "a b", "a:b", "a\n", "ü", "::path"])
def test_a_name_that_is_no_lower_case_token_is_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="not a header name"):
        HeaderMutation(((name, "v"),))


@pytest.mark.parametrize("value", ["a\r\nx-admin: 1", "a\n", "a\0"])
def test_a_value_cannot_end_its_line(value: str) -> None:
    """A model's name from the configuration, or an entry of the cache, must not add a header."""
    with pytest.raises(LocalProtocolError, match="line end"):
        HeaderMutation((("x-router-model", value),))


def test_a_name_cannot_be_overwritten_twice() -> None:
    """With OVERWRITE the second value would replace the first, silently."""
    with pytest.raises(LocalProtocolError, match="twice"):
        HeaderMutation((("x-a", "1"), ("x-a", "2")))


def test_content_length_replaces_an_earlier_one() -> None:
    mutation = HeaderMutation((("content-length", "1"), ("x-a", "1")), remove=("x-b",))
    assert mutation.with_content_length(7) == HeaderMutation(
        (("x-a", "1"), ("content-length", "7")), remove=("x-b",)
    )


def test_touches_knows_both_ways_to_change_a_header() -> None:
    mutation = HeaderMutation((("x-a", "1"),), remove=("x-b",))
    assert mutation.touches("x-a")
    assert mutation.touches("x-b")
    assert not mutation.touches("x-c")
    assert not mutation.sets("x-b")
