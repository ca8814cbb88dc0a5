"""The demo as a user starts it, and the guide's quick test against it.

What runs here is what `make run` runs: Envoy, the sidecar with Milvus Lite, two stand-in pools.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from router_extproc.socket_folders import socket_folder
from router_extproc.testing.demo_process import PATH, Demo, Json, running_demo
from router_extproc.testing.listening import listening_ports
from router_extproc.testing.ports import free_port
from router_extproc.testing.processes import start_process

SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
QUESTION = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"
OPPOSITE = "What are the main non-renewable energy sources?"
#: For a killed sidecar to decide again, on a machine that does much else.
REJOIN_S = 120.0
#: A seed nobody asked with makes a question that is not in the cache.
_SEEDS = count(1)
#: Of each client that is there before the demo.
EARLY_REPLIES = 3
#: Of the stand-in pools; an answer from the cache is far below it.
POOL_S = 0.3


def guide(question: str = QUESTION) -> list[Json]:
    """The guide's messages."""
    return [SYSTEM, {"role": "user", "content": question}]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("run")) as demo:
        yield demo


@pytest.fixture
def demo(running: Demo) -> Demo:
    """The demo, asked by somebody who asked nothing yet."""
    return running.as_another()


def seen(demo: Demo, name: str) -> Any:  # Any: JSON
    """What a pool itself saw."""
    config = json.loads((demo.folder / "router.yaml").read_text())
    endpoint = config["envoy"]["clusters"][name]["endpoints"][0]
    return httpx.get(f"http://{endpoint}/demo/seen", trust_env=False).json()


# ── the guide ─────────────────────────────────────────────────────────────────────────────────


def test_the_second_time_comes_from_the_cache(demo: Demo) -> None:
    first = demo.ask_and_store(guide())
    second = demo.ask(guide())
    assert (first.cache, second.cache) == ("miss", "hit-exact")
    assert int(second.headers["age"]) >= 0
    # Only its name, its date and what its usage says of caches are new.
    renewed = {"id": 0, "created": 0, "usage": 0}
    assert {**second.answer, **renewed} == {**first.answer, **renewed}
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.items() >= first.usage.items()
    assert second.seconds < POOL_S <= first.seconds


def test_a_rephrasing_comes_from_the_cache(demo: Demo) -> None:
    first = demo.ask_and_store(guide())
    rephrased = demo.ask(guide(REPHRASED))
    assert rephrased.cache == "hit-semantic"
    assert "similarity=" in rephrased.headers["cache-status"]
    assert rephrased.content == first.content


def test_the_opposite_question_reaches_the_pool(demo: Demo) -> None:
    demo.ask_and_store(guide())
    opposite = demo.ask(guide(OPPOSITE))
    assert opposite.cache == "miss"
    assert "coal" in opposite.content


@pytest.mark.parametrize(
    ("messages", "members"),
    [
        ([{"role": "system", "content": "You are a pirate."}, guide()[1]], {}),
        ([SYSTEM, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi"}, guide()[1]], {}),
        (guide(), {"tools": [{"type": "function", "function": {"name": "search", "parameters": {}}}]}),
        (guide(), {"temperature": 0.1}),
    ],
    ids=["system prompt", "earlier turn", "tools", "temperature"],
)
def test_another_context_is_another_question(
    demo: Demo, messages: list[Json], members: dict[str, Any]
) -> None:
    demo.ask_and_store(guide())
    assert demo.ask(messages, **members).cache == "miss"


def test_somebody_else_is_never_given_the_answer(demo: Demo) -> None:
    demo.ask_and_store(guide())
    assert demo.as_another().ask(guide()).cache == "miss"


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "cookie"])
def test_another_credential_is_somebody_else(demo: Demo, name: str) -> None:
    """Whatever stands in Authorization: many clients and gateways use another header."""
    one, other = {name: "tenant=a"}, {name: "tenant=b"}
    demo.ask(guide(), headers=one)
    wait_for_hit(demo, one)
    assert demo.ask(guide(), headers=other).cache == "miss"


def test_a_question_without_any_key_is_told_why_it_gets_no_hit(demo: Demo) -> None:
    """It may be anybody's, so nobody shares with it; the cache must not be silently dead."""
    replies = [demo.ask(guide(), headers={"authorization": ""}) for _ in range(2)]
    assert [reply.cache for reply in replies] == ["bypass", "bypass"]
    assert replies[1].headers["cache-status"] == 'router-extproc; fwd=bypass; detail="no credential"'


def wait_for_hit(demo: Demo, headers: Json) -> None:
    """Wait until these headers have an exact hit; an answer is stored a moment after it was given."""
    until_s = time.monotonic() + 10
    while demo.ask(guide(), headers=headers).cache != "hit-exact":
        assert time.monotonic() < until_s, "never stored"


def test_a_streamed_question_is_answered_by_a_stored_answer_and_the_other_way_round(demo: Demo) -> None:
    plain = demo.ask_and_store(guide())
    streamed = demo.ask(guide(), stream=True)
    assert (streamed.cache, streamed.content) == ("hit-exact", plain.content)
    asked = guide("Where do heat and light come from?")
    first = demo.ask_and_store(asked, stream=True)
    assert demo.ask(asked).content == first.content


# ── routing ───────────────────────────────────────────────────────────────────────────────────


def test_mathematics_and_small_talk_reach_different_pools(demo: Demo) -> None:
    before = {name: seen(demo, name)["models"] for name in ("small", "large")}
    maths = demo.ask("Solve the equation 3x + 5 = 20 and prove that the solution is unique.")
    talk = demo.ask("Hello! How are you today?")
    after = {name: seen(demo, name)["models"] for name in ("small", "large")}
    assert (maths.headers["x-router-model"], talk.headers["x-router-model"]) == ("large", "small")
    assert after["large"]["demo-large"] == before["large"].get("demo-large", 0) + 1
    assert after["small"]["demo-small"] == before["small"].get("demo-small", 0) + 1


def test_a_spoofed_cluster_changes_nothing(demo: Demo) -> None:
    spoofed = demo.ask(
        "Hello! How are you?", headers={"x-router-cluster": "large", "x-router-model": "large"}
    )
    assert spoofed.headers["x-router-model"] == "small"
    assert "demo pool 'small'" in spoofed.content


def test_a_real_model_is_pinned(demo: Demo) -> None:
    pinned = demo.ask("Hello! How are you?", model="large")
    assert (pinned.headers["x-router-decision"], pinned.headers["x-router-model"]) == ("pinned", "large")


def test_another_path_passes_untouched(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/demo/seen", trust_env=False)
    assert answer.json()["pool"] == "small"


def test_the_list_of_models_is_the_routers_own(demo: Demo) -> None:
    answer = httpx.get(f"{demo.url}/v1/models", trust_env=False)
    assert [each["id"] for each in answer.json()["data"]][:3] == ["auto", "demo-large", "demo-small"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"model": "auto"}', 400),
        (b'{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}', 404),
    ],
)
def test_a_broken_request_gets_the_apis_own_error(demo: Demo, body: bytes, status: int) -> None:
    answer = httpx.post(f"{demo.url}/v1/chat/completions", content=body, trust_env=False)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "invalid_request_error"


# ── operators ─────────────────────────────────────────────────────────────────────────────────


def test_metrics_count_what_happened(demo: Demo) -> None:
    demo.ask("Hello, who are you?")
    text = httpx.get(f"{demo.admin_url}/metrics", trust_env=False).text
    assert 'router_extproc_requests_total{cache="miss"' in text
    assert "router_extproc_cache_near_entries" in text


def test_the_running_sidecar_explains(demo: Demo) -> None:
    config = demo.folder / "router.yaml"
    command = [sys.executable, "-m", "router_extproc", "explain", "-c", str(config), "--running", "--json"]
    demo.ask_and_store("How do tides make electricity?", temperature=None)
    shown = subprocess.run(  # noqa: S603 - our own words, no shell
        [*command, "-H", f"authorization: Bearer {demo.bearer}", "How do tides make electricity?"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(shown.stdout)["outcome"] in ("replay", "forward")


def explain(demo: Demo, question: str) -> Json:
    """What the running sidecar would do for this client."""
    body = {"model": "auto", "messages": guide(question), "temperature": 0.7}
    headers = {"authorization": f"Bearer {demo.bearer}"}
    answer = httpx.post(f"{demo.admin_url}/explain", json=body, headers=headers, trust_env=False)
    explained: Json = answer.json()
    return explained


def test_what_was_only_explained_is_as_it_was_for_the_client(demo: Demo) -> None:
    """A hit that is explained makes no later request an exact hit, and a miss none a hit."""
    demo.ask_and_store(guide())
    for _ in range(2):
        assert explain(demo, REPHRASED)["cache"] == "hit-semantic"
        assert explain(demo, OPPOSITE)["cache"] == "miss"
    assert demo.ask(guide(REPHRASED)).cache == "hit-semantic"
    assert demo.ask(guide(OPPOSITE)).cache == "miss"


def test_no_prompt_is_in_any_log(demo: Demo) -> None:
    demo.ask("My secret word is xylophone-4711, keep it.")
    httpx.post(f"{demo.url}/v1/chat/completions", content=b'{"model": "xylophone-4711', trust_env=False)
    logs = [demo.folder / name for name in ("sidecar.log", "envoy.log", "demo.log")]
    assert not any("xylophone" in log.read_text() for log in logs)


# ── who else may look ─────────────────────────────────────────────────────────────────────────


def configured_ports(demo: Demo) -> set[int]:
    """Envoy's, the admin port and the stand-in pools'."""
    config = json.loads((demo.folder / "router.yaml").read_text())
    pools = [cluster["endpoints"][0] for cluster in config["envoy"]["clusters"].values()]
    return {int(each.rpartition(":")[2]) for each in (*pools, demo.url, demo.admin_url)}


def test_nothing_listens_but_what_was_configured(demo: Demo) -> None:
    """Milvus Lite of a single worker was a port without a password."""
    demo.ask_and_store(guide())
    assert listening_ports(demo.process.pid) == configured_ports(demo)
    sidecar = pid_of(demo, "serve")
    assert listening_ports(sidecar) == {int(demo.admin_url.rpartition(":")[2])}


def test_everything_in_the_folder_is_its_users_only(demo: Demo) -> None:
    demo.ask_and_store(guide())
    made = [demo.folder / name for name in ("router.yaml", "envoy.yaml", "sidecar.log", "envoy.log")]
    made += [demo.folder / "cache.db", *(demo.folder / "cache.db").rglob("*")]
    assert [each for each in made if each.lstat().st_mode & 0o077] == []


# ── starting and stopping ─────────────────────────────────────────────────────────────────────


def pids(process: subprocess.Popen[bytes]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def gone(pid: int, within_s: float = 15.0) -> bool:
    give_up_s = time.monotonic() + within_s
    while time.monotonic() < give_up_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_real_pool_takes_the_place_of_a_stand_in_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    """`POOLS` names one pool; the other stays a stand-in."""
    script = (
        "import asyncio\nfrom router_extproc.demo.pool import DemoPool\n"
        "async def main():\n"
        "    pool = DemoPool('mine', 'org/my-model')\n"
        "    print(await pool.start(), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script]
    pool = start_process(command, stdout=subprocess.PIPE)
    try:
        assert pool.stdout is not None
        port = int(pool.stdout.readline())
        with running_demo(tmp_path, f"small=http://127.0.0.1:{port}") as demo:
            assert "demo pool 'mine'" in demo.ask("Hello! How are you?").content
            children = pids(demo.process)
        assert len(children) == 2
        assert all(gone(pid) for pid in children)
        assert demo.process.returncode == 0
    finally:
        pool.kill()
        pool.wait()
        assert pool.stdout is not None
        pool.stdout.close()


def test_ctrl_c_finishes_what_is_under_way_and_takes_nothing_new(tmp_path: Path) -> None:
    """Ten streams: Envoy alone would cut all of them. SIGHUP before that stops nothing."""
    with running_demo(tmp_path, "", "--latency-s", "4") as demo, ThreadPoolExecutor(10) as clients:
        for pid in (demo.process.pid, pid_of(demo, "serve")):
            os.kill(pid, signal.SIGHUP)
        streams = [clients.submit(demo.ask, f"Say {number}.", stream=True) for number in range(10)]
        demo.until(lambda: seen(demo, "small")["requests"] + seen(demo, "large")["requests"] == 10)
        demo.process.send_signal(signal.SIGINT)
        demo.until(lambda: not accepts(demo.url))
        assert [stream.result().status for stream in streams] == [200] * 10
        assert demo.process.wait(60) == 0
    log = (tmp_path / "demo.log").read_text()
    assert "SIGHUP ignored" in log
    assert "policy unchanged" in (tmp_path / "sidecar.log").read_text()
    assert "cut" not in log.replace("Ctrl-C again cuts them", "")


def accepts(url: str) -> bool:
    try:
        httpx.get(f"{url}/v1/models", trust_env=False)
    except httpx.ConnectError:
        return False
    return True


def pid_of(demo: Demo, word: str) -> int:
    """The child of the demo that has this word in its command line."""
    named = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in pids(demo.process)}
    return next(pid for pid, words in named.items() if word.encode() in words)


def early_replies(port: int, stop: threading.Event) -> list[httpx.Response]:
    """What the first clients get, who have tried to connect from before there was anybody."""
    replies: list[httpx.Response] = []
    body = {"model": "auto", "messages": [{"role": "user", "content": "Prove that 7 is prime."}]}
    with httpx.Client(trust_env=False, timeout=60.0) as client:
        while len(replies) < EARLY_REPLIES and not stop.is_set():
            try:
                replies.append(client.post(f"http://127.0.0.1:{port}{PATH}", json=body))
            except httpx.ConnectError:
                time.sleep(0.001)
    return replies


def test_the_very_first_requests_are_read(tmp_path: Path) -> None:
    """The port is closed until Envoy has found the sidecar healthy, whose models are warm by then."""
    port, stop = free_port(), threading.Event()
    with ThreadPoolExecutor(4) as clients:
        asking = [clients.submit(early_replies, port, stop) for _ in range(4)]
        try:
            with running_demo(tmp_path, port=port) as demo:
                first = demo.ask("Hello! How are you?")
                replies = [reply for each in asking for reply in each.result(60)]
        finally:
            stop.set()
    assert first.headers["x-router-decision"]
    assert len(replies) == 4 * EARLY_REPLIES
    unread = [reply.text for reply in replies if "x-router-decision" not in reply.headers]
    assert unread == []


def test_an_envoy_that_dies_is_reported_and_everything_stops(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        sidecar = pid_of(demo, "serve")
        os.kill(pid_of(demo, "--disable-hot-restart"), signal.SIGKILL)
        assert demo.process.wait(30) == 1
        assert gone(sidecar)
    assert "ended (signal SIGKILL)" in (tmp_path / "demo.log").read_text()


def test_a_killed_sidecar_costs_no_answer_and_comes_back_with_its_cache(tmp_path: Path) -> None:
    """Envoy is not restarted; what Milvus Lite has on disk is there for the next sidecar."""
    with running_demo(tmp_path) as demo:
        envoy = pid_of(demo, "--disable-hot-restart")
        stored = demo.ask_and_store(guide())
        os.kill(pid_of(demo, "serve"), signal.SIGKILL)
        give_up_s = time.monotonic() + REJOIN_S
        while "x-router-model" not in (reply := demo.ask(guide(), seed=next(_SEEDS))).headers:
            assert reply.status == 200
            assert "demo pool 'small'" in reply.content
            assert time.monotonic() < give_up_s
        assert demo.ask(guide()).content == stored.content
        assert pid_of(demo, "--disable-hot-restart") == envoy
    assert "the sidecar ended (signal SIGKILL): restarting it" in (tmp_path / "demo.log").read_text()


def test_a_killed_demo_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of its own: any other demo that starts on this machine tidies up the common one.
    # Short, for a socket's path is.
    with tempfile.TemporaryDirectory(prefix="rx-", dir="/tmp") as base:
        monkeypatch.setenv("TMPDIR", base)
        _kill_a_demo(tmp_path, Path(base))


def _kill_a_demo(folder: Path, base: Path) -> None:
    with running_demo(folder) as demo:
        children = pids(demo.process)
        listen = json.loads((demo.folder / "router.yaml").read_text())["listen"]
        sockets = Path(listen.removeprefix("unix:")).parent
        demo.process.kill()
        demo.process.wait(10)
        assert all(gone(pid) for pid in children)
        assert sockets.exists()
        assert sockets.parent == base
        with socket_folder(base):  # as the next run
            assert not sockets.exists()
