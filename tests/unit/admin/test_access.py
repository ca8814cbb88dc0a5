"""Who may ask what, without a server: names, sites, tokens, forms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.admin.access import Access, Asked, Need, needs, refusal
from router_extproc.testing.admin import TOKEN

LOOPBACK, ANYWHERE = "127.0.0.1:9190", "0.0.0.0:9190"


def asked(host: str = "127.0.0.1:9190", method: str = "GET", **more: str | tuple[str, ...]) -> Asked:
    values = {name: (value,) if isinstance(value, str) else value for name, value in more.items()}
    form = "application/json" if method == "POST" else ""
    return replace(Asked(method, (host,), host, content_type=form), **values)  # type: ignore[arg-type] # words


def reason(asked: Asked, access: Access, need: Need = Need.CONTENT) -> str | None:
    refused = refusal(asked, need, access)
    return None if refused is None else refused.reason


# ── names ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:80", "localhost:9190", "LOCALHOST", "[::1]:9190", "127.8.8.8"]
)
@pytest.mark.parametrize("address", [LOOPBACK, ANYWHERE, "[::1]:9190", "[::]:9190"])
def test_names_of_loopback_are_answered_everywhere(host: str, address: str) -> None:
    """No page can have them: browsers send them to their own machine."""
    assert reason(asked(host), Access.of(address), Need.NAME) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:9190", "127.0.0.1.evil.example", "localhost.evil.example",
        "evil.localhost",
        "localhost.", "127.0.0.1.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1", "::1",
        "[127.0.0.1]",
        "[fe80::1%25eth0]", "localhost:", "localhost:9190:1", "localhost:99999", "localhost@evil.example",
        "evil.example#@localhost", "localhost/", "localhost, evil.example", " localhost", "", "locälhost",
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [LOOPBACK, ANYWHERE, "router.example:9190"])
@pytest.mark.parametrize("need", Need)
def test_other_names_and_garbled_ones_are_refused(host: str, address: str, need: Need) -> None:
    assert reason(asked(host), Access.of(address, token=TOKEN), need) == "host"


@pytest.mark.parametrize("host", ["10.1.2.3", "10.1.2.3:9190", "[fd00::7]:9190"])
def test_addresses_are_answered_where_the_port_is_not_on_loopback(host: str) -> None:
    """A kubelet asks a pod by its address, and no name can be bound to that by somebody else."""
    assert reason(asked(host), Access.of(ANYWHERE), Need.NAME) is None
    assert reason(asked(host), Access.of(LOOPBACK), Need.NAME) == "host"


@pytest.mark.parametrize(
    ("allowed", "host", "known"),
    [
        ("router.example", "router.example", True),
        ("router.example", "ROUTER.example:9190", True),
        ("Router.Example", "router.example", True),
        ("router.example:9190", "router.example:9190", True),
        ("router.example:9190", "router.example", False),
        ("router.example:9190", "router.example:9191", False),
        ("router.example", "a.router.example", False),
        ("router.example", "router.example.evil", False),
        ("[fd00::7]", "[fd00:0::7]:9190", True),
        ("[fd00::7]", "[fd00::8]", False),
    ],
)
def test_allowed_names_are_exact(allowed: str, host: str, known: bool) -> None:  # noqa: FBT001 - a table
    assert Access.of(LOOPBACK, (allowed,)).knows(host) is known


@pytest.mark.parametrize("hosts", [(), ("localhost", "localhost"), ("localhost", "evil.example")])
def test_no_name_and_two_names_are_refused(hosts: tuple[str, ...]) -> None:
    request = replace(asked(), host=hosts, target=hosts[0] if hosts else "127.0.0.1")
    assert reason(request, Access.of(LOOPBACK), Need.NAME) == "host"


def test_target_with_a_name_of_its_own_is_refused() -> None:
    """GET http://evil.example/metrics: RFC 9112 takes that name, not Host's."""
    request = replace(asked("localhost"), target="evil.example")
    assert reason(request, Access.of(LOOPBACK), Need.NAME) == "host"


# ── sites ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1"},
        {"origin": ("http://127.0.0.1:9190", "https://evil.example")},
        {"fetch_site": "cross-site"},
        {"fetch_site": "same-site"},
        {"fetch_site": "something-new"},
        {"origin": "http://127.0.0.1:9190", "fetch_site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("need", [Need.NUMBERS, Need.CONTENT])
def test_pages_of_other_sites_are_refused(
    headers: dict[str, str | tuple[str, ...]], method: str, need: Need
) -> None:
    """A page on another port of localhost is another site's, too."""
    request = asked(method=method, **headers, authorization=f"Bearer {TOKEN}")
    assert reason(request, Access.of(LOOPBACK, token=TOKEN), need) == "site"


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:9190", "HTTP://127.0.0.1:9190", "https://127.0.0.1:9190"]
)
def test_our_own_page_may_ask(origin: str) -> None:
    """Also behind a proxy that takes TLS off."""
    request = asked(method="POST", origin=origin, fetch_site="same-origin")
    assert reason(request, Access.of(LOOPBACK)) is None


def test_link_on_another_page_leads_to_ours() -> None:
    assert reason(asked(fetch_site="cross-site"), Access.of(LOOPBACK), Need.NAME) is None


@pytest.mark.parametrize(
    "form", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_a_form_can_send_is_refused(form: str) -> None:
    request = replace(asked(method="POST"), content_type=form)
    assert reason(request, Access.of(LOOPBACK)) == "form"


# ── tokens ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("address", [LOOPBACK, ANYWHERE])
def test_right_token_opens(scheme: str, address: str) -> None:
    request = asked(authorization=f"{scheme} {TOKEN}")
    assert reason(request, Access.of(address, token=TOKEN)) is None


@pytest.mark.parametrize(
    "given",
    [
        "", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}", f"Bearer {TOKEN} {TOKEN}", f"Bearer,{TOKEN}", "Bearer ä", "Bearer \udcff",
        (f"Bearer {TOKEN}", "Bearer x"), (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("need", [Need.NUMBERS, Need.CONTENT])
def test_anything_else_does_not(given: str | tuple[str, ...], need: Need) -> None:
    assert reason(asked(authorization=given), Access.of(LOOPBACK, token=TOKEN), need) == "token_wrong"


def test_without_a_token_where_one_is_set_nothing_of_the_cache_is_told() -> None:
    access = Access.of(LOOPBACK, token=TOKEN)
    assert [reason(asked(), access, need) for need in Need] == [None, "token_missing", "token_missing"]


def test_where_no_token_is_set_loopback_has_everything_and_others_have_numbers() -> None:
    assert [reason(asked(), Access.of(LOOPBACK), need) for need in Need] == [None, None, None]
    assert [reason(asked(), Access.of(ANYWHERE), need) for need in Need] == [None, None, "token_unset"]


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:1", True), ("127.0.0.2:1", True), ("localhost:1", True), ("[::1]:1", True),
        ("0.0.0.0:1", False), ("[::]:1", False), ("10.0.0.1:1", False), ("router:1", False),
        ("[::ffff:127.0.0.1]:1", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_loopback_is_all_of_it_and_nothing_else(address: str, loopback: bool) -> None:  # noqa: FBT001 - a table
    assert Access.of(address).loopback is loopback


def test_token_is_in_no_text_of_the_rules() -> None:
    access = Access.of(LOOPBACK, token=TOKEN)
    refused = refusal(asked(authorization="Bearer guess"), Need.CONTENT, access)
    assert TOKEN not in f"{access!r}{access}{refused!r}"


# ── routes ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_only_reading_is_ever_open(method: str) -> None:
    assert {needs(method, path) for path in ("/", "/metrics", "/cache", "/new")} == {Need.CONTENT}


def test_route_that_nobody_thought_of_is_closed() -> None:
    assert needs("GET", "/cache/everything") is Need.CONTENT
