"""The section `admin`: its two forms, its addresses, names and token."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.config.admin import Admin
from router_extproc.config.model import Config
from router_extproc.testing.admin import TOKEN

from .conftest import SMALLEST, Problems, Read


def test_an_address_alone_is_the_short_form(read: Read) -> None:
    assert read(SMALLEST + "admin: 127.0.0.1:9\n").admin == Admin(listen="127.0.0.1:9")


def test_everything_can_be_said(read: Read, tmp_path: Path) -> None:
    text = "admin: {listen: 0.0.0.0:9190, metrics: 0.0.0.0:9191, allowed_hosts: [a, b:1], token_file: t}\n"
    admin = read(SMALLEST + text).admin
    assert (admin.listen, admin.metrics, admin.allowed_hosts) == (
        "0.0.0.0:9190",
        "0.0.0.0:9191",
        ("a", "b:1"),
    )
    assert admin.token_file == str(tmp_path / "t")


def test_without_the_section_only_loopback_is_listened_on(read: Read) -> None:
    assert read(SMALLEST).admin == Admin(listen="127.0.0.1:9190")


def test_the_token_comes_from_the_environment_and_is_not_shown(read: Read) -> None:
    config = read(SMALLEST + "admin: {token: '${ADMIN_TOKEN}'}\n", environ={"ADMIN_TOKEN": TOKEN})
    assert config.admin.token == TOKEN
    assert TOKEN not in f"{config!r}{config}{config.admin!r}{config.admin}"


def test_a_written_configuration_is_read_back_alike() -> None:
    """The demo and the benchmarks hand it on as JSON."""
    admin = Admin(listen="127.0.0.1:1", token=TOKEN)
    config = Config.model_validate(
        {"version": 1, "default_model": "a", "models": {"a": {"cluster": "c"}}, "admin": admin}
    )
    assert Config.model_validate_json(config.model_dump_json(exclude_defaults=True)).admin == admin


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{listen: x}", "admin: must be HOST:PORT, got 'x'"),
        ("{listen: x, allowed_hosts: [a]}", "admin.listen: must be HOST:PORT, got 'x'"),
        ("{metrics: '9191'}", "admin.metrics: must be HOST:PORT, got '9191'"),
        ("{metrics: 9191}", "admin.metrics: must be text, got 9191"),
        ("{metrics: 'unix:/x'}", "admin.metrics: must be HOST:PORT, got 'unix:/x'"),
        ("{metrics: 127.0.0.1:9190}", "admin.metrics: is the same address as admin.listen (127.0.0.1:9190)"),
        ("{metrics: 127.0.0.1:50051}", "admin.metrics: is the same address as listen (127.0.0.1:50051)"),
        ("{metrics: 0.0.0.0:9190}", "admin.metrics: needs a port of its own: 127.0.0.1:9190 also uses 9190"),
        ("{allowed_hosts: a}", "admin.allowed_hosts: must be a list, got 'a'"),
        ("{allowed_hosts: ['*']}",
         "admin.allowed_hosts[0]: must be a host name, with or without a port, got '*'"),
        ("{allowed_hosts: [a, 'http://b']}",
         "admin.allowed_hosts[1]: must be a host name, with or without a port, got 'http://b'"),
        ("{token: short}", "admin.token: must have 16 to 512 characters"),
        ("{token: ''}", "admin.token: must have 16 to 512 characters"),
        ("{token: 'correct horse battery staple'}",
         "admin.token: must consist of visible ASCII characters without spaces"),
        ("{token: 1234567890123456}", "admin.token: must be text, got a hidden value"),
        ("{token: '${NOBODY}'}", "admin.token: the environment variable NOBODY is not set"),
        ("{token_file: ''}", "admin.token_file: must not be empty"),
        ("{token: correct-horse-battery, token_file: t}",
         "admin.token_file: write either token or token_file, not both"),
        ("{tokens: x}", "admin.tokens: unknown key (did you mean 'token'?)"),
        ("[a]", "admin: must be text, got a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(problems: Problems, section: str, expected: str) -> None:
    assert problems(f"listen: 127.0.0.1:50051\nadmin: {section}\n") == [expected]


def test_both_ports_are_kept_from_the_workers(problems: Problems) -> None:
    text = "listen: 127.0.0.1:9189\nworkers: 4\nadmin: {listen: 127.0.0.1:9190, metrics: 127.0.0.1:9192}\n"
    assert problems(text) == [
        "admin.listen: port 9190 is one of the workers' ports 9189 to 9192",
        "admin.metrics: port 9192 is one of the workers' ports 9189 to 9192",
    ]


def test_a_token_that_is_refused_is_not_repeated(problems: Problems) -> None:
    text = "admin: {token: '${ADMIN_TOKEN}'}\n"
    for secret in ("hunter2", "hunter2 with spaces and more", "hunter2" * 100):
        (problem,) = problems(text, environ={"ADMIN_TOKEN": secret})
        assert "hunter" not in problem
