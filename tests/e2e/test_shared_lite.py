"""Two real workers behind the supervisor, with one Milvus Lite folder: one cache, whatever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import grpc
import httpx
from envoy_data_plane.envoy.config.core.v3 import HeaderMap, HeaderValue
from envoy_data_plane.envoy.service.ext_proc import v3 as envoy

from router_extproc.protocol.names import ROLE_HEADER
from router_extproc.testing.listening import listening_ports
from router_extproc.testing.processes import start_process
from router_extproc.testing.stack import free_address

METHOD = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
LIMIT_S = 120.0
#: What is promised: a store on one worker is a hit on the other.
SEEN_WITHIN_S = 1.0
#: Two rounds of sharing, on a busy machine.
KNOWN_WITHIN_S = 20.0
QUESTION = "What are the main sources of renewable energy?"
REWORDED = "Which are the main sources of renewable energy?"
CONFIG = """
version: 1
workers: 2
listen: unix:{folder}/{{worker}}.sock
admin: {admin}
state_dir: {folder}/state
virtual_models: [auto]
default_model: small
models: {{small: {{cluster: small}}}}
semantic_cache:
  {{enabled: true, scope: shared, backend_type: milvus, milvus: {{connection: {{uri: {folder}/cache.db}}}}}}
limits: {{message_timeout_s: 10.0, signals_timeout_s: 5.0, cache_timeout_s: 5.0, drain_s: 1.0}}
"""


class Served:
    """A running `serve`, and its parts to hurt."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, admin: str) -> None:
        self.process = process
        self._folder = folder
        self._admin = admin

    def opened(self) -> tuple[set[int], set[int]]:
        """The ports that all its processes listen on, and those that were configured."""
        return listening_ports(self.process.pid), {int(self._admin.rpartition(":")[2])}

    def open_to_others(self) -> list[Path]:
        """What others could read or use: rows, the log of what was written, sockets."""
        everything = [self._folder / "cache.db", *(self._folder / "cache.db").rglob("*")]
        everything += self._folder.glob("*.sock")
        return [each for each in everything if each.lstat().st_mode & 0o077]

    @asynccontextmanager
    async def worker(self, number: int) -> AsyncIterator[Asker]:
        async with grpc.aio.insecure_channel(f"unix:{self._folder}/{number}.sock") as channel:
            yield Asker(channel)

    async def cache_is_ready(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
                found = (await client.get(f"http://{self._admin}/readyz")).json()
        except (httpx.HTTPError, ValueError):
            return False
        workers = found.get("workers_ready", {})
        backend = (found.get("cache") or {}).get("backend", {})
        return workers == {"0": True, "1": True} and backend.get("ready") is True

    def lite(self) -> int | None:
        """The process id of Milvus Lite."""
        found = [
            pid for pid, words in self._children() if any("milvus_lite_server" in word for word in words)
        ]
        return found[0] if found else None

    def worker_pid(self, number: int) -> int:
        """The process id of a worker."""
        (found,) = [pid for pid, words in self._children() if words[-4:-2] == ["--worker", str(number)]]
        return found

    async def saved_hits(self) -> int:
        """How many hits the keeper has counted, its own and those of the other worker."""
        async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
            told = (await client.get(f"http://{self._admin}/cache/report")).json()
        hits: int = told["total"]["hits"]
        return hits

    async def call_wrong(self, answer: str) -> None:
        """Give an operator's feedback on the entry with this answer, to worker 0."""
        async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
            export = await client.get(f"http://{self._admin}/cache/export")
            (entry,) = [row for row in map(json.loads, export.text.splitlines()) if answer in json.dumps(row)]
            wrong = {"entry": entry["fingerprint"], "verdict": "wrong"}
            assert (await client.post(f"http://{self._admin}/cache/feedback", json=wrong)).status_code == 200

    async def feedback_known_to(self, worker: int) -> int:
        """How much feedback of operators this worker itself has heard of."""
        words = dict(self._children())[self.worker_pid(worker)]
        socket = Path(words[-1]) / f"{worker}.admin.sock"
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, timeout=5.0) as client:
            decisions = (await client.get("http://worker/cache/evidence")).json()["decisions"]
        return sum(found["feedback"]["operator"] for found in decisions.values())

    def _children(self) -> list[tuple[int, list[str]]]:
        found = []
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(FileNotFoundError):
                command = Path(f"/proc/{child}/cmdline").read_bytes().decode()
                found.append((int(child), command.strip("\0").split("\0")))
        return found


class Asker:
    """Envoy's end of one worker."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def ask(self, question: str, *, answer: str | None = None) -> str:
        """What the cache said; with `answer` the pool gives it after a miss."""
        body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": question}]})
        call = self._channel.stream_stream(METHOD)(metadata=((ROLE_HEADER, "inline"),), timeout=LIMIT_S)
        await _exchange(
            call, request_headers=_headers((":method", "POST"), (":path", "/v1/chat/completions"))
        )
        reply = await _exchange(call, request_body=envoy.HttpBody(body=body.encode(), end_of_stream=True))
        if reply.immediate_response is not None:
            call.cancel()
            return _outcome(reply.immediate_response.headers)
        if answer is not None:
            await _exchange(
                call, response_headers=_headers((":status", "200"), ("content-type", "application/json"))
            )
            await _exchange(call, response_body=envoy.HttpBody(body=_completion(answer), end_of_stream=True))
        await call.done_writing()
        async with asyncio.timeout(LIMIT_S):
            await call.code()
        return "miss"


async def _exchange(
    call: grpc.aio.StreamStreamCall[bytes, bytes], **message: object
) -> envoy.ProcessingResponse:
    async with asyncio.timeout(LIMIT_S):
        await call.write(bytes(envoy.ProcessingRequest(**message)))
        return envoy.ProcessingResponse.parse(await call.read())


def _headers(*pairs: tuple[str, str]) -> envoy.HttpHeaders:
    values = [HeaderValue(key=name, raw_value=value.encode()) for name, value in pairs]
    return envoy.HttpHeaders(headers=HeaderMap(headers=values))


def _outcome(mutation: envoy.HeaderMutation) -> str:
    found = {each.header.key: each.header.raw_value.decode() for each in mutation.set_headers}
    return found["x-router-cache"]


def _completion(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps(
        {"id": "c-1", "object": "chat.completion", "created": 1, "model": "small", "choices": [choice]}
    ).encode()


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    admin = free_address()
    file = folder / "router.yaml"
    file.write_text(CONFIG.format(folder=folder, admin=admin))
    command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(file)]
    process = start_process(command)
    try:
        yield Served(process, folder, admin)
    finally:
        process.terminate()
        process.wait(LIMIT_S)


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = LIMIT_S) -> float:
    """Wait; the seconds that it took."""
    started_s = time.monotonic()
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.02)
    return time.monotonic() - started_s


async def knows(served: Served, worker: int) -> bool:
    """True once the worker has heard of the feedback; it may be starting."""
    try:
        return await served.feedback_known_to(worker) == 1
    except (httpx.HTTPError, ValueError):
        return False


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_two_workers_have_one_cache_whatever_dies(tmp_path: Path) -> None:
    """One story, since each start of the product costs seconds."""
    with serving(tmp_path) as served:
        await until(served.cache_is_ready)
        async with served.worker(0) as one, served.worker(1) as other:
            assert await other.ask(QUESTION) == "miss"
            assert await one.ask(QUESTION, answer="The Volga.") == "miss"

            async def hits(question: str, expected: str) -> bool:
                return await other.ask(question) == expected

            await until(lambda: hits(REWORDED, "hit-semantic"), within_s=SEEN_WITHIN_S)
            assert await one.ask("What is a fjord?", answer="A bay.") == "miss"
            await until(lambda: hits("What is a fjord?", "hit-exact"), within_s=SEEN_WITHIN_S)

            # What one worker learns, the other knows; feedback is given to worker 0.
            await served.call_wrong("A bay.")
            await until(lambda: knows(served, 1), within_s=KNOWN_WITHIN_S)

            found, configured = served.opened()
            assert found == configured
            assert served.open_to_others() == []

            crashed = served.lite()
            assert crashed is not None
            os.kill(crashed, signal.SIGKILL)
            assert await one.ask("And which one is the shortest of all?") == "miss"
            await until(served.cache_is_ready)
            assert await one.ask("What is the capital of Peru?", answer="Lima.") == "miss"
            await until(lambda: hits("What is the capital of Peru?", "hit-exact"))
            # Stored in the last moment: the workers write while they drain.
            assert await one.ask("What is the capital of Chile?", answer="Santiago.") == "miss"
        lite, saved = served.lite(), await served.saved_hits()
    assert lite is not None
    assert lite != crashed
    assert gone(lite)
    assert saved >= 2
    with serving(tmp_path) as served:
        await until(served.cache_is_ready)
        async with served.worker(1) as other:
            for question in (QUESTION, "What is the capital of Peru?", "What is the capital of Chile?"):
                assert await other.ask(question) == "hit-exact"
        # Over the restart nothing of it was lost, and a worker that was killed hears it again.
        assert await served.saved_hits() >= saved
        await until(lambda: knows(served, 1), within_s=KNOWN_WITHIN_S)
        os.kill(served.worker_pid(1), signal.SIGKILL)
        await until(lambda: knows(served, 1))
        lite = served.lite()
        assert lite is not None
        served.process.kill()

        async def ended() -> bool:
            return gone(lite)

        await until(ended)
