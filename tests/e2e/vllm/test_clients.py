"""The official OpenAI client in front of two real vLLM servers, and clients that do not wait."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import openai
import pytest

from router_extproc.testing.demo_process import ANSWER_S, PATH, Demo

pytestmark = pytest.mark.vllm

QUESTION = "What are the main renewable energy sources?"
#: Of what a starved server may spoil.
TRIES = 3
#: Envoy's health check takes the sidecar back within a few seconds, on a machine with time to ask.
REJOIN_S = 120.0


@pytest.fixture
def client(router: Demo) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{router.url}/v1", api_key=router.bearer, max_retries=0) as made:
        yield made


def test_the_client_gets_the_same_answer_twice(router: Demo, client: openai.OpenAI) -> None:
    ask = client.chat.completions.with_raw_response
    messages = [{"role": "user", "content": QUESTION}]
    first = router.ask_and_store(messages)
    replayed = ask.create(model="auto", messages=messages, temperature=0.7)  # type: ignore[arg-type]  # plain
    assert replayed.headers["x-router-cache"] == "hit-exact"
    assert replayed.parse().choices[0].message.content == first.content


def test_the_client_reads_a_replayed_stream(router: Demo, client: openai.OpenAI) -> None:
    first = router.ask_and_store(QUESTION)
    with client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": QUESTION}],
        temperature=0.7,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        assert stream.response.headers["x-router-cache"] == "hit-exact"
        chunks = list(stream)
    content = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert content == first.content
    assert chunks[-1].usage is not None
    assert first.usage is not None
    assert chunks[-1].usage.completion_tokens == first.usage["completion_tokens"]


def test_the_client_raises_its_own_error_for_an_unknown_model(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "Hi"}])


def test_a_stream_arrives_while_it_is_made(router: Demo, answered: Callable[[], dict[str, int]]) -> None:
    """Nothing holds events back: the client has the first words when the server is far from done.

    A server without a processor to itself may write a whole answer in one go; then it is asked again. A
    router that held events back would fail every time.
    """

    def arrives_early() -> bool:
        before = answered()
        with streaming(router.as_another(), min_tokens=3000) as lines:
            words = [next(lines) for _ in range(3)]
            assert all(line.startswith("data: ") for line in words)
            return answered() == before

    assert any(arrives_early() for _ in range(TRIES))


def test_an_answer_that_the_client_left_is_not_stored(router: Demo) -> None:
    """Tried again where the server was done before the client could leave."""

    def is_kept() -> bool:
        client = router.as_another()
        with streaming(client, min_tokens=3000) as lines:
            next(lines)
        try:
            client.wait_until_stored(QUESTION, min_tokens=3000, within_s=1.0)
        except TimeoutError:
            return False
        return True

    assert not all(is_kept() for _ in range(TRIES))


def test_a_stopped_sidecar_does_not_stop_answers(router: Demo) -> None:
    """The default pool gets the body unread, so it must know the model name auto."""
    pid = sidecar_of(router.process.pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = httpx.post(
            router.url + PATH,
            json={"model": "auto", "messages": [{"role": "user", "content": QUESTION}]},
            timeout=ANSWER_S,
            trust_env=False,
        )
    finally:
        os.kill(pid, signal.SIGCONT)
    assert answer.status_code == httpx.codes.OK
    assert answer.json()["model"] == "small"
    give_up_s = time.monotonic() + REJOIN_S
    while not router.ask(QUESTION).headers.get("x-router-cache"):
        assert time.monotonic() < give_up_s, "the sidecar did not rejoin"
        time.sleep(0.2)


@contextmanager
def streaming(router: Demo, **members: object) -> Iterator[Iterator[str]]:
    body = {"model": "auto", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0.7}
    with httpx.stream(
        "POST",
        router.url + PATH,
        json=body | {"stream": True} | members,
        headers={"authorization": f"Bearer {router.bearer}"},
        timeout=ANSWER_S,
        trust_env=False,
    ) as answer:
        assert answer.status_code == httpx.codes.OK
        yield (line for line in answer.iter_lines() if line)


def sidecar_of(demo_pid: int) -> int:
    """The demo's child that serves Envoy."""
    children = Path(f"/proc/{demo_pid}/task/{demo_pid}/children").read_text(encoding="ascii").split()
    named: Mapping[int, bytes] = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return next(pid for pid, words in named.items() if b"serve" in words.split(b"\0"))
