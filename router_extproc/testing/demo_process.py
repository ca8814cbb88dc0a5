"""The product as a user runs it: `router-extproc demo` in a process of its own, asked over HTTP.

It uses free ports, every wait has a limit, and leaving the block stops everything that was started.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx

from router_extproc.protocol.names import CACHE_HEADER
from router_extproc.testing.ports import free_port
from router_extproc.testing.processes import start_process
from router_extproc.testing.until import LOOK_EVERY_S, until

READY_S: Final = 300.0
STOP_S: Final = 30.0
#: An answer is stored by the observer, just after the client has it.
STORED_S: Final = 30.0
ANSWER_S: Final = 120.0
PATH: Final = "/v1/chat/completions"
_PACKAGED: Final = resources.files("router_extproc.demo").joinpath("router.yaml")
_LIMITS: Final = "\nlimits:\n"
_PATIENCE: Final = "  message_timeout_s: 5.0\n  signals_timeout_s: 2.0\n  cache_timeout_s: 2.0\n"

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as the client sees it, streamed or not."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: Until the last byte.
    seconds: float
    #: The JSON body, or all events of the stream joined into the same form.
    answer: Json

    @property
    def cache(self) -> str:
        """What the cache did."""
        return self.headers[CACHE_HEADER]

    @property
    def choice(self) -> Json:
        """The first choice."""
        first: Json = self.answer["choices"][0]
        return first

    @property
    def content(self) -> str:
        """The text of the first choice."""
        return str(self.choice["message"]["content"])

    @property
    def usage(self) -> Json | None:
        """Token counts."""
        usage: Json | None = self.answer.get("usage")
        return usage


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo; `bearer` is the scope of its cache that this client sees."""

    url: str
    admin_url: str
    folder: Path
    process: subprocess.Popen[bytes]
    bearer: str = field(default_factory=lambda: secrets.token_hex(8))

    def as_another(self) -> Demo:
        """The same demo, asked with an Authorization that nobody used yet."""
        return Demo(self.url, self.admin_url, self.folder, self.process)

    def ask(
        self,
        messages: Sequence[Json] | str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        **members: Any,  # Any: JSON
    ) -> Reply:
        """Ask model auto; a text is one user message. `members` go into the body."""
        turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
        body = {"model": "auto", "messages": turns, "temperature": 0.7, **members}
        own = {"authorization": f"Bearer {self.bearer}"}
        begun_s = time.monotonic()
        answer = httpx.post(
            self.url + PATH, json=body, headers=own | dict(headers), timeout=ANSWER_S, trust_env=False
        )
        seconds = time.monotonic() - begun_s
        return Reply(answer.status_code, answer.headers, answer.content, seconds, _read(answer))

    def ask_and_store(self, messages: Sequence[Json] | str, **members: Any) -> Reply:  # Any: JSON
        """Ask, and wait until the cache has the answer.

        Raises:
            TimeoutError: it was not stored.
        """
        reply = self.ask(messages, **members)
        self.wait_until_stored(messages, **members)
        return reply

    def wait_until_stored(
        self,
        messages: Sequence[Json] | str,
        *,
        within_s: float = STORED_S,
        **members: Any,  # Any: JSON
    ) -> None:
        """Wait until the cache alone can answer.

        Raises:
            TimeoutError: not stored within that time.
        """
        until(lambda: self.is_stored(messages, **members), within_s=within_s)

    def until(self, holds: Callable[[], bool], *, within_s: float = READY_S) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: it did not within that time.
        """
        until(holds, within_s=within_s)

    def is_stored(self, messages: Sequence[Json] | str, **members: Any) -> bool:  # Any: JSON
        """True when the cache alone can answer; no pool is asked."""
        reply = self.ask(messages, headers={"cache-control": "only-if-cached"}, **members)
        return reply.status == httpx.codes.OK


@contextmanager
def running_demo(
    folder: Path, pools: str = "", *options: str, config: Path | None = None, port: int | None = None
) -> Iterator[Demo]:
    """A demo on free ports that is ready; `pools` as in POOLS, `config` in place of the packaged one.

    `port`: for clients, in place of a free one.

    It has more time for each request than by default: in time or not is not what is tested, and on a
    machine that does something else, too, a late stage would be skipped and a late reply not awaited.

    Raises:
        RuntimeError: it ended or was not ready within READY_S; with the end of its log.
    """
    port, admin_port = port or free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    own = _PACKAGED if config is None else config
    # Beside the one that was given: it may name files there.
    patient = (folder if config is None else config.parent) / "patient.yaml"
    patient.write_text(_with_patience(own.read_text(encoding="utf-8")), encoding="utf-8")
    words = (
        *("demo", "--config", str(patient), "--folder", str(folder)),
        *("--port", str(port), "--admin-port", str(admin_port), *options),
    )
    log = folder / "demo.log"
    with log.open("wb") as output:
        process = start_process(
            [sys.executable, "-m", "router_extproc", *words],
            env=os.environ | {"POOLS": pools},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    demo = Demo(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", folder, process)
    try:
        _wait_until_ready(demo, log)
        yield demo
    finally:
        _stop(process)


def _with_patience(text: str) -> str:
    """The configuration with more time for each request, in the section that it has or in one more."""
    head, section, rest = text.partition(_LIMITS)
    return f"{head}{section or _LIMITS}{_PATIENCE}{rest}"


def _wait_until_ready(demo: Demo, log: Path) -> None:
    give_up_s = time.monotonic() + READY_S
    while b"Ready" not in log.read_bytes():
        if demo.process.poll() is not None or time.monotonic() > give_up_s:
            raise RuntimeError(f"the demo is not ready:\n{log.read_text(encoding='utf-8')[-4000:]}")
        time.sleep(LOOK_EVERY_S)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def _read(answer: httpx.Response) -> Json:
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return _join(answer.text)
    read: Json = answer.json()
    return read


def _join(text: str) -> Json:
    """The events of a stream in the form of a JSON answer; ValueError when the stream was cut."""
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    if not lines or lines[-1] != "[DONE]":
        raise ValueError("a stream without its end")
    events = [json.loads(line) for line in lines[:-1]]
    pieces = [piece for event in events for piece in event["choices"] if piece["index"] == 0]
    usage = next((event["usage"] for event in reversed(events) if event.get("usage")), None)
    return {**events[-1], "choices": [_join_choice(pieces)], "usage": usage}


def _join_choice(pieces: Sequence[Json]) -> Json:
    deltas = [piece["delta"] for piece in pieces]
    texts = {
        name: "".join(delta.get(name) or "" for delta in deltas)
        for name in ("content", "reasoning")
        if any(delta.get(name) for delta in deltas)
    }
    finish = next((piece["finish_reason"] for piece in pieces if piece["finish_reason"]), None)
    return {"index": 0, "message": {"content": "", **texts}, "finish_reason": finish}
