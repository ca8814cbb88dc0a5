"""Sections that say who and what comes in: paths, certificates, and what passes unread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from router_extproc.config.model import Config
from router_extproc.config.translate import router_policy_of
from router_extproc.errors import RouterUnavailable

Read = Callable[..., Config]
Problems = Callable[..., list[str]]

TCP = "listen: 127.0.0.1:1\n"
CERTIFICATE = "{cert_file: a.pem, key_file: a.key}"
MUTUAL = "{cert_file: a.pem, key_file: a.key, client_ca_file: ca.pem}"


@pytest.mark.parametrize("value", ["pass", "deny", "[]", "[/metrics, /v1/files/*, /a~b-c_d]"])
def test_other_paths_pass_or_not_or_are_listed(problems: Problems, value: str) -> None:
    assert problems(f"envoy: {{other_paths: {value}}}") == []


@pytest.mark.parametrize("path", ["metrics", "/a?b", "/a*", "/a/*/b", "//a", "/a%62", "/a;b", ""])
def test_a_listed_path_that_could_never_match_is_refused(problems: Problems, path: str) -> None:
    (problem,) = problems(f"envoy: {{other_paths: [/ok, '{path}']}}")
    assert problem.startswith("envoy.other_paths[1]: must be a path such as /v1/files")


def test_a_mistyped_word_is_refused(problems: Problems) -> None:
    assert problems("envoy: {unread: refuse}") == ["envoy.unread: must be 'pass' or 'deny', got 'refuse'"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("envoy: {tls: {cert_file: a.pem}}", "envoy.tls.key_file"),
        (f"{TCP}listen_tls: {CERTIFICATE}", "listen_tls"),
        (
            f"listen: unix:/run/a.sock\nlisten_tls: {CERTIFICATE}\nenvoy: {{server_tls: {{ca_file: ca}}}}",
            "listen_tls",
        ),
        ("envoy: {server_tls: {ca_file: ca.pem}}", "envoy.server_tls"),
        (
            f"{TCP}listen_tls: {CERTIFICATE}\nenvoy: {{server_tls: {{ca_file: ca, cert_file: b}}}}",
            "envoy.server_tls",
        ),
        (
            f"{TCP}listen_tls: {MUTUAL}\nenvoy: {{server_tls: {{ca_file: ca}}}}",
            "envoy.server_tls.cert_file",
        ),
    ],
)
def test_certificates_that_do_not_fit_together_are_refused(problems: Problems, text: str, path: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"{path}: ")


@pytest.mark.parametrize(
    "text",
    [
        f"envoy: {{tls: {MUTUAL}}}",
        f"{TCP}listen_tls: {MUTUAL}\nenvoy: {{server_tls: {{ca_file: ca, cert_file: b, key_file: c}}}}",
        "envoy: {server: [mesh.test:1], server_tls: {ca_file: ca.pem}}",
    ],
)
def test_certificates_that_fit_are_taken(problems: Problems, text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize("user", [0, 1000])
def test_the_server_is_on_a_socket_by_default(read: Read, monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    """To a port of loopback every local user, and every container of a pod, may connect."""
    monkeypatch.setattr("os.geteuid", lambda: user)
    config = read("version: 1\nworkers: 2\ndefault_model: a\nmodels: {a: {cluster: b}}")
    folder = "/run" if user == 0 else f"{Path.home()}/.local/state"
    assert config.worker_addresses() == tuple(f"unix:{folder}/router-extproc/{n}.sock" for n in (0, 1))


def test_a_decision_says_what_happens_to_what_it_could_not_read(read: Read) -> None:
    text = """\
version: 1
default_model: a
models: {a: {cluster: b}}
signals: {attack: {type: guard}}
decisions:
  - {name: closed, when: {attack: true}, model: a, unread: deny}
  - {name: open, when: {attack: true}, model: a}
"""
    policy, unread = router_policy_of(read(text)).routing, frozenset({"attack"})
    with pytest.raises(RouterUnavailable):
        policy.decide({}, unread=unread)
    assert policy.decide({}).decision == "default"
    opened = text.replace(", unread: deny", "")
    assert router_policy_of(read(opened)).routing.decide({}, unread=unread).decision == "default"
