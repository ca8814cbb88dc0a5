"""The failure matrix of docs/operations.md, tried: every row of its table is a test of the whole product.

The page is what is expected; this module knows how each failure is made and mended. Two real workers, Milvus
Lite, Envoy and pools run once for all rows and must be themselves again after each.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import httpx
import pytest

from router_extproc.config.read import read_config
from router_extproc.envoy_config.render import render
from router_extproc.testing.envoy_process import EnvoyProcess, running_envoy
from router_extproc.testing.installation import Installation, running_installation
from router_extproc.testing.pool_endpoint import PoolEndpoint, until
from router_extproc.testing.processes import start_process
from router_extproc.testing.stack import free_address

#: It depends on where the failure strikes; nothing is claimed.
EITHER: Final = frozenset({"yes", "no"})
ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "operations.md"
#: For the product to be itself again once what failed is mended.
RECOVERED_S: Final = 90.0
#: For a metric or a log line to show what was done.
SHOWN_S: Final = 30.0
JUMPS: Final = "router_extproc_clock_jumps_total"
#: For an answer to be stored.
STORED_S: Final = 10.0
#: What goes to the large pool by a rule; everything else is the small pool's.
RULED: Final = "maths"
#: What every process of the sidecar takes for the time, beside the real one: seconds, read at each look.
CLOCK_FILE: Final = "clock-offset"
CLOCK: Final = """
import time

_real = time.time


def _moved():
    try:
        with open({file!r}) as file:
            return _real() + float(file.read() or 0)
    except OSError:
        return _real()


time.time = _moved
"""
CONFIG: Final = """
version: 1
workers: 2
listen: unix:$folder/{worker}.sock
admin: $admin
virtual_models: [auto]
default_model: small
models:
  small: {cluster: small, served_name: served-small}
  large: {cluster: large, served_name: served-large}
  lone: {cluster: lone, served_name: served-lone, fallback: large}
signals: {word: {type: keywords, any: [maths, lonely]}}
decisions:
  - {name: ruled, when: {word: maths}, model: large}
  - {name: lone, when: {word: lonely}, model: lone}
semantic_cache:
  enabled: true
  backend_type: milvus
  milvus: {connection: {uri: $folder/cache.db}}
  coalescing: {enabled: false}
limits: {message_timeout_s: 1.0, drain_s: 5.0}
envoy:
  listen: $listen
  admin: $envoy_admin
  stream_idle_timeout_s: 12
  clusters:
    small: {endpoints: $small, first_byte_timeout_s: 8}
    large: {endpoints: $large}
    lone: {endpoints: $lone}
"""


# ── the page ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    failure: str
    moment: str
    #: What the client may see, each in the words of `seen`.
    client: frozenset[str]
    #: "yes", "no", or both.
    stored: frozenset[str]
    #: Samples of /metrics that go up; empty: none is named.
    metrics: tuple[str, ...]
    #: Log lines by their event.
    logged: tuple[str, ...]
    recovery: str


def rows() -> list[Row]:
    """The table's lines, a failure written once for all lines that follow."""
    table = PAGE.read_text(encoding="utf-8").partition("<!-- failure matrix -->")[2].partition("<!-- end -->")
    lines = [line for line in table[0].splitlines() if line.startswith("|")][2:]
    found: list[Row] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        failure = cells[0] or found[-1].failure
        client, stored = (frozenset(cell.split(" or ")) for cell in cells[2:4])
        metrics, logged = (tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells[4:6])
        found.append(Row(failure, cells[1], client, stored, metrics, logged, cells[6]))
    return found


# ── failures ──────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Attempt:
    """The product while one row is tried."""

    product: Installation
    #: Whom clients ask; another one in some rows.
    envoy: EnvoyProcess
    #: By port, before anything was asked.
    seen_before: dict[int, int]

    @property
    def endpoint(self) -> PoolEndpoint:
        """The small pool's endpoint that was asked just now, or its first one."""
        small = self.product.pools["small"]
        return next((each for each in small if each.seen() > self.seen_before[each.port]), small[0])

    def pools_seen(self) -> bool:
        """A pool was asked since the attempt began."""
        return any(each.seen() > self.seen_before[each.port] for each in self.product.endpoints())


Failing: TypeAlias = Callable[[Attempt], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Failure:
    """How something fails, and how it is mended."""

    #: Fails until the block is left; what it needs to be itself again is done then.
    failing: Failing
    #: What is asked while it lasts.
    prompt: str = RULED
    #: Around the whole attempt.
    around: Failing = lambda _: contextlib.nullcontext()


def signalled(pids: Callable[[Installation], list[int]], *numbers: signal.Signals) -> Failing:
    """Processes are sent the first signal, and the second one, if any, when it is over."""

    @contextmanager
    def failing(attempt: Attempt) -> Iterator[None]:
        hurt = pids(attempt.product)
        send(hurt, numbers[0])
        try:
            yield
        finally:
            for number in numbers[1:]:
                send(hurt, number)

    return failing


def send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def limited(pids: Callable[[Installation], list[int]], kind: int, most: Callable[[int], int]) -> Failing:
    """Processes may have no more of something than `most` says of each."""

    @contextmanager
    def failing(attempt: Attempt) -> Iterator[None]:
        before = {pid: resource.prlimit(pid, kind) for pid in pids(attempt.product)}
        for pid, (_, hard) in before.items():
            resource.prlimit(pid, kind, (most(pid), hard))
        try:
            yield
        finally:
            for pid, limits in before.items():
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(pid, kind, limits)

    return failing


def slowed(pids: Callable[[Installation], list[int]]) -> Failing:
    """Processes run for a twentieth of the time."""

    @contextmanager
    def failing(attempt: Attempt) -> Iterator[None]:
        over, hurt = threading.Event(), pids(attempt.product)

        def stutter() -> None:
            while not over.is_set():
                send(hurt, signal.SIGSTOP)
                over.wait(0.38)
                send(hurt, signal.SIGCONT)
                over.wait(0.02)

        thread = threading.Thread(target=stutter)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    return failing


def endpoint_gone(*, frozen: bool, whole_pool: str | None = None) -> Failing:
    """The endpoint that was asked, or each of a whole pool, is killed or stopped."""

    @contextmanager
    def failing(attempt: Attempt) -> Iterator[None]:
        hurt = [attempt.endpoint] if whole_pool is None else attempt.product.pools[whole_pool]
        for each in hurt:
            each.signal(signal.SIGSTOP if frozen else signal.SIGKILL)
        try:
            yield
        finally:
            for each in hurt:
                each.signal(signal.SIGCONT) if frozen else each.start()

    return failing


@contextmanager
def broken_on_disk(attempt: Attempt) -> Iterator[None]:
    """The file is saved half-written, and a worker must be started again."""
    file = attempt.product.config_file
    good = file.read_bytes()
    file.write_bytes(good[:100])
    send(attempt.product.workers()[1:], signal.SIGKILL)
    try:
        yield
    finally:
        file.write_bytes(good)


def clock_moved(seconds: float) -> Failing:
    """The wall clock of every process of the sidecar jumps, and back again."""

    @contextmanager
    def failing(attempt: Attempt) -> Iterator[None]:
        offset, before = attempt.product.folder / CLOCK_FILE, attempt.product.metrics()
        offset.write_text(str(seconds))
        try:
            yield
            # A clock that is right again at once is looked at in between by nobody.
            until(lambda: attempt.product.metrics().get(JUMPS, 0) > before[JUMPS], within_s=SHOWN_S)
        finally:
            offset.write_text("0")

    return failing


@contextmanager
def stale_envoy(attempt: Attempt) -> Iterator[None]:
    """Clients ask an Envoy that was rendered when the large pool's cluster had another name."""
    with another_envoy(
        attempt.product,
        lambda text: text.replace("large: {cluster: large", "large: {cluster: huge").replace(
            "large: {endpoints", "huge: {endpoints"
        ),
    ) as envoy:
        attempt.envoy = envoy
        yield


@contextmanager
def another_envoy(product: Installation, change: Callable[[str], str]) -> Iterator[EnvoyProcess]:
    listen, admin = free_address(), free_address()
    text = change(product.config_file.read_text())
    text = text.replace(product.envoy.listen, listen).replace(str(product.envoy.admin), admin)
    folder = product.folder / f"envoy-{listen.rpartition(':')[2]}"
    folder.mkdir()
    file = folder / "router.yaml"
    file.write_text(text)
    bootstrap = folder / "envoy.yaml"
    bootstrap.write_text(render(read_config(file), "bootstrap")["bootstrap.yaml"])
    with running_envoy(bootstrap, listen=listen, admin=admin, log=folder / "envoy.log") as envoy:
        name = "cluster.router_extproc.membership_healthy"
        until(lambda: envoy.counters(name)[name] == len(product.workers()), within_s=RECOVERED_S)
        yield envoy


@contextmanager
def an_envoy_of_its_own(attempt: Attempt) -> Iterator[None]:
    """Clients ask an Envoy of the same configuration that may be stopped."""
    with another_envoy(attempt.product, lambda text: text) as envoy:
        attempt.envoy = envoy
        yield


@contextmanager
def drained(attempt: Attempt) -> Iterator[None]:
    """Envoy is told to stop as the deployment files do it."""
    command = ["bash", str(ROOT / "deploy" / "drain-envoy.sh"), str(attempt.envoy.admin), "60", "0"]
    draining = start_process(command)
    until(lambda: not accepts(attempt.envoy.listen), within_s=SHOWN_S)
    try:
        yield
    finally:
        assert draining.wait(SHOWN_S) == 0


def accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
        return True
    return False


@contextmanager
def folder_deleted(attempt: Attempt) -> Iterator[None]:
    """Somebody removes what Milvus Lite has on disk, under its feet; it is made again when Lite starts."""
    shutil.rmtree(attempt.product.folder / "cache.db", ignore_errors=True)
    yield
    send(lite(attempt.product), signal.SIGKILL)


@contextmanager
def folder_broken(attempt: Attempt) -> Iterator[None]:
    """Milvus Lite dies, and what it left cannot be read."""
    send(lite(attempt.product), signal.SIGKILL)
    for file in (attempt.product.folder / "cache.db").rglob("*"):
        if file.is_file():
            file.write_bytes(b"\0" * 64)
    yield


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def memory_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def lite(product: Installation) -> list[int]:
    pid = product.milvus_lite()
    assert pid is not None
    return [pid]


def one(product: Installation) -> list[int]:
    return product.workers()[1:]


def everything(product: Installation) -> list[int]:
    return [product.sidecar.pid, *product.workers(), *lite(product)]


def nothing(_: int) -> int:
    return 0


#: Goes to the model that has a fallback.
LONELY: Final = "lonely"

FAILURES: Final = {
    "one worker killed": Failure(signalled(one, signal.SIGKILL)),
    "all workers killed": Failure(signalled(Installation.workers, signal.SIGKILL)),
    "one worker frozen": Failure(signalled(one, signal.SIGSTOP)),
    "all workers frozen": Failure(signalled(Installation.workers, signal.SIGSTOP)),
    "workers slow": Failure(slowed(Installation.workers)),
    "no descriptors": Failure(limited(Installation.workers, resource.RLIMIT_NOFILE, open_files)),
    "no memory": Failure(limited(Installation.workers, resource.RLIMIT_AS, memory_bytes)),
    "no disk": Failure(limited(everything, resource.RLIMIT_FSIZE, nothing)),
    "Milvus down": Failure(signalled(lite, signal.SIGKILL)),
    "Milvus hanging": Failure(signalled(lite, signal.SIGSTOP, signal.SIGCONT)),
    "Milvus folder deleted": Failure(folder_deleted),
    "Milvus folder broken": Failure(folder_broken),
    "Milvus slow": Failure(slowed(lite)),
    "Milvus full": Failure(limited(lite, resource.RLIMIT_FSIZE, nothing)),
    "pool endpoint dead": Failure(endpoint_gone(frozen=False), prompt="poetry"),
    "pool endpoint hanging": Failure(endpoint_gone(frozen=True), prompt="poetry"),
    "whole pool down": Failure(endpoint_gone(frozen=False, whole_pool="large")),
    "whole pool down, with a fallback": Failure(
        endpoint_gone(frozen=False, whole_pool="lone"), prompt=LONELY
    ),
    "Envoy stopping": Failure(drained, around=an_envoy_of_its_own),
    "Envoy stale": Failure(lambda _: contextlib.nullcontext(), around=stale_envoy),
    "configuration broken on disk": Failure(broken_on_disk),
    "clock jumps forward": Failure(clock_moved(7200)),
    "clock jumps back": Failure(clock_moved(-7200)),
}


# ── trying a row ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("product")
    (folder / "sitecustomize.py").write_text(CLOCK.format(file=str(folder / CLOCK_FILE)))
    (folder / CLOCK_FILE).write_text("0")
    path = os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", ""))).rstrip(os.pathsep)
    with running_installation(
        folder, config=CONFIG, latency_s=0.5, environment={"PYTHONPATH": path}
    ) as product:
        yield product


@dataclass(slots=True)
class Tried:
    """What was seen of one row."""

    outcomes: list[str]
    prompts: list[str]


def all_workers_ask(product: Installation, model: str) -> bool:
    """True when this model answers itself: a worker that saw its pool fail asks the fallback for a while."""
    replies = (product.ask(new(LONELY)) for _ in range(ASKED_TIMES))
    return all(reply.headers.get("x-router-model") == model for reply in replies)


def new(prompt: str) -> str:
    """A question that nobody has asked, and nothing like another one."""
    return f"{prompt} {secrets.token_hex(8)} {secrets.token_hex(8)}"


def try_before(attempt: Attempt, failure: Failure) -> Tried:
    prompts = [new(failure.prompt) for _ in range(4)]
    lost = times_lost(attempt.product)
    with failure.failing(attempt):
        tried = Tried([outcome(attempt, prompt) for prompt in prompts], prompts)
        if failure.prompt == LONELY:
            # The requests themselves go on to the fallback; the sidecar looks after the pool now and then.
            until(lambda: times_lost(attempt.product) > lost, within_s=SHOWN_S)
        return tried


def times_lost(product: Installation) -> int:
    """How often the sidecar has said that a pool is lost."""
    return sum(line.get("event") == "pool lost: its fallback answers" for line in product.log_lines())


def try_during(attempt: Attempt, failure: Failure) -> Tried:
    """A request waits for the pool's first byte."""
    prompt = new(failure.prompt)
    with ThreadPoolExecutor(1) as threads, held(attempt.product) as answers:
        asking = threads.submit(outcome, attempt, prompt)
        until(attempt.pools_seen, within_s=SHOWN_S)
        with failure.failing(attempt):
            answers.close()
            return Tried([asking.result()], [prompt])


@contextmanager
def held(product: Installation) -> Iterator[contextlib.ExitStack]:
    """No pool answers until it is closed: a loaded machine takes its time to make a failure."""
    with contextlib.ExitStack() as answers:
        for endpoint in product.endpoints():
            endpoint.hold()
            answers.callback(endpoint.release)
        # Of two signals that wait for a process, the later one is handled first: each has seen the first now.
        for endpoint in product.endpoints():
            endpoint.seen()
        yield answers


def try_mid_stream(attempt: Attempt, failure: Failure) -> Tried:
    prompt = new(failure.prompt)
    with contextlib.ExitStack() as stack:

        def fail() -> None:
            with held(attempt.product):
                stack.enter_context(failure.failing(attempt))

        return Tried([outcome(attempt, prompt, midway=fail)], [prompt])


#: A loaded machine takes its time for so many answers.
ASKED_S: Final = 120.0
#: Envoy spreads them over two workers.
ASKED_TIMES: Final = 4
TRY: Final = {"before": try_before, "during": try_during, "mid-stream": try_mid_stream}


def outcome(attempt: Attempt, prompt: str, midway: Callable[[], None] | None = None) -> str:
    """What a client sees, in the page's words."""
    try:
        reply = attempt.product.ask(prompt, url=attempt.envoy.url, stream=midway is not None, midway=midway)
    except httpx.ConnectError:
        return "no connection"
    except httpx.TransportError:
        return "cut"
    if not reply.is_whole:
        return "cut"
    if reply.status != httpx.codes.OK:
        return f"{reply.status} {reply.error_code}"
    return "200" if "x-router-model" in reply.headers else "200 unread"


def stored(product: Installation, prompt: str, expected: frozenset[str]) -> str:
    """Whether an answer is stored, given time to be; a no is believed when a later one is there."""
    if "yes" in expected:
        with contextlib.suppress(TimeoutError):
            until(lambda: product.is_stored(prompt), within_s=STORED_S)
            return "yes"
    later = new(RULED)
    product.ask(later)
    until(lambda: product.is_stored(later), within_s=RECOVERED_S)
    return "yes" if product.is_stored(prompt) else "no"


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.failure}, {row.moment}".replace(" ", "-"))
def test_it_fails_as_the_page_says(installation: Installation, row: Row) -> None:
    failure = FAILURES[row.failure]
    until(installation.is_itself, within_s=RECOVERED_S)
    if failure.prompt == LONELY:
        until(lambda: all_workers_ask(installation, "lone"), within_s=ASKED_S)
    counted, said = installation.metrics(), len(installation.log_lines())
    attempt = Attempt(
        installation, installation.envoy, {each.port: each.seen() for each in installation.endpoints()}
    )
    with failure.around(attempt):
        tried = TRY[row.moment](attempt, failure)
    until(installation.is_itself, within_s=RECOVERED_S)
    assert set(tried.outcomes) <= row.client

    def logged() -> bool:
        return {line.get("event") for line in installation.log_lines()[said:]} >= set(row.logged)

    def went_up() -> bool:
        now = installation.metrics()
        return all(now.get(name, 0) > counted.get(name, 0) for name in row.metrics)

    until(went_up, within_s=SHOWN_S)
    until(logged, within_s=SHOWN_S)
    if row.stored != EITHER:
        assert {stored(installation, prompt, row.stored) for prompt in tried.prompts} == row.stored


def test_every_failure_is_in_the_page() -> None:
    assert {row.failure for row in rows()} == FAILURES.keys()
