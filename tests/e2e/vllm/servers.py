"""Starts real vLLM servers on free ports of this machine, waits for them and stops them.

It does not install. The rule it keeps: a server that cannot start is shown with the end of its log,
and none outlives the `with` block.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from progress import LOOK_EVERY_S, Say, Waiting, last_line, start, stop_group
from tiny_model import MAX_MODEL_LEN, TinyModel, write_model

from router_extproc.testing.ports import free_port

HOST: Final = "127.0.0.1"
#: Both are ready after 51 s on two free cores, after 173 s when four other programs share them, after 877 s
#: when ten do.
READY_S: Final = 1500.0
#: Name to model. The larger one thinks aloud, so that reasoning is replayed, too.
MODELS: Final[Mapping[str, TinyModel]] = {
    "small": TinyModel(hidden=128, layers=2, thinks=False, seed=1),
    "large": TinyModel(hidden=256, layers=4, thinks=True, seed=2),
}
#: One more, for the test that kills its server.
DOOMED: Final = "doomed"
OPTIONS: Final = (
    *("--host", HOST, "--dtype", "float32", "--enforce-eager"),
    *("--max-model-len", str(MAX_MODEL_LEN), "--max-num-seqs", "16"),
    *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
)
THINKING_OPTIONS: Final = ("--reasoning-parser", "deepseek_r1")
ENVIRONMENT: Final = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    # One thread each, on any core: two servers, Envoy, the sidecar and the tests share the machine.
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    # The models are files; nothing is asked of any hub, nothing is reported.
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


class NotReady(Exception):
    """A server ended or did not get ready in time."""


@dataclass(frozen=True, slots=True)
class Server:
    """One vLLM server."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def is_ready(self) -> bool:
        """True when it answers.

        Raises:
            NotReady: it ended.
        """
        if self.process.poll() is not None:
            raise NotReady(f"{self.name} ended with status {self.process.returncode}\n{self.tail()}")
        try:
            return httpx.get(f"{self.url}/health", timeout=2.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def tail(self) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join([f"── end of {self.log}", *text.splitlines()[-40:]])


@contextmanager
def vllm_servers(
    python: Path, cache: Path, say: Say, models: Mapping[str, TinyModel] = MODELS
) -> Iterator[Sequence[Server]]:
    """All of these models, by name, served and ready; stopped at the end.

    Raises:
        NotReady: one ended, or was not ready within READY_S.
    """
    with ExitStack() as stack:
        servers = [_start(name, model, python, cache, stack) for name, model in models.items()]
        _wait(servers, say)
        yield servers
        say("stopping vLLM")


def _start(name: str, model: TinyModel, python: Path, cache: Path, stack: ExitStack) -> Server:
    folder = cache / "vllm-models" / name
    write_model(folder, model)
    port, log = free_port(), cache / f"vllm-{name}.log"
    command = [
        # The `vllm` script of this wheel asks for the version of a package named vllm, and fails.
        *(str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder)),
        # Its own name first: it is what answers carry. "auto" is for requests that come by Envoy's
        # default route, unread, while the sidecar is away.
        *("--served-model-name", name, "auto", "--port", str(port)),
        *OPTIONS,
        *(THINKING_OPTIONS if model.thinks else ()),
    ]
    own = {"VLLM_CONFIG_ROOT": str(cache / "vllm-config"), "VLLM_CACHE_ROOT": str(cache / "vllm-cache")}
    log.unlink(missing_ok=True)
    process = start(command, log, ENVIRONMENT | own)
    stack.callback(stop_group, process)
    return Server(name, f"http://{HOST}:{port}", process, log)


def _wait(servers: Sequence[Server], say: Say) -> None:
    waiting = Waiting(
        f"vLLM: starting {' and '.join(server.name for server in servers)} (about a minute)", say
    )
    missing = list(servers)
    while missing := [server for server in missing if not server.is_ready()]:
        if waiting.seconds > READY_S:
            raise NotReady(f"{missing[0].name} is not ready after {READY_S:g} s\n{missing[0].tail()}")
        waiting.show(f"{missing[0].name}: {last_line(missing[0].log)}")
        time.sleep(LOOK_EVERY_S)
    waiting.done("ready")
