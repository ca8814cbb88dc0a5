"""The walk-through against two real vLLM servers: install, start, wait, test, stop.

Not a test itself: the tests beside it are pytest's. Exit status: pytest's; 0 with a line that begins
with SKIPPED where vLLM cannot be installed (1 with --required); 1 when a server does not start.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from install import Unavailable, install
from progress import say
from servers import DOOMED, MODELS, NotReady, Server, vllm_servers

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parents[2] / ".cache"
#: The tests take about a minute, and much longer when the machine does much else.
TESTS_S: Final = 1200.0


def main() -> int:
    """Do what the command line asks; the exit status."""
    options, pytest_options = _parser().parse_known_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        python = install(CACHE, say)
        models = MODELS if options.keep else {**MODELS, DOOMED: MODELS["large"]}
        with vllm_servers(python, CACHE, say, models) as servers:
            return _keep(servers) if options.keep else _test(servers, pytest_options)
    except Unavailable as reason:
        say(f"SKIPPED: test-vllm: no test ran: {reason}")
        return int(options.required)
    except NotReady as error:
        say(f"FAILED: test-vllm: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/e2e/vllm/run.sh", description=__doc__, epilog="Other options go to pytest."
    )
    parser.add_argument("--keep", action="store_true", help="start the servers and keep them until Ctrl-C")
    parser.add_argument("--required", action="store_true", help="where vLLM cannot be installed: fail")
    return parser


def _pools(servers: Sequence[Server]) -> str:
    return " ".join(f"{server.name}={server.url}" for server in servers)


def _keep(servers: Sequence[Server]) -> int:
    say(f'ready; try: make run POOLS="{_pools(servers)}"    Ctrl-C stops them')
    while all(server.process.poll() is None for server in servers):
        time.sleep(1)
    return 1


def _test(servers: Sequence[Server], options: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", str(HERE), *options]
    (doomed,) = [server for server in servers if server.name == DOOMED]
    environment = os.environ | {
        "VLLM_POOLS": _pools([server for server in servers if server is not doomed]),
        "VLLM_DOOMED": f"{doomed.process.pid}={doomed.url}",
    }
    try:
        return subprocess.run(command, env=environment, timeout=TESTS_S, check=False).returncode  # noqa: S603
    except subprocess.TimeoutExpired:
        say(f"FAILED: test-vllm: the tests were not done after {TESTS_S:g} s")
        return 1


if __name__ == "__main__":
    sys.exit(main())
