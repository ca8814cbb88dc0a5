"""Where commands ask: what operators write behind `--admin`."""

from __future__ import annotations

import pytest

from router_extproc.cli import main
from router_extproc.cli.admin_address import AddressError, admin_url
from router_extproc.testing.admin import admin_in_thread

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("127.0.0.1:9190", "http://127.0.0.1:9190"),
        (" sidecar.internal:9190 ", "http://sidecar.internal:9190"),
        ("[::1]:9190", "http://[::1]:9190"),
        ("http://127.0.0.1:9190", "http://127.0.0.1:9190"),
        ("http://127.0.0.1:9190/", "http://127.0.0.1:9190"),
        ("https://sidecar.internal", "https://sidecar.internal"),
        ("HTTP://sidecar.internal:80", "http://sidecar.internal:80"),
    ],
)
def test_an_address_and_a_url_are_taken(given: str, url: str) -> None:
    assert admin_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "", "localhost", "[::1]", "::1:9190", ":9190", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:port",
        "http://http://127.0.0.1:9190", "ftp://127.0.0.1:9190", "http://127.0.0.1:9190/metrics",
        "http://127.0.0.1:9190?a=b", "http://127.0.0.1:", "unix:///run/admin.sock", "http://",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_form(given: str) -> None:
    with pytest.raises(AddressError, match="write HOST:PORT or http://HOST:PORT"):
        admin_url(given)


def test_a_password_in_it_is_not_repeated(capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["savings", "--admin", "http://me:secret@127.0.0.1:9190"])
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert "secret" not in told.out + told.err


@pytest.mark.parametrize("command", [["savings"], ["shadow"], ["cache", "stats"], ["reload"]])
def test_every_command_that_asks_takes_a_url(capsys: Output, command: list[str]) -> None:
    """What they make of the answer is theirs; they have got one."""
    with admin_in_thread(None, metrics=b"") as address, pytest.raises(SystemExit):
        main([*command, "--admin", f"http://{address}/"])
    assert "no answer from" not in capsys.readouterr().err
