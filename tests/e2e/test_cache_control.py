"""Operators and the cache: the commands against a running sidecar, and what clients then see."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from router_extproc.testing.demo_process import Demo, running_demo

COMMAND_S = 60.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("control")) as demo:
        yield demo


@pytest.fixture
def demo(running: Demo) -> Demo:
    """The demo, asked by somebody who asked nothing yet."""
    return running.as_another()


def cache(demo: Demo, *words: str, code: int = 0) -> Any:  # Any: JSON
    """What `router-extproc cache` prints."""
    admin = demo.admin_url.removeprefix("http://")
    command = [sys.executable, "-m", "router_extproc", "cache", *words, "--admin", admin]
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, timeout=COMMAND_S, check=False
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if "--json" in words else done.stdout


def client_of(demo: Demo) -> tuple[str, str]:
    return "-H", f"authorization: Bearer {demo.bearer}"


def test_purged_client_is_answered_by_the_pool_again(demo: Demo) -> None:
    other = demo.as_another()
    demo.ask_and_store("Why is the sky blue?")
    other.ask_and_store("Why is the sky blue?")
    assert cache(demo, "purge", *client_of(demo), "--json")["problems"] == {}
    assert not demo.is_stored("Why is the sky blue?")
    assert other.is_stored("Why is the sky blue?")


def test_warmed_question_is_a_hit_for_its_client(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    question = "Which river flows through Paris?"
    # What a client sends beside its messages is part of the key: the demo's client gives a temperature.
    messages = [{"role": "user", "content": question}]
    request = {"model": "auto", "messages": messages, "temperature": 0.7}
    file.write_text(json.dumps({"request": request, "answer": "The Seine."}))
    assert cache(demo, "warm", str(file), *client_of(demo), "--json")["stored"] == 1
    exact, near = demo.ask(question), demo.ask("Which river flows through Paris")
    assert (exact.cache, exact.content) == ("hit-exact", "The Seine.")
    assert (near.cache, near.content) == ("hit-semantic", "The Seine.")


def test_export_purge_and_import_bring_the_answer_back(demo: Demo, tmp_path: Path) -> None:
    first = demo.ask_and_store("What is a volcano?")
    file = tmp_path / "cache.jsonl"
    cache(demo, "export", *client_of(demo), "--output", str(file))
    cache(demo, "purge", *client_of(demo))
    assert not demo.is_stored("What is a volcano?")
    assert cache(demo, "import", str(file), "--renew", "--json")["stored"] == 1
    again = demo.ask("What is a volcano?")
    assert (again.cache, again.content) == ("hit-exact", first.content)


def test_listed_entry_can_be_shown_and_purged(demo: Demo) -> None:
    demo.ask_and_store("What is a glacier?")
    (entry,) = cache(demo, "list", *client_of(demo), "--json")["entries"]
    assert cache(demo, "show", entry["fingerprint"], "--json")["prompt"] == "What is a glacier?"
    assert cache(demo, "purge", "--entry", entry["fingerprint"], "--json")["purged"] == 1
    assert cache(demo, "list", *client_of(demo), "--json")["total"] == 0


def test_nothing_that_was_said_is_logged(demo: Demo) -> None:
    demo.ask_and_store("What is a fjord called in Norway?")
    cache(demo, "list")
    cache(demo, "show", cache(demo, "list", *client_of(demo), "--json")["entries"][0]["fingerprint"])
    cache(demo, "purge", *client_of(demo))
    log = (demo.folder / "demo.log").read_text()
    assert "fjord" not in log
    assert demo.bearer not in log
