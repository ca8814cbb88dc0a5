"""What serves imports what it uses: models are built, trained, benched and rendered by other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest

from router_extproc.testing.processes import start_process
from router_extproc.testing.stack import free_address

READY_S: Final = 120.0
STOP_S: Final = 60.0

#: Read by every Python process that has its folder on its path: tells at its end what was imported.
HOOK = """
import atexit, os, sys

def tell():
    with open(os.path.join(os.environ["TELL_MODULES_IN"], str(os.getpid())), "w") as file:
        file.write("\\n".join([" ".join(sys.argv), *sys.modules]))

atexit.register(tell)
"""

#: Every kind of signal, so that whatever one of them imports late is imported.
SIGNALS = """
signals:
  domain: {type: intent, model: mmlu14}
  talk: {type: intent, examples: {small: ["Hello, how are you?"], other: ["Solve this equation"]}}
  attack: {type: guard}
  private: {type: pii}
  hard: {type: complexity}
  tongue: {type: language}
  long: {type: context_length, min_tokens: 4000}
  urgent: {type: keywords, any: [asap]}
decisions:
  - {name: one, when: {all: [{domain: math}, {talk: small}, {attack: true}, {private: true}]}, model: small}
  - {name: two, when: {any: [{hard: {min: 0.5}}, {tongue: de}, {long: true}, {urgent: true}]}, model: small}
"""

CONFIG = """
version: 1
listen: unix:$folder/{worker}.sock
admin: $admin
workers: $workers
default_model: small
models: {small: {cluster: small}}
semantic_cache: $cache
"""

MEMORY = "{enabled: true}"
LITE = "{enabled: true, backend_type: milvus, milvus: {uri: cache.db}}"

#: None of it serves. `envoy_data_plane` alone is 21 MB on disk, and seconds of a start.
UNUSED = {
    *("onnx", "transformers", "huggingface_hub", "torch", "safetensors", "matplotlib"),
    *("httpx", "envoy_data_plane", "betterproto2", "grpc_tools.protoc", "pytest", "hypothesis"),
    *(f"router_extproc.{name}" for name in ("testing", "training", "evaluation", "demo", "bench")),
    *("router_extproc.envoy_config", "router_extproc.models.hub", "router_extproc.models.onnx.building"),
}
#: Only a cache in Milvus needs them; they bring pandas and pyarrow.
MILVUS = {"pymilvus", "milvus_lite", "pandas", "pyarrow"}


@pytest.fixture
def serve(tmp_path: Path) -> Path:
    """The folder of a configuration."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "told").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    return tmp_path


def imported(folder: Path, *, workers: int, cache: str) -> Mapping[str, set[str]]:
    """Command line to modules, of each process of a sidecar that has answered a request and stopped."""
    admin, file = free_address(), folder / "router.yaml"
    values = {"$folder": str(folder), "$admin": admin, "$workers": str(workers), "$cache": cache}
    text = CONFIG + SIGNALS
    for name, value in values.items():
        text = text.replace(name, value)
    file.write_text(text, encoding="utf-8")
    variables = {"PYTHONPATH": str(folder / "hook"), "TELL_MODULES_IN": str(folder / "told")}
    command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(file)]
    with (folder / "log").open("wb") as log:
        process = start_process(
            command, at_end=signal.SIGTERM, env=os.environ | variables, stdout=log, stderr=log
        )
    try:
        explain(f"http://{admin}", process, folder / "log")
    finally:
        process.terminate()
        process.wait(STOP_S)
    told = [path.read_text(encoding="utf-8").splitlines() for path in (folder / "told").iterdir()]
    return {words: set(modules) for words, *modules in told}


def explain(admin: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Let it decide about one request, when it is ready."""
    give_up_s = time.monotonic() + READY_S
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "Call +49 30 901820, urgently!"}]}'
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up_s, log.read_text()
        try:
            if httpx.get(f"{admin}/readyz", timeout=5.0, trust_env=False).is_success:
                break
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    path = f"{admin}/explain?path=/v1/chat/completions"
    own = {"content-type": "application/json"}
    assert httpx.post(path, content=body, headers=own, timeout=30.0, trust_env=False).is_success


def test_one_worker_with_its_own_memory(serve: Path) -> None:
    (modules,) = imported(serve, workers=1, cache=MEMORY).values()
    assert "router_extproc.server.servicer" in modules
    assert modules & (UNUSED | MILVUS) == set()


def test_two_workers_and_what_they_share(serve: Path) -> None:
    """The supervisor and both workers, and Milvus Lite in a process of its own."""
    processes = imported(serve, workers=2, cache=LITE)
    assert len(processes) == 4, sorted(processes)
    for words, modules in processes.items():
        assert modules & UNUSED == set(), words
    (supervisor,) = [words for words in processes if "--worker" not in words and " serve " in words]
    assert processes[supervisor] & MILVUS == set()
