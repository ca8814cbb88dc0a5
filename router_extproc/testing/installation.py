"""The whole product on this machine, every process of it in a test's hands.

Two workers behind the supervisor, one Milvus Lite folder, a real Envoy with the rendered bootstrap, and
stand-in pools: `small` with two endpoints, `large` and `lone` with one. Ports are free ones, every wait has a
limit, and everything that was started is ended when the block is left. Linux only: it looks into /proc.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Final

import httpx

from router_extproc.config.read import read_config
from router_extproc.envoy_config.render import render
from router_extproc.protocol.names import CACHE_HEADER, MODEL_HEADER
from router_extproc.telemetry.metrics.reading import sums_of
from router_extproc.testing.envoy_process import EnvoyProcess, running_envoy
from router_extproc.testing.json_lines import Json, read_log_lines
from router_extproc.testing.pool_endpoint import PoolEndpoint
from router_extproc.testing.ports import free_ports
from router_extproc.testing.processes import start_process
from router_extproc.testing.until import until

#: For the sidecar to start, or to be itself again after a failure, on a machine that does much else.
READY_S: Final = 120.0
STOP_S: Final = 60.0
#: For one answer. Nothing that a test does to the product may make a client wait longer.
ANSWER_S: Final = 60.0
#: How many endpoints each pool has.
POOLS: Final = {"small": 2, "large": 1, "lone": 1}
PATH: Final = "/v1/chat/completions"
#: Whose cache is used; a request without a credential shares with nobody.
AUTHORIZATION: Final = "Bearer test-of-failures"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_whole(self) -> bool:
        """False for a stream that ends before its last event, and for JSON that is cut."""
        if "event-stream" in self.headers.get("content-type", ""):
            return self.body.rstrip().endswith(b"data: [DONE]")
        with contextlib.suppress(ValueError):
            json.loads(self.body)
            return True
        return False

    @property
    def error_code(self) -> str | None:
        """The `code` of an error object of the API; None: it is none."""
        with contextlib.suppress(ValueError, LookupError, TypeError):
            code: str | None = json.loads(self.body)["error"]["code"]
            return code
        return None


@dataclass(slots=True)
class Installation:
    """The running product."""

    folder: Path
    config_file: Path
    url: str
    admin_url: str
    sidecar: subprocess.Popen[bytes]
    envoy: EnvoyProcess
    #: By the name of the pool.
    pools: Mapping[str, list[PoolEndpoint]]

    def endpoints(self) -> Iterator[PoolEndpoint]:
        """Those of all pools."""
        for endpoints in self.pools.values():
            yield from endpoints

    # ── asking ────────────────────────────────────────────────────────────────────────────────

    def ask(
        self,
        prompt: str,
        *,
        stream: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
        url: str | None = None,
        midway: Callable[[], None] | None = None,
    ) -> Reply:
        """One chat completion of model auto; `midway` is called once, after the first piece of the answer.

        A connection that is cut gives the reply as far as it came.
        """
        body = {"model": "auto", "stream": stream, "messages": [{"role": "user", "content": prompt}]}
        own = {"authorization": AUTHORIZATION, **headers}
        received = b""
        with httpx.stream(
            "POST", (url or self.url) + PATH, json=body, headers=own, timeout=ANSWER_S, trust_env=False
        ) as answer:
            with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
                for piece in answer.iter_raw():
                    is_first, received = not received, received + piece
                    if is_first and midway is not None:
                        midway()
            return Reply(answer.status_code, dict(answer.headers), received)

    def is_stored(self, prompt: str) -> bool:
        """True when the cache alone answers this very prompt; no pool is asked.

        Asked as a stream: what was stored of one has no usage, and does for no whole answer.
        """
        reply = self.ask(prompt, stream=True, headers={"cache-control": "only-if-cached"})
        return reply.headers.get(CACHE_HEADER) == "hit-exact"

    def is_itself(self) -> bool:
        """True when all workers, Milvus and all endpoints are there and in use, and requests are routed."""
        with contextlib.suppress(httpx.HTTPError, OSError, LookupError, TypeError):
            state = httpx.get(f"{self.admin_url}/readyz", timeout=5.0, trust_env=False).json()
            healthy = self.envoy.counters("cluster.")
            wanted = {"router_extproc": len(state["workers_ready"]), **POOLS}
            return (
                all(state["workers_ready"].values())
                and state["cache"]["backend"]["state"] == "ready"
                and all(state["pools_up"].values())
                and set(state["model_states"].values()) <= {"open"}
                and all(healthy[f"cluster.{name}.membership_healthy"] == n for name, n in wanted.items())
                and self.ask(f"maths, attempt {time.monotonic()}").headers.get(MODEL_HEADER) == "large"
            )
        return False

    # ── looking ───────────────────────────────────────────────────────────────────────────────

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics by its name, summed over its labels; {}: no answer."""
        with contextlib.suppress(httpx.HTTPError):
            return sums_of(httpx.get(f"{self.admin_url}/metrics", timeout=5.0, trust_env=False).text)
        return {}

    def log_lines(self) -> list[Json]:
        """What the sidecar has logged; a line that a killed process left unfinished is skipped."""
        return read_log_lines(self.folder / "sidecar.log")

    # ── processes ─────────────────────────────────────────────────────────────────────────────

    def workers(self) -> list[int]:
        """Process ids of the workers, worker 0 first."""
        found = {pid: words for pid, words in self._children() if "--worker" in words}
        return sorted(found, key=lambda pid: found[pid][found[pid].index("--worker") + 1])

    def milvus_lite(self) -> int | None:
        """Process id of Milvus Lite; None: it does not run now."""
        return next((pid for pid, words in self._children() if any("lite" in word for word in words)), None)

    def _children(self) -> Iterator[tuple[int, list[str]]]:
        parent = self.sidecar.pid
        with contextlib.suppress(FileNotFoundError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
            for child in children.split():
                with contextlib.suppress(FileNotFoundError):
                    command = Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace")
                    yield int(child), command.split("\0")


@contextmanager
def running_installation(
    folder: Path,
    *,
    config: str,
    latency_s: float = 0.3,
    word_s: float = 0.01,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Installation]:
    """The product inside the block, ready for requests.

    config: YAML with $folder, $listen, $envoy_admin, $admin, $small, $large and $lone to be filled in; these
    three are flow lists of endpoints. Pools wait `latency_s` before an answer, and `word_s` before each word.

    Raises:
        TimeoutError: it was not ready within READY_S.
    """
    listen, envoy_admin, admin = (f"127.0.0.1:{port}" for port in free_ports(3))
    pools = {
        name: [PoolEndpoint(name, port, latency_s, word_s) for port in free_ports(count)]
        for name, count in POOLS.items()
    }
    file = folder / "router.yaml"
    text = Template(config).substitute(
        folder=folder,
        listen=listen,
        envoy_admin=envoy_admin,
        admin=admin,
        **{name: _flow_list(endpoints) for name, endpoints in pools.items()},
    )
    file.write_text(text, encoding="utf-8")
    bootstrap = folder / "envoy.yaml"
    bootstrap.write_text(render(read_config(file), "bootstrap")["bootstrap.yaml"], encoding="utf-8")
    with ExitStack() as stack:
        for endpoint in chain.from_iterable(pools.values()):
            stack.callback(endpoint.stop)
            endpoint.start()
        sidecar = _serve(file, folder, dict(os.environ) | dict(environment))
        envoy = stack.enter_context(
            running_envoy(bootstrap, listen=listen, admin=envoy_admin, log=folder / "envoy.log")
        )
        made = Installation(folder, file, f"http://{listen}", f"http://{admin}", sidecar, envoy, pools)
        stack.callback(_end, made)
        until(made.is_itself, within_s=READY_S)
        yield made


def _serve(file: Path, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "sidecar.log").open("ab") as log:
        return start_process(
            [sys.executable, "-m", "router_extproc", "serve", "--config", str(file)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _end(made: Installation) -> None:
    for pid in made.workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    made.sidecar.send_signal(signal.SIGCONT)
    made.sidecar.terminate()
    try:
        made.sidecar.wait(STOP_S)
    except subprocess.TimeoutExpired:
        made.sidecar.kill()
        made.sidecar.wait(STOP_S)


def _flow_list(endpoints: Sequence[PoolEndpoint]) -> str:
    return "[" + ", ".join(f'"127.0.0.1:{endpoint.port}"' for endpoint in endpoints) + "]"
