"""Asks a running vLLM and keeps its very bytes in tests/samples/vllm.

Not a test. `python tests/e2e/vllm/record.py http://127.0.0.1:PORT` asks the pool that `run.py --keep`
left running under the name "large"; every request is kept beside its answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import httpx

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "vllm"
GUIDE: Final = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What are the main renewable energy sources?"},
]
WEATHER: Final = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo", "Lima"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
STREAM: Final[dict[str, Any]] = {"stream": True}
WITH_USAGE: Final[dict[str, Any]] = {"stream": True, "stream_options": {"include_usage": True}}
TOOL: Final[dict[str, Any]] = {"tools": [WEATHER], "tool_choice": "required"}
NAMED: Final = {"type": "function", "function": {"name": "get_weather"}}


def requests(*, thinks: bool) -> dict[str, dict[str, Any]]:  # Any: JSON bodies
    """Sample name to request body, for the pool that thinks and the one that does not."""
    chat: dict[str, Any] = {"model": "large" if thinks else "small", "messages": GUIDE, "temperature": 0.7}
    both: dict[str, dict[str, Any]] = {"json": {}, "sse": STREAM, "sse-usage": WITH_USAGE}  # Any: likewise
    if thinks:
        return {f"reasoning.{name}": chat | more for name, more in both.items()} | {
            "tool-required.json": chat | TOOL,
            "tool-required.sse-usage": chat | TOOL | WITH_USAGE,
            "tool-named.json": chat | TOOL | {"tool_choice": NAMED},
        }
    length = {"max_tokens": 2}
    return {f"chat.{name}": chat | more for name, more in both.items()} | {
        "two-choices.json": chat | {"n": 2},
        "two-choices.sse-usage": chat | {"n": 2} | WITH_USAGE,
        "logprobs.json": chat | {"logprobs": True, "top_logprobs": 2},
        "length.json": chat | length,
        "length.sse": chat | length | STREAM,
        "usage-each-chunk.sse": chat
        | {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
        "error-model.json": chat | {"model": "nobody"},
        "error-empty.json": chat | {"messages": []},
        "error-type.json": chat | {"temperature": "warm"},
        "error-too-long.json": chat | {"max_tokens": 100_000},
    }


def record(pool: str) -> None:
    """Write NAME.request.json and NAME.KIND, the answer's body as it came, for every request."""
    thinks = httpx.get(f"{pool}/v1/models").json()["data"][0]["id"] == "large"
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for name, body in requests(thinks=thinks).items():
        answer = httpx.post(f"{pool}/v1/chat/completions", json=body, timeout=60)
        stem, kind = name.split(".")
        file = SAMPLES / (f"{stem}.json" if kind == "json" else f"{stem}{kind.removeprefix('sse')}.sse")
        file.write_bytes(answer.content)
        file.with_suffix(".request.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"{answer.status_code} {answer.headers['content-type']} {file.name}\n")


if __name__ == "__main__":
    record(sys.argv[1])
