from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.server.listen import SOCKET_MODES, address_of, claim, open_to


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "0.sock"


@pytest.fixture
def living(path: Path) -> Iterator[Path]:
    """A socket on which somebody listens."""
    path.parent.mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
        server.listen()
        yield path


@pytest.fixture
def stale(path: Path) -> Path:
    """A socket that a killed process left behind."""
    path.parent.mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
    return path


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("unix:/run/r/{worker}.sock", "unix:/run/r/2.sock"),
        ("127.0.0.1:50051", "127.0.0.1:50053"),
        ("[::1]:50051", "[::1]:50053"),
        ("127.0.0.1:0", "127.0.0.1:0"),
    ],
)
def test_each_worker_has_its_own_address(listen: str, address: str) -> None:
    assert address_of(listen, worker=2) == address


def test_the_folder_of_a_socket_is_made(path: Path) -> None:
    claim(f"unix:{path}")
    assert path.parent.is_dir()
    assert not path.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
@pytest.mark.parametrize(
    ("access", "modes"),
    [("owner", (0o600, 0o700)), ("group", (0o660, 0o750)), ("everyone", (0o666, 0o755))],
)
def test_who_may_connect_is_what_was_configured(
    path: Path, access: str, modes: tuple[int, int], umask: int
) -> None:
    """A service manager that starts us with umask 0 lets nobody in by accident."""
    before = os.umask(umask)
    try:
        claim(f"unix:{path}", SOCKET_MODES[access])
        with closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(str(path))
            open_to(f"unix:{path}", SOCKET_MODES[access])
    finally:
        os.umask(before)
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == modes


def test_a_folder_that_is_there_keeps_its_mode(path: Path) -> None:
    """As a volume that Envoy mounts, too."""
    path.parent.mkdir()
    path.parent.chmod(0o2770)
    claim(f"unix:{path}")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770


def test_a_port_has_no_mode() -> None:
    open_to("127.0.0.1:50051", SOCKET_MODES["group"])


def test_a_socket_that_is_gone_is_named() -> None:
    with pytest.raises(ConfigError, match="socket_access: cannot set the mode of /nowhere"):
        open_to("unix:/nowhere/0.sock", SOCKET_MODES["group"])


def test_a_stale_socket_is_removed(stale: Path) -> None:
    """After kill -9 the next start must not need a person."""
    claim(f"unix:{stale}")
    assert not stale.exists()


def test_a_living_socket_is_left_alone(living: Path) -> None:
    with pytest.raises(ConfigError, match=f"{living} is used by a running server"):
        claim(f"unix:{living}")
    assert living.exists()


def test_a_server_that_is_too_busy_to_accept_is_alive(path: Path) -> None:
    path.parent.mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as server, closing(socket.socket(socket.AF_UNIX)) as client:
        server.bind(str(path))
        server.listen(0)
        client.connect(str(path))
        with pytest.raises(ConfigError, match="is used by a running server"):
            claim(f"unix:{path}")
    assert path.exists()


def test_a_file_that_is_no_socket_is_not_removed(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ConfigError, match="is not a socket"):
        claim(f"unix:{path}")
    assert path.read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot make a socket"):
        claim(f"unix:{tmp_path}/file/0.sock")


def test_a_free_port_can_be_claimed() -> None:
    claim("127.0.0.1:0")


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use; set listen to"):
            claim(f"127.0.0.1:{port}")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1:1024"):
        claim("192.0.2.1:1024")


def has_ipv6_loopback() -> bool:
    with closing(socket.socket(socket.AF_INET6)) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not socket.has_ipv6 or not has_ipv6_loopback(), reason="no IPv6 loopback here")
def test_an_ipv6_address_can_be_claimed() -> None:
    claim("[::1]:0")


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """They could put a socket of their own there."""
    owner = tmp_path.stat().st_uid
    with pytest.raises(ConfigError, match="belongs to another user"):
        claim(f"unix:{tmp_path}/0.sock", owners={owner + 1, owner + 2})


def test_a_folder_that_is_made_is_its_makers_alone(tmp_path: Path) -> None:
    claim(f"unix:{tmp_path}/new/0.sock")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
