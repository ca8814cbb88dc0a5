"""The token of the admin port on its way from a file or the environment to the sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router_extproc.admin.access import Access
from router_extproc.admin.token import with_token
from router_extproc.cli import main
from router_extproc.cli.admin_port import AdminError, AdminPort
from router_extproc.config.read import read_config
from router_extproc.testing.admin import TOKEN, admin_in_thread, cache_operations
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.router import FakeRouter, fake_router

GUESS = "wrong-horse-battery-staple"
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ROUTER_ADMIN_TOKEN", raising=False)
    with capture_logs():
        yield


@pytest.fixture
def router() -> FakeRouter:
    router = fake_router()
    router.cache.store(made_entry("a", now_s=router.clock.wall_s()))
    return router


@pytest.fixture
def admin(router: FakeRouter) -> Iterator[str]:
    with admin_in_thread(cache_operations(router), Access.of("127.0.0.1:0", token=TOKEN)) as address:
        yield address


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["cache", *(str(arg) for arg in args)])
    return int(ended.value.code or 0)


COMMANDS = [
    ("stats",),
    ("report",),
    ("evidence",),
    ("list", "-H", "authorization: Bearer one"),
    ("show", "0"),
    ("wrong", "0"),
    ("purge", "--all"),
    ("export",),
    ("import", "-"),
    ("warm", "-"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_sends_the_token(
    command: tuple[str, ...], admin: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text("{}\n")
    words = [str(lines) if word == "-" else word for word in command]
    run(*words, "--admin", admin)
    assert "--token-file or in ROUTER_ADMIN_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("ROUTER_ADMIN_TOKEN", TOKEN)
    run(*words, "--admin", admin)
    assert "ROUTER_ADMIN_TOKEN" not in capsys.readouterr().err


def test_the_file_wins_over_the_environment(
    admin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("ROUTER_ADMIN_TOKEN", GUESS)
    assert run("stats", "--admin", admin, "--token-file", file) == 0


def test_a_wrong_token_is_said_to_be_wrong_and_not_repeated(
    admin: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_ADMIN_TOKEN", GUESS)
    assert run("stats", "--admin", admin) == 1
    said = capsys.readouterr().err
    assert "this is not the port's token" in said
    assert GUESS not in said


def test_why_a_port_without_a_token_refuses_is_said(router: FakeRouter, capsys: Output) -> None:
    with admin_in_thread(cache_operations(router), Access.of("0.0.0.0:0")) as admin:
        assert run("stats", "--admin", admin) == 0
        assert run("list", "--admin", admin) == 1
    assert "without admin.token this is answered on loopback only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "must have 16 to 512 characters"),
        (b"\n", "must have 16 to 512 characters"),
        (b"hunter2", "must have 16 to 512 characters"),
        (b"hunter2" * 100, "must have 16 to 512 characters"),
        (b"hunter2-hunter2-hunter2\nhunter2", "must consist of visible ASCII characters without spaces"),
        (b"hunter2-hunter2-\xff\xfe", "must consist of visible ASCII characters without spaces"),
        (b"hunter2-hunter2\r\nx-evil: 1", "must consist of visible ASCII characters without spaces"),
    ],
)
def test_a_file_that_holds_no_token_is_refused(
    content: bytes, problem: str, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert run("stats", "--token-file", file) == 2
    said = capsys.readouterr().err
    assert said == f"--token-file: {file} {problem}\n"


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: Output) -> None:
    assert run("stats", "--token-file", tmp_path / "none") == 2
    assert "--token-file: cannot read" in capsys.readouterr().err


def test_an_unusable_variable_is_named_and_not_repeated(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_ADMIN_TOKEN", "hunter2")
    assert run("stats") == 2
    assert capsys.readouterr().err == "ROUTER_ADMIN_TOKEN: must have 16 to 512 characters\n"


def test_a_client_is_still_named_by_its_own_authorization(admin: str) -> None:
    """The operator's token must not become the client's scope."""
    with AdminPort(admin, TOKEN) as port:
        one, two = (port.scope({"authorization": f"Bearer {name}"}, None) for name in ("one", "two"))
        assert one != two
    with AdminPort(admin, TOKEN) as port, pytest.raises(AdminError, match="none of them is in the scope"):
        port.scope({}, None)


# ── the sidecar's own ─────────────────────────────────────────────────────────────────────────

ROUTER = "version: 1\ndefault_model: small\nmodels: {small: {cluster: a}}\n"


def command(*args: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return int(ended.value.code or 0)


def test_explain_sends_the_configurations_own_token(admin: str, tmp_path: Path, capsys: Output) -> None:
    """What answers here knows no dialect: it says so to whom it lets in."""
    router, token = tmp_path / "router.yaml", tmp_path / "token"
    token.write_text(TOKEN)
    router.write_text(f"{ROUTER}admin: {{listen: '{admin}', token_file: token}}\n")
    assert command("explain", "-c", router, "--running", "hi") == 1
    assert "POST /v1/chat/completions is not understood" in capsys.readouterr().err
    router.write_text(f"{ROUTER}admin: {admin}\n")
    assert command("explain", "-c", router, "--running", "hi") == 1
    assert "this port needs its token" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_serve_does_not_start_without_the_token_that_it_is_to_ask_for(
    workers: int, tmp_path: Path, capsys: Output
) -> None:
    router = tmp_path / "router.yaml"
    listen = f"listen: unix:{tmp_path}/{{worker}}.sock\nworkers: {workers}\n"
    router.write_text(f"{ROUTER}{listen}admin: {{listen: '127.0.0.1:0', token_file: none}}\n")
    assert command("serve", "--config", router) == 2
    assert capsys.readouterr().err.startswith(f"admin.token_file: cannot read {tmp_path}/none: ")


def test_workers_get_the_token_and_not_its_file(tmp_path: Path) -> None:
    """One that is started again must not depend on what is in the file by then."""
    router, token = tmp_path / "router.yaml", tmp_path / "token"
    token.write_text(TOKEN)
    router.write_text(f"{ROUTER}admin: {{token_file: token}}\n")
    own = with_token(read_config(router)).admin
    assert (own.token, own.token_file) == (TOKEN, None)
