"""One session of each coding agent: own texts, in the wire shape of its requests.

Each is one question and a tool loop behind it; turn 0 is the question alone. Shapes: the agents' public
documentation and sources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

SAMPLES = Path(__file__).parents[1] / "samples"
Body: TypeAlias = dict[str, Any]
#: Says the word by which it is routed.
QUESTION = "Why does the maths test fail?"
#: What a tool found: words by which a question would be refused, or go elsewhere.
FOUND = "research: forbidden, opening, private"
#: 20 KB, with what JSON escapes and what it does not, and with those words.
SYSTEM = f"You edit code in a terminal: keep to “the plan”, \ttabs and all. \\ \u2028 🧑‍🌾 {FOUND}\n" * 200
BEARER = "Bearer of-the-test"
SESSION = "019a0000-0000-7000-8000-000000000000"
EPHEMERAL = {"cache_control": {"type": "ephemeral"}}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
#: Of every agent that has tools of its own, 50 in all.
TOOL_NAMES = ["read", "run", *(f"mcp__files__tool_{number}" for number in range(48))]


@dataclass(frozen=True)
class Agent:
    """What one agent sends, and gets."""

    path: str
    headers: Mapping[str, str]
    #: The request of one turn.
    body: Callable[[int], Body]
    #: The member with what was said and called.
    turns: str
    #: Streamed answers: with calls, and the last one.
    calls: bytes
    said: bytes
    #: How it writes JSON.
    separators: tuple[str, str] = (",", ":")
    escapes: bool = False

    def request(self, turn: int) -> bytes:
        """The bytes of one turn: all that was said and called before."""
        return self.written(self.body(turn))

    def written(self, body: Body) -> bytes:
        """A body as the agent writes it."""
        return json.dumps(body, ensure_ascii=self.escapes, separators=self.separators).encode()


def text(words: str, **more: object) -> Body:
    return {"type": "text", "text": words, **more}


def said(role: str, content: object, **more: object) -> Body:
    return {"role": role, "content": content, **more}


# ── Claude Code: Messages ──────────────────────────────────────────────────────────────────────


def claude_code(turn: int) -> Body:
    """The mark of what may be cached moves on with each turn, as the agent moves it."""
    reminder = text(f"<system-reminder>\nAs you answer, heed this: {FOUND}\n</system-reminder>\n")
    messages = [said("user", [reminder, text(QUESTION)])]
    for number in range(turn):
        messages += _messages_step(number)
    messages[-1]["content"][-1] |= EPHEMERAL
    tools = [{"name": name, "description": "x" * 200, "input_schema": SCHEMA} for name in TOOL_NAMES]
    return {
        "model": "auto",
        "messages": messages,
        "system": [text("You are a coding agent.", **EPHEMERAL), text(SYSTEM, **EPHEMERAL)],
        "tools": tools,
        "metadata": {"user_id": f"user_{'0' * 64}_account__session_{SESSION}"},
        "max_tokens": 32000,
        "thinking": {"type": "enabled", "budget_tokens": 31999},
        "stream": True,
    }


def _messages_step(number: int) -> list[Body]:
    calls = [
        {"type": "tool_use", "id": f"toolu_{number}{name}", "name": name, "input": {"path": "a.py"}}
        for name in ("read", "run")
    ]
    thinking = {"type": "thinking", "thinking": "Look at the test first.", "signature": f"Er{number}Ab+/=="}
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": FOUND, "is_error": False}
        for call in calls
    ]
    reminder = text(f"<system-reminder>\nThe todo list is empty: {FOUND}\n</system-reminder>")
    return [said("assistant", [thinking, text("I look."), *calls]), said("user", [*results, reminder])]


CLAUDE_CODE = Agent(
    "/v1/messages?beta=true",
    {
        "content-type": "application/json", "accept": "application/json", "authorization": BEARER,
        "anthropic-version": "2023-06-01", "x-app": "cli", "x-claude-code-session-id": SESSION,
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
        "user-agent": "claude-cli/2.0.0 (external, cli)", "x-stainless-helper-method": "stream",
    },
    claude_code,
    "messages",
    (SAMPLES / "anthropic_messages" / "tool-use.answer.sse").read_bytes(),
    (SAMPLES / "anthropic_messages" / "thinking.answer.sse").read_bytes(),
)  # fmt: skip

# ── Codex: Responses ───────────────────────────────────────────────────────────────────────────

_LOOP: Body = json.loads((SAMPLES / "openai_responses" / "agent-loop.request.json").read_bytes())


def codex(turn: int) -> Body:
    """Reasoning is encrypted; one tool takes free text."""
    asked = {"type": "message", **said("user", [{"type": "input_text", "text": QUESTION}])}
    before = [item for item in _LOOP["input"] if item.get("role") in {"developer", "user"}][:-1]
    steps = [item for number in range(turn) for item in _responses_step(number)]
    tools = [
        {"type": "function", "name": name, "strict": False, "description": "x" * 200, "parameters": SCHEMA}
        for name in TOOL_NAMES[2:]
    ]
    body = {**_LOOP, "instructions": SYSTEM, "input": [*before, asked, *steps]}
    return body | {"tools": [*_LOOP["tools"], *tools]}


def _responses_step(number: int) -> list[Body]:
    called, patched = f"call_{number}", f"p_{number}"
    return [
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": f"gAAAA{number}=="},
        {"type": "function_call", "name": "shell", "arguments": '{"command":["ls"]}', "call_id": called},
        {"type": "custom_tool_call", "status": "completed", "call_id": patched, "name": "apply_patch",
         "input": "*** Begin Patch\n*** End Patch"},
        {"type": "function_call_output", "call_id": called, "output": FOUND},
        {"type": "custom_tool_call_output", "call_id": patched, "output": '{"output":"","metadata":{}}'},
    ]  # fmt: skip


CODEX = Agent(
    "/v1/responses",
    {
        "content-type": "application/json", "accept": "text/event-stream", "authorization": BEARER,
        "originator": "codex_cli_rs", "session_id": SESSION,
    },
    codex,
    "input",
    (SAMPLES / "openai_responses" / "calls.answer.sse").read_bytes(),
    (SAMPLES / "openai_responses" / "openai.answer.sse").read_bytes(),
)  # fmt: skip

# ── OpenCode: chat completions with tools ──────────────────────────────────────────────────────

_CHAT_CALLS = (SAMPLES / "openai_chat" / "vllm-tools.answer.sse").read_bytes()
_CHAT_SAID = (SAMPLES / "openai_chat" / "openai.answer.sse").read_bytes()


def opencode(turn: int) -> Body:
    """What it attaches to a question stands beside it; several calls at once."""
    read = 'Called the Read tool with the following input: {"filePath":"/home/user/shop/a.py"}'
    question = [text(QUESTION), text(read), text(f"<system-reminder>\n{FOUND}\n</system-reminder>")]
    messages = [said("system", SYSTEM), said("user", question)]
    for number in range(turn):
        names = [f"call_{number}{name}" for name in ("read", "run")]
        calls = [
            {"id": name, "type": "function", "function": {"name": name[6:], "arguments": '{"path":"a.py"}'}}
            for name in names
        ]
        messages += [said("assistant", "", reasoning_content="Look.", tool_calls=calls)]
        messages += [said("tool", FOUND, tool_call_id=name) for name in names]
    tools = [
        {"type": "function", "function": {"name": name, "description": "x" * 200, "parameters": SCHEMA}}
        for name in TOOL_NAMES
    ]
    return {
        "model": "auto", "max_tokens": 32000, "messages": messages, "tools": tools, "tool_choice": "auto",
        "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip


OPENCODE = Agent(
    "/v1/chat/completions",
    {
        "content-type": "application/json", "authorization": BEARER,
        "user-agent": "opencode/1.0.0 ai-sdk/openai-compatible/1.0.0",
    },
    opencode,
    "messages",
    _CHAT_CALLS,
    _CHAT_SAID,
)  # fmt: skip

# ── Cline: chat completions, tools in the words of both sides ──────────────────────────────────


def cline(turn: int) -> Body:
    """Calls are tags in an answer, results are user messages, and each has the state of the editor."""
    state = text(f"<environment_details>\n# Visible Files\na.py\n{FOUND}\n</environment_details>")
    messages = [said("system", SYSTEM), said("user", [text(f"<task>\n{QUESTION}\n</task>"), state])]
    for _ in range(turn):
        messages += [
            said("assistant", "I look.\n<read_file>\n<path>a.py</path>\n</read_file>"),
            said("user", [text("[read_file for 'a.py'] Result:"), text(FOUND), state]),
        ]
    return {
        "model": "auto", "messages": messages, "temperature": 0, "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


CLINE = Agent(
    "/v1/chat/completions",
    {
        "content-type": "application/json", "accept": "application/json", "authorization": BEARER,
        "user-agent": "OpenAI/JS 4.96.0", "http-referer": "https://cline.bot", "x-title": "Cline",
    },
    cline,
    "messages",
    _CHAT_SAID,
    _CHAT_SAID,
)  # fmt: skip

# ── Aider: chat completions without tools ──────────────────────────────────────────────────────

_RULES = (
    "To suggest changes to a file you MUST return the entire content of the updated file.\n"
    f"Keep to the form: {FOUND}"
)


def aider(turn: int) -> Body:
    """Files come first, its rules behind the newest message; what checks said is a user message."""
    messages = [
        said("system", SYSTEM),
        said("user", "Make the greeting friendlier"),
        said("assistant", "a.py\n```\nprint('Hey')\n```"),
        said("user", f"Here are summaries of some files present in my git repository.\n\na.py:\n│{FOUND}"),
        said("assistant", "Ok."),
        said(
            "user",
            f"I have *added these files to the chat* so you can go ahead and edit them.\n\na.py\n{FOUND}",
        ),
        said("assistant", "Ok, any changes I propose will be to those files."),
        said("user", QUESTION),
    ]
    for number in range(turn):
        messages += [said("assistant", "a.py\n```\nprint(1)\n```"), said("user", _CHECKED[number % 3])]
    messages[-1]["content"] += f"\n\n{_RULES}"
    return {"messages": messages, "model": "auto", "stream": True, "temperature": 0}


_CHECKED = (
    f"# Fix any errors below, if possible.\n\n## Running: flake8 a.py\n\na.py:1: {FOUND}\n",
    f"I ran this command:\n\npytest\n\nAnd got this output:\n\n{FOUND}\n",
    f"# 1 SEARCH/REPLACE block failed to match!\n\n## {FOUND}",
)

AIDER = Agent(
    "/v1/chat/completions",
    {
        "content-type": "application/json", "accept": "application/json", "authorization": BEARER,
        "user-agent": "OpenAI/Python 1.99.1", "x-stainless-lang": "python",
    },
    aider,
    "messages",
    _CHAT_SAID,
    _CHAT_SAID,
    separators=(", ", ": "),
    escapes=True,
)  # fmt: skip

#: By name, as a test's parameters.
AGENTS: Mapping[str, Agent] = {
    "claude-code": CLAUDE_CODE,
    "codex": CODEX,
    "opencode": OPENCODE,
    "cline": CLINE,
    "aider": AIDER,
}
