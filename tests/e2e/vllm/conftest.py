"""The demo in front of the two vLLM servers that `run.sh` started, and what the servers themselves saw."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest

from router_extproc.testing.demo_process import Demo, running_demo

_ANSWERED = re.compile(r'^vllm:request_success_total\{.*finished_reason="(\w+)".*\} (\S+)$', re.MULTILINE)


@pytest.fixture(scope="session")
def pools() -> Mapping[str, str]:
    """Name to URL of the servers."""
    text = os.environ.get("VLLM_POOLS")
    if not text:
        pytest.skip("needs two vLLM servers: make test-vllm starts them")
    return dict(word.split("=", 1) for word in text.split())


@pytest.fixture(scope="session")
def demo(pools: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    words = " ".join(f"{name}={url}" for name, url in pools.items())
    with running_demo(tmp_path_factory.mktemp("demo"), words) as running:
        yield running


@pytest.fixture
def router(demo: Demo) -> Demo:
    """Asked with an Authorization of its own, so that no test finds what another one stored."""
    return demo.as_another()


@pytest.fixture
def answered(pools: Mapping[str, str]) -> Callable[[], dict[str, int]]:
    """How many requests each server says it has answered so far."""

    def count(url: str) -> int:
        text = httpx.get(f"{url}/metrics", timeout=10.0, trust_env=False).text
        return sum(int(float(number)) for _, number in _ANSWERED.findall(text))

    return lambda: {name: count(url) for name, url in pools.items()}
