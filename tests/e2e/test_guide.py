"""The guide's quick test, with its two YAML files, against a real Milvus server and a real Envoy."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from router_extproc.testing.demo_process import Demo, Json, running_demo
from router_extproc.testing.milvus_process import MilvusServer

GUIDE = Path(__file__).parents[1] / "samples" / "guide"
CACHE = (GUIDE / "semantic_cache.yaml").read_text()
MILVUS = (GUIDE / "milvus.yaml").read_text()
ROUTER = """\
version: 1
default_model: small
virtual_models: [auto]
models: {small: {cluster: small, served_name: demo-small}, large: {cluster: large, served_name: demo-large}}
decisions: [{name: maths, priority: 1, when: {domain: [math]}, model: large}]
signals: {domain: {type: intent, model: mmlu14, min_score: 0.9}}
envoy: {clusters: {small: {endpoints: ["127.0.0.1:1"]}, large: {endpoints: ["127.0.0.1:2"]}}}
"""
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
QUESTION = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"


def guide(question: str) -> list[Json]:
    return [SYSTEM, {"role": "user", "content": question}]


@pytest.fixture
def files(tmp_path: Path, milvus_server: MilvusServer) -> Path:
    (tmp_path / "config" / "cache").mkdir(parents=True)
    (tmp_path / "config" / "cache" / "milvus.yaml").write_text(here(MILVUS, milvus_server))
    (tmp_path / "router.yaml").write_text(ROUTER + CACHE)
    return tmp_path


def in_milvus(demo: Demo) -> int | None:
    """Entries that Milvus has; None: not ready."""
    backend = httpx.get(f"{demo.admin_url}/readyz", trust_env=False).json()["cache"]["backend"]
    return backend["entries"] if backend["ready"] else None


def here(milvus: str, server: MilvusServer) -> str:
    """The guide's file, but for where Milvus is."""
    return milvus.replace("192.168.7.10", "127.0.0.1").replace("19530", str(server.port))


def test_the_quick_test_of_the_guide(files: Path) -> None:
    """Twice the same, then in other words; and once more after a restart of the sidecar."""
    with running_demo(files / "run", config=files / "router.yaml") as demo:
        client = Demo(demo.url, demo.admin_url, demo.folder, demo.process, bearer="test-token")
        first = client.ask_and_store(guide(QUESTION))
        second, rephrased = client.ask(guide(QUESTION)), client.ask(guide(REPHRASED))
        assert (first.cache, second.cache, rephrased.cache) == ("miss", "hit-exact", "hit-semantic")
        assert first.content == second.content == rephrased.content
        demo.until(lambda: in_milvus(demo) == 1)
    with running_demo(files / "again", config=files / "router.yaml") as demo:
        client = Demo(demo.url, demo.admin_url, demo.folder, demo.process, bearer="test-token")
        demo.until(lambda: in_milvus(demo) == 1)
        again = client.ask(guide(QUESTION))
        assert (again.cache, again.content) == ("hit-exact", first.content)
        assert client.ask(guide(REPHRASED)).cache == "hit-semantic"
        assert client.ask(guide("What are the main non-renewable energy sources?")).cache == "miss"
        assert demo.as_another().ask(guide(QUESTION)).cache == "miss"
