"""One of two real vLLM servers is killed while clients ask: Envoy and the sidecar go on with the other."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from router_extproc.demo.configuration import packaged
from router_extproc.testing.demo_process import ANSWER_S, PATH, Demo, running_demo

pytestmark = pytest.mark.vllm

#: At the same time, half of them streamed.
CLIENTS: Final = 6
#: Asked and answered by the server that is killed, before it is.
WARM: Final = 12
#: Asked after the kill.
AFTER: Final = 24
#: Words of an answer: some hundred milliseconds of work, so that some are being made at any time.
LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as its client saw it; times by the monotonic clock."""

    streamed: bool
    began_s: float
    #: None: no byte of the answer's body came.
    first_byte_s: float | None
    ended_s: float
    status: int | None
    model: str
    whole: bool

    @property
    def broken_off(self) -> bool:
        """True when the answer had begun, and did not end: nobody may generate it a second time."""
        return self.first_byte_s is not None and not self.whole


@dataclass(frozen=True, slots=True)
class Doomed:
    """A server that only this module asks."""

    url: str
    #: Its process group's, too: the engine is in it.
    pid: int

    def kill(self) -> None:
        """As a machine ends that loses its power."""
        os.killpg(self.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def doomed() -> Doomed:
    text = os.environ.get("VLLM_DOOMED")
    if not text:
        pytest.skip("needs a vLLM server to kill: make test-vllm starts it")
    pid, url = text.split("=", 1)
    return Doomed(url, int(pid))


@pytest.fixture(scope="module")
def failing(
    pools: Mapping[str, str], doomed: Doomed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    """Everything goes to the doomed server first; its checks are too slow to help."""
    folder = tmp_path_factory.mktemp("outage")
    config = packaged().model_dump(mode="json", exclude_unset=True)
    config["decisions"] = [{"name": "every", "models": ["large", "small"]}]
    config["semantic_cache"] = {"enabled": False}
    config["signals"] = {}
    text = "".join(f"{name}: {json.dumps(section)}\n" for name, section in config.items())
    (folder / "router.yaml").write_text(text, encoding="utf-8")
    words = f"small={pools['small']} large={doomed.url}"
    with running_demo(folder / "demo", words, config=folder / "router.yaml") as running:
        yield running


def test_no_request_is_lost_when_a_server_is_killed_under_load(failing: Demo, doomed: Doomed) -> None:
    """But for answers that had begun: nobody may generate them a second time."""
    clients = [_Client(failing, streamed=number % 2 == 1) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client.ask_until_told) for client in clients]
        try:
            _wait(running, lambda: sum(len(client.asked) for client in clients) >= WARM)
            killed_s = time.monotonic()
            doomed.kill()
            _wait(
                running,
                lambda: sum(each.began_s > killed_s for client in clients for each in client.asked) >= AFTER,
            )
        finally:
            for client in clients:
                client.stopped.set()
        for future in running:
            future.result()
    asked = [each for client in clients for each in client.asked]
    before = [each for each in asked if each.ended_s < killed_s]
    after = [each for each in asked if each.began_s > killed_s]
    assert {each.model for each in before} == {"large"}
    assert {each.model for each in after} == {"small"}
    # A request that waited when its server died has got its answer from the other one.
    lost = [each for each in asked if not each.whole and not each.broken_off]
    assert lost == []
    broken = [each for each in asked if each.broken_off]
    assert all(each.streamed and each.began_s < killed_s for each in broken)
    assert {each.status for each in asked} == {200}
    moved_s = min(each.first_byte_s or each.ended_s for each in after) - killed_s
    slowest_s = max(each.ended_s - each.began_s for each in after)
    # Seen with `-s`.
    sys.stdout.write(
        f"outage: {len(before)} answers before it, {len(after)} after it, {len(broken)} streams broken off; "
        f"the first new answer {moved_s:.2f} s after the kill, the slowest took {slowest_s:.2f} s\n"
    )


class _Client:
    """Asks one question after the other until it is told to stop."""

    def __init__(self, demo: Demo, *, streamed: bool) -> None:
        self._demo: Final = demo
        self._streamed: Final = streamed
        self.asked: Final[list[Asked]] = []
        self.stopped: Final = threading.Event()

    def ask_until_told(self) -> None:
        """Until `stopped`."""
        while not self.stopped.is_set():
            self.asked.append(self._ask(f"Question {len(self.asked)} of {id(self)}"))

    def _ask(self, prompt: str) -> Asked:
        body: dict[str, Any] = {  # Any: JSON
            "model": "auto",
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0.7,
            "min_tokens": LENGTH,
            "max_tokens": 4 * LENGTH,
            "stream": self._streamed,
        }
        began_s, first_byte_s, status, model, pieces = time.monotonic(), None, None, "", []
        try:
            with httpx.stream(
                "POST", self._demo.url + PATH, json=body, timeout=ANSWER_S, trust_env=False
            ) as answer:
                status, model = answer.status_code, answer.headers.get("x-router-model", "")
                for piece in answer.iter_raw():
                    first_byte_s = first_byte_s or time.monotonic()
                    pieces.append(piece)
        except httpx.TransportError:
            ended = False
        else:
            ended = True
        whole = ended and b"".join(pieces).rstrip().endswith(b"[DONE]" if self._streamed else b"}")
        return Asked(self._streamed, began_s, first_byte_s, time.monotonic(), status, model, whole)


def _wait(running: Sequence[Future[None]], holds: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + ANSWER_S
    while not holds():
        for future in running:
            if future.done():
                future.result()
        assert time.monotonic() < give_up_s
        time.sleep(0.02)
