"""One request followed through the product: Envoy's access log and both lines of the sidecar."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pytest

from router_extproc.testing.demo_process import running_demo

PROMPT = "Which are the longest rivers of Atlantis?"
SECRET = "sk-live-0123456789"
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Logs:
    """What was logged while requests were sent, each in a trace of its own."""

    #: Name of the request to its trace.
    traces: dict[str, str]
    envoy: str
    sidecar: str

    def access(self, name: str) -> Line:
        """Envoy's line."""
        (line,) = [each for each in self.envoy.splitlines() if self.traces[name] in each]
        found: Line = json.loads(line)
        return found

    def lines(self, name: str) -> list[Line]:
        """The sidecar's lines."""
        lines: list[Line] = [json.loads(each) for each in self.sidecar.splitlines()]
        return [each for each in lines if each.get("trace_id") == self.traces[name]]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    folder = tmp_path_factory.mktemp("following")
    packaged = resources.files("router_extproc.demo").joinpath("router.yaml").read_text()
    config = folder / "asked.yaml"
    config.write_text(packaged + "\ntelemetry: {requests: all}\n")
    traces = {name: secrets.token_hex(16) for name in ("miss", "hit", "rejected", "streamed", "unnamed")}

    def of(name: str) -> dict[str, str]:
        return {"traceparent": f"00-{traces[name]}-00f067aa0ba902b7-01"}

    with running_demo(folder / "run", config=config) as demo:
        demo.ask(PROMPT, headers=of("miss"))
        demo.wait_until_stored(PROMPT)
        demo.ask(PROMPT, headers=of("hit"))
        demo.ask([], headers=of("rejected"))
        demo.ask(f"{PROMPT} {secrets.token_hex(4)}", headers=of("streamed"), stream=True)
        odd = {"traceparent": f"{SECRET}-{traces['unnamed']}", "x-request-id": f"an id of no form: {SECRET}"}
        demo.ask(PROMPT, headers=odd)
        run = demo.folder
    return Logs(traces, (run / "envoy.log").read_text(), (run / "sidecar.log").read_text())


def test_a_miss_is_two_lines_joined_to_envoys_by_the_request_id(logs: Logs) -> None:
    access, (decided, answered) = logs.access("miss"), logs.lines("miss")
    assert access["request_id"] == decided["request_id"] == answered["request_id"]
    assert (decided["event"], answered["event"]) == ("request decided", "request answered")
    assert access["model"] == decided["model"] == answered["model"]
    assert access["cluster"] == decided["cluster"]
    assert access["cache"] == decided["cache"] == "miss"
    assert answered["stored"] == "stored"
    assert decided["stages_ms"].keys() == {"signals", "cache"}


def test_a_hit_is_one_line_joined_to_envoys(logs: Logs) -> None:
    access, (decided,) = logs.access("hit"), logs.lines("hit")
    assert access["request_id"] == decided["request_id"]
    assert access["cache"] == decided["cache"] == "hit-exact"
    assert access["model"] == decided["model"] == logs.access("miss")["model"]
    assert access["decision"] == decided["decision"]


def test_a_rejected_request_is_one_line_joined_to_envoys(logs: Logs) -> None:
    access, (decided,) = logs.access("rejected"), logs.lines("rejected")
    assert access["request_id"] == decided["request_id"]
    assert access["status"] == decided["status"] == 400
    assert access["details"] == f"router_{decided['code']}"


def test_a_streamed_answer_has_its_times(logs: Logs) -> None:
    answered = logs.lines("streamed")[1]
    assert answered["streamed"]
    assert 0 < answered["ttft_ms"] <= answered["duration_ms"]


def test_no_line_holds_a_prompt_an_answer_or_a_credential(logs: Logs) -> None:
    text = logs.sidecar + logs.envoy
    assert "Atlantis" not in text
    assert "Bearer" not in text
    assert SECRET not in logs.sidecar
    assert logs.lines("unnamed") == []


def test_every_line_of_the_sidecar_is_json(logs: Logs) -> None:
    assert all(isinstance(json.loads(line), dict) for line in logs.sidecar.splitlines())
