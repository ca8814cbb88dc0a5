"""Traffic of coding and tool-calling agents, in the shapes that their harnesses send.

Each trace is the list of chat completion requests of one session, in order. Histories grow by what the model
and the tools said; harness blocks change between turns and sessions; some requests are sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Body = dict[str, Any]
Message = dict[str, Any]


def _said(role: str, content: Any) -> Message:
    return {"role": role, "content": content}


def _called(*calls: tuple[str, str, Mapping[str, object]]) -> Message:
    made = [
        {"id": name, "type": "function", "function": {"name": function, "arguments": json.dumps(arguments)}}
        for name, function, arguments in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def _result(name: str, content: str) -> Message:
    return {"role": "tool", "tool_call_id": name, "content": content}


def _tools(*names: str) -> list[Body]:
    return [{"type": "function", "function": {"name": name, "parameters": {}}} for name in names]


def _body(messages: Sequence[Message], **members: object) -> Body:
    return {"model": "auto", "messages": list(messages), **members}


# ── agents ────────────────────────────────────────────────────────────────────────────────────


def _reminder(branch: str, files: str, *, clock: str) -> str:
    return (
        f"<system-reminder>\nToday is {clock}. Current branch: {branch}\nModified: {files}\n"
        "Follow the instructions of the project.\n</system-reminder>\n"
    )


def harness_blocks() -> Iterator[Body]:
    """A terminal agent that puts its reminders into the user's message, and asks for titles on the side."""
    tools = _tools("Read", "Edit", "Bash", "Grep")
    system = _said("system", "You are a coding agent in a terminal.")
    for branch, files in (("main", "app.py"), ("develop", "app.py"), ("main", "api.py")):
        for task in ("Why does the login test fail?", "Why does the logout test fail?"):
            asked = [
                {"type": "text", "text": _reminder(branch, files, clock="Monday")},
                {"type": "text", "text": task},
            ]
            turns = [system, _said("user", asked)]
            yield _body(turns, tools=tools)
            turns += [_called(("a", "Read", {"path": files})), _result("a", f"1 import os  # {branch}")]
            yield _body(turns, tools=tools)
            turns += [_called(("b", "Bash", {"command": "pytest -x"})), _result("b", "1 failed, 3 passed")]
            yield _body(turns, tools=tools)
            yield _body([_said("system", "Summarise the task in five words."), _said("user", task)])


def parallel_tools() -> Iterator[Body]:
    """An SDK agent that calls two tools at once; their results differ by a figure, or come turned around."""
    system, tools = _said("system", "Answer with the weather tools."), _tools("weather", "forecast")
    for first, second in (("Oslo", "Rome"), ("Rome", "Oslo"), ("Oslo", "Bern")):
        for degrees in ("4", "14", "-4"):
            turns = [system, _said("user", f"Is it warmer in {first} or in {second}?")]
            if degrees == "4":
                yield _body(turns, tools=tools, parallel_tool_calls=True)
            turns += [
                _called(("1", "weather", {"city": first}), ("2", "weather", {"city": second})),
                _result("1", f"{degrees} degrees"),
                _result("2", "9 degrees"),
            ]
            yield _body(turns, tools=tools, parallel_tool_calls=True)


def scratchpad() -> Iterator[Body]:
    """A framework without native tools: thoughts, actions and observations grow inside one user message."""
    system = _said("system", "Use the format Thought, Action, Observation. Tools: search, calculator.")
    for city, people in (("Oslo", "709,000"), ("Oslo", "710,000"), ("Bergen", "291,000")):
        pad = f"Question: How many people live in {city}?\n"
        yield _body([system, _said("user", pad)], stop=["Observation:"])
        pad += f"Thought: I should look it up.\nAction: search\nAction Input: {city}\n"
        pad += f"Observation: {city} has {people} people.\n"
        yield _body([system, _said("user", pad)], stop=["Observation:"])
        pad += "Thought: I know it, but should check the source.\nAction: search\n"
        pad += f"Observation: the register says {people}.\n"
        yield _body([system, _said("user", pad)], stop=["Observation:"])


def edit_loop() -> Iterator[Body]:
    """An editor that sends the whole files as a user turn before each request, and the linter's output."""
    system = _said("system", "Reply with SEARCH/REPLACE blocks.")
    for value in ("10", "20", "30"):
        turns = [
            system,
            _said("user", f"These are the files:\nlimits.py\n```\nLIMIT = {value}\n```"),
            _said("assistant", "Ok."),
        ]
        for asked in (
            "Double the limit.",
            "Halve the limit.",
            "Rename LIMIT to limit.",
            "Rename limit to LIMIT.",
        ):
            yield _body([*turns, _said("user", asked)], temperature=0)
        turns += [_said("user", "Double the limit."), _said("assistant", "<<<<<<< SEARCH")]
        yield _body([*turns, _said("user", "The block did not match. Try again.")], temperature=0)
        yield _body([*turns, _said("user", "The block did not apply. Try again.")], temperature=0)


def environment_dumps() -> Iterator[Body]:
    """A sandbox agent: one user message per step, with the output of the command and the state around it."""
    system = _said("system", "You control a sandbox. Reply with one command.")
    for user in ("root", "guest"):
        turns = [
            system,
            _said("user", f"Task: make the tests pass.\n<env>user={user} cwd=/app shell=bash</env>"),
        ]
        for code, output in (("1", "E   assert 2 == 3"), ("1", "E   assert 3 == 2"), ("0", "3 passed")):
            yield _body(turns)
            turns = [
                *turns,
                _said("assistant", "pytest -q"),
                _said("user", f"<output exit={code}>\n{output}\n</output>\nWhat is the next command?"),
            ]
        yield _body(turns)


def one_shot_steps() -> Iterator[Body]:
    """A pipeline of agents without history: all of the state is in one prompt from a template."""
    system = _said("system", "You are one step of a workflow.")
    for status in ("open", "closed"):
        for owner in ("Alice", "Bob"):
            state = f"Ticket 17 is {status} and owned by {owner}."
            yield _body([system, _said("user", f"{state} Should I write to the customer?")])
            yield _body([system, _said("user", f"{state} Should I write to the engineer?")])
            yield _body([system, _said("user", f"{state} Which label should the ticket get?")])


def retries() -> Iterator[Body]:
    """A client that sends the very same request again after a timeout, in the middle of a tool loop."""
    tools = _tools("lookup")
    turns = [_said("user", "What does part 7 cost?")]
    for body in (
        _body(turns, tools=tools),
        _body([*turns, _called(("1", "lookup", {"part": 7})), _result("1", "12 EUR")], tools=tools),
        _body([*turns, _called(("1", "lookup", {"part": 7})), _result("1", "13 EUR")], tools=tools),
    ):
        yield body
        yield body


#: By name: one session of each agent.
TRACES: Mapping[str, Callable[[], Iterator[Body]]] = {
    "harness blocks": harness_blocks,
    "parallel tools": parallel_tools,
    "scratchpad": scratchpad,
    "edit loop": edit_loop,
    "environment dumps": environment_dumps,
    "one-shot steps": one_shot_steps,
    "retries": retries,
}
