"""A real Milvus standalone server, from the wheel `milvus`: started, hurt, started again, ended.

It has free ports and a folder of its own, every wait has a limit, and the server is gone when the block
is left, whatever was done to it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from router_extproc.errors import RouterError
from router_extproc.testing.ports import free_ports
from router_extproc.testing.processes import start_process

#: Some five seconds on an idle machine; a loaded one takes its time.
READY_S: Final = 120.0
#: What is killed is gone within it.
KILLED_S: Final = 20.0
#: Unpacking 60 MB of lzma, once for each checkout.
UNPACK_S: Final = 300.0
CACHE: Final = Path(__file__).parents[2] / ".cache"
_LOOK_EVERY_S: Final = 0.1
_ASK_S: Final = 2.0
_LOG_TAIL_LINES: Final = 15
#: Where it is installed and tried; the wheel has a server for macOS, too.
PLATFORM: Final = ("Linux", "x86_64")
#: Why a test is left out elsewhere.
UNAVAILABLE: Final = f"the Milvus server is installed for {' '.join(PLATFORM)} only"


class MilvusFailed(RouterError):
    """The server ended, or was not ready in time; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Security:
    """Whom the server lets in; by default everybody, without TLS."""

    #: User and password are wanted; a new server knows root with the password Milvus.
    passwords: bool = False
    #: PEM files of the server; both or neither.
    cert_file: Path | None = None
    key_file: Path | None = None
    #: PEM file of who signed the clients' certificates, which are then wanted.
    client_ca_file: Path | None = None


@dataclass(slots=True)
class MilvusServer:
    """One server and its folder."""

    folder: Path
    port: int
    _health_port: int
    _environment: dict[str, str] = field(repr=False)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is well.

        Raises:
            MilvusFailed: it ended, or took longer than READY_S.
        """
        binary = str(self.folder / "bin" / "milvus")
        with (self.folder / "server.log").open("ab") as log:
            self._process = start_process(
                [binary, "run", "standalone"], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )
        self._wait_until_well(self._process)

    def refuse_writes(self, *, refuse: bool) -> None:
        """As if it was full; from the next start on."""
        file = self.folder / "configs" / "milvus.yaml"
        text = file.read_text(encoding="utf-8")
        part = text.index("limitWriting:")
        wanted = re.sub(r"forceDeny: \w+", f"forceDeny: {str(refuse).lower()}", text[part:], count=1)
        file.write_text(text[:part] + wanted, encoding="utf-8")

    def kill(self) -> None:
        """End it as a power cut would, whatever state it is in; it may be started again."""
        # A stopped one would end on SIGTERM, too, after half a minute; what it acknowledged is in its log.
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(KILLED_S)

    def freeze(self) -> None:
        """Let it answer nothing, with its connections open, until `thaw`."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process

    def _wait_until_well(self, process: subprocess.Popen[bytes]) -> None:
        give_up_s = time.monotonic() + READY_S
        while not _is_well(self._health_port):
            if process.poll() is not None:
                raise MilvusFailed(f"Milvus ended at once:\n{self._log_tail()}")
            if time.monotonic() > give_up_s:
                raise MilvusFailed(f"Milvus was not ready in {READY_S:.0f} s:\n{self._log_tail()}")
            time.sleep(_LOOK_EVERY_S)

    def _log_tail(self) -> str:
        text = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])


def is_available() -> bool:
    """True where the server is installed."""
    return (platform.system(), platform.machine()) == PLATFORM


@contextmanager
def running_milvus(
    folder: Path, *, port: int | None = None, security: Security | None = None
) -> Iterator[MilvusServer]:
    """A server with its data in `folder` inside the block, ready for clients.

    Raises:
        MilvusFailed: it does not start.
    """
    server = made_milvus(folder, port=port, security=security)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def made_milvus(folder: Path, *, port: int | None = None, security: Security | None = None) -> MilvusServer:
    """A server that is not started; the caller kills it."""
    import milvus  # noqa: PLC0415 - only where `is_available`

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bin").symlink_to(_unpacked())
    config = milvus.MilvusServerConfig(data_dir=str(folder))
    names = [name for name in config.configurable_items if name.endswith("_port")]
    *ports, health_port, etcd_peer_port = free_ports(len(names) + 2)
    config.update(**dict(zip(names, ports, strict=True)))
    if port is not None:
        config.update(proxy_port=port)
    for name, value in _settings(security or Security()).items():
        config.set(name, value)
    config.resolve()
    etcd = _write_etcd_file(folder, config.get("etcd_port"), etcd_peer_port)
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder / "bin"),
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": str(health_port),
        "MILVUS_RUN_DIR": str(folder / "run"),
        "ETCD_CONFIG_PATH": str(etcd),
    }
    return MilvusServer(folder, int(config.get("proxy_port")), health_port, environment)


def _settings(security: Security) -> dict[str, object]:
    settings: dict[str, object] = {"authorization_enabled": security.passwords}
    if security.cert_file is not None and security.key_file is not None:
        settings |= {
            # Milvus: 1 wants no certificate of clients, 2 does.
            "tls_mode": 1 if security.client_ca_file is None else 2,
            "server_pem_path": str(security.cert_file),
            "server_key_path": str(security.key_file),
            "ca_pem_path": str(security.client_ca_file or security.cert_file),
        }
    return settings


def _write_etcd_file(folder: Path, port: int, peer_port: int) -> Path:
    """The embedded etcd takes 2379 and 2380 whatever Milvus's own file says; two servers want four ports."""
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    file = folder / "configs" / "etcd.yaml"
    file.write_text(
        f"name: default\nlisten-client-urls: {client}\nadvertise-client-urls: {client}\n"
        f"listen-peer-urls: {peer}\ninitial-advertise-peer-urls: {peer}\ninitial-cluster: default={peer}\n"
    )
    return file


def _unpacked() -> Path:
    """The folder of the binaries, unpacked once for each checkout."""
    folder = CACHE / f"milvus-server-{importlib.metadata.version('milvus')}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            # In a process of its own: it holds the largest of them in memory.
            code = "import sys, milvus; milvus._initialize_data_files(sys.argv[1])"
            command = [sys.executable, "-c", code, scratch]
            subprocess.run(command, check=True, timeout=UNPACK_S)  # noqa: S603 - our own arguments
            # Another test run may have been first: what it made is as good.
            with contextlib.suppress(OSError):
                (Path(scratch) / "bin").rename(folder)
    return folder


def _is_well(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=_ASK_S) as answer:
            return b"OK" in answer.read()
    except OSError:
        return False
