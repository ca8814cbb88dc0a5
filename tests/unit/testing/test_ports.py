"""What is chosen for one server is chosen for no other one before it is bound."""

from __future__ import annotations

import socket
from pathlib import Path

from router_extproc.testing.ports import HOST, KEPT_S, free_port, free_ports


def test_a_port_can_be_bound() -> None:
    with socket.socket() as server:
        server.bind((HOST, free_port()))


def test_nobody_gets_what_another_one_chose(tmp_path: Path) -> None:
    """Of a thousand, the kernel alone repeats some."""
    chosen = [port for _ in range(5) for port in free_ports(200, chosen=tmp_path / "chosen")]
    assert len(set(chosen)) == len(chosen)


def test_a_choice_is_forgotten_after_its_time(tmp_path: Path) -> None:
    file = tmp_path / "chosen"
    free_ports(3, chosen=file, now_s=lambda: 0.0)
    free_ports(1, chosen=file, now_s=lambda: KEPT_S - 1)
    assert file.read_text().count(":") == 4
    free_ports(1, chosen=file, now_s=lambda: KEPT_S + 1)
    assert file.read_text().count(":") == 2


def test_a_file_whose_writer_was_killed_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "chosen"
    file.write_text('{"40001": 17')
    assert len(free_ports(2, chosen=file)) == 2
    assert file.read_text().count(":") == 2
