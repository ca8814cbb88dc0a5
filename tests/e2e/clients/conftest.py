"""One demo in front of two pools that speak every API, and the cases of each library run against it once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from api_pool import ApiPool, running_api_pool
from outcomes import Json, Library, Outcome

from router_extproc.testing.demo_process import Demo, running_demo

HERE: Final = Path(__file__).parent
MODEL: Final = "served-model"
#: All cases of one library, three times over; importing some of them takes seconds.
CASES_S: Final = 300.0


@pytest.fixture(scope="session")
def pool() -> Iterator[ApiPool]:
    with running_api_pool(MODEL) as running:
        yield running


@pytest.fixture(scope="session")
def demo(pool: ApiPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_api_pool("other-model") as other:
        pools = f"small={pool.url} large={other.url}"
        with running_demo(tmp_path_factory.mktemp("clients") / "run", pools) as running:
            yield running


@pytest.fixture(scope="session")
def library(pool: ApiPool, demo: Demo) -> Callable[[str], Library]:
    """The cases of a library, run when first asked for."""

    @cache
    def run(name: str) -> Library:
        direct, through = f"direct-{name}", f"through-{name}"
        servers = [f"{direct}={pool.url}", f"{through}={demo.url}", f"{through}={demo.url}"]
        turns = _run(name, servers)
        return Library(
            name,
            {
                case: Outcome(
                    *(turn[case] for turn in turns),
                    tuple(pool.received(f"{direct}-{case}")),
                    tuple(pool.received(f"{through}-{case}")),
                )
                for case in turns[0]
            },
        )

    return run


def _run(name: str, servers: list[str]) -> tuple[dict[str, Json], ...]:
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [*_command(name), MODEL, *servers],
        capture_output=True,
        text=True,
        timeout=CASES_S,
        check=False,
        env=os.environ | {"NO_PROXY": "*"},
    )
    if done.returncode:
        pytest.fail(f"the cases of {name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    turns: tuple[dict[str, Json], ...] = ({}, {}, {})
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            outcome = json.loads(line)
            turns[outcome.pop("turn")][outcome.pop("case")] = outcome
    return turns


def _command(name: str) -> list[str]:
    if name == "javascript":
        folder = os.environ.get("CLIENTS_NODE")
        if not folder:
            pytest.skip("needs node and its clients: make test-clients installs them where node is")
        return ["node", str(Path(folder) / "cases.mjs")]
    python = os.environ.get("CLIENTS_PYTHON")
    if not python:
        pytest.skip("needs the clients: make test-clients installs them")
    return [python, str(HERE / "python" / "cases.py"), name]
