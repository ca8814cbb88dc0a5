"""What `make test-clients` calls: installs the clients into environments of their own, and runs the tests.

Exit status: pytest's; 1 when an environment cannot be made. Without node, its clients are skipped, and the
output says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parents[2] / ".cache"
REQUIREMENTS: Final = HERE / "python" / "requirements.txt"
PACKAGES: Final = HERE / "javascript" / "package.json"
INSTALL_S: Final = 900.0
TESTS_S: Final = 1200.0


def main() -> int:
    """Do what the command line asks; the exit status."""
    try:
        environment = os.environ | {"CLIENTS_PYTHON": str(_python()), "CLIENTS_NODE": str(_node() or "")}
    except subprocess.SubprocessError as error:
        sys.stdout.write(f"FAILED: test-clients: the clients cannot be installed: {error}\n")
        return 1
    command = [sys.executable, "-m", "pytest", "-m", "clients", str(HERE), *sys.argv[1:]]
    return subprocess.run(command, env=environment, timeout=TESTS_S, check=False).returncode  # noqa: S603


def _python() -> Path:
    """The Python of an environment with the clients."""
    folder = CACHE / "clients-venv"
    python = folder / "bin" / "python"
    if not _is_ready(folder, REQUIREMENTS):
        _say("clients 1/2: Python packages (700 MB; a minute or two, the first time only)")
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        pip = (sys.executable, "-m", "pip", "--python", str(python), "--no-input", "-qq")
        _run(*pip, "install", "--no-deps", "-r", str(REQUIREMENTS))
        _mark(folder, REQUIREMENTS)
    return python


def _node() -> Path | None:
    """The folder with the clients of JavaScript; None: there is no node."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        _say("clients 2/2: no node here, so its clients are skipped")
        return None
    folder = CACHE / "clients-node"
    if not _is_ready(folder, PACKAGES):
        _say("clients 2/2: JavaScript packages (80 MB)")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(PACKAGES, folder)
        _run(
            npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)
        )
        _mark(folder, PACKAGES)
    # A module finds packages beside itself only.
    shutil.copy(HERE / "javascript" / "cases.mjs", folder)
    return folder


def _is_ready(folder: Path, wanted: Path) -> bool:
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _digest(wanted)


def _mark(folder: Path, wanted: Path) -> None:
    (folder / ".installed").write_text(_digest(wanted), encoding="utf-8")


def _digest(wanted: Path) -> str:
    return hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()


def _run(*command: str) -> None:
    subprocess.run(command, timeout=INSTALL_S, check=True)  # noqa: S603 - our own words, no shell


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
