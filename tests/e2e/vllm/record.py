"""Asks a running vLLM and keeps its very bytes in tests/samples.

Not a test. `python tests/e2e/vllm/record.py http://127.0.0.1:PORT` asks the pool that `run.py --keep`
left running under the name "large"; every request is kept beside its answer. With the word `completions`
behind the URL it asks that API, under the name "small"; with `responses` that one, under the name "large".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import httpx

SAMPLES: Final = Path(__file__).parents[2] / "samples"
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


def completions() -> dict[str, dict[str, Any]]:  # Any: JSON bodies
    """Sample name to request body of the completions API."""
    # A line break at the end: the tiny model goes on with words behind it.
    text: dict[str, Any] = {"model": "small", "prompt": "Renewable energy:\n", "temperature": 0.7}
    text |= {"max_tokens": 400, "seed": 7}
    forms: dict[str, dict[str, Any]] = {"json": {}, "sse": STREAM, "sse-usage": WITH_USAGE}  # Any: likewise
    several = {"prompt": ["Sun:\n", "Wind:\n"], "n": 2}
    logprobs = {"logprobs": 2, "echo": True, "max_tokens": 6}
    return {f"vllm-text.{name}": text | more for name, more in forms.items()} | {
        "vllm-several.json": text | several,
        "vllm-several.sse-usage": text | several | WITH_USAGE,
        "vllm-tokens.json": text | {"prompt": [87, 121, 114, 62, 14], "return_token_ids": True},
        "vllm-tokens.sse-usage": text
        | {"prompt": [87, 121, 114, 62, 14], "return_token_ids": True}
        | WITH_USAGE,
        "vllm-echo-logprobs.json": text | logprobs,
        "vllm-echo-logprobs.sse-usage": text | logprobs | WITH_USAGE,
        "vllm-stop.json": text | {"stop": ["wind", "."], "logprobs": 1},
        "vllm-stop.sse-usage": text | {"stop": ["wind", "."], "logprobs": 1} | WITH_USAGE,
        "vllm-length.json": text | {"max_tokens": 2},
        "vllm-length.sse": text | {"max_tokens": 2} | STREAM,
        "vllm-usage-each.sse": text
        | {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
        "vllm-error-model.json": text | {"model": "nobody"},
        "vllm-error-empty.json": text | {"prompt": ""},
        "vllm-error-type.json": text | {"prompt": {"text": "a"}},
        "vllm-error-suffix.json": text | {"suffix": "end"},
    }


def responses() -> dict[str, dict[str, Any]]:  # Any: JSON bodies
    """Sample name to request body of the Responses API."""
    asked: dict[str, Any] = {"model": "large", "store": False, "temperature": 0.7}
    asked |= {"instructions": GUIDE[0]["content"], "input": GUIDE[1]["content"]}
    function = {"type": "function", **WEATHER["function"]}
    tool: dict[str, Any] = {"tools": [function], "tool_choice": "required"}  # Any: likewise
    return {
        "vllm.json": asked,
        "vllm.sse": asked | STREAM,
        "vllm-tool.json": asked | tool,
        "vllm-tool.sse": asked | tool | STREAM,
        "vllm-length.json": asked | {"max_output_tokens": 20},
        "vllm-length.sse": asked | STREAM | {"max_output_tokens": 20},
        "vllm-logprobs.sse": asked
        | STREAM
        | {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    }


def record(pool: str) -> None:
    """Write NAME.request.json and NAME.KIND, the answer's body as it came, for every request."""
    thinks = httpx.get(f"{pool}/v1/models").json()["data"][0]["id"] == "large"
    for name, body in requests(thinks=thinks).items():
        stem, kind = name.split(".")
        file = (
            SAMPLES / "vllm" / (f"{stem}.json" if kind == "json" else f"{stem}{kind.removeprefix('sse')}.sse")
        )
        _record(f"{pool}/v1/chat/completions", body, file, file.with_suffix(".request.json"))


def record_completions(pool: str) -> None:
    """Write NAME.request.json and NAME.answer.KIND for every request."""
    folder = SAMPLES / "openai_completions"
    folder.mkdir(exist_ok=True)
    for name, body in completions().items():
        stem, kind = name.split(".")
        stem += kind.removeprefix("json").removeprefix("sse")
        file = folder / f"{stem}.answer.{kind.partition('-')[0]}"
        request = folder / f"{stem}-{kind.partition('-')[0]}.request.json"
        _record(f"{pool}/v1/completions", body, file, request)


def record_responses(pool: str) -> None:
    """Write NAME.request.json and NAME.answer.KIND for every request."""
    folder = SAMPLES / "openai_responses"
    folder.mkdir(exist_ok=True)
    for name, body in responses().items():
        stem, kind = name.split(".")
        request = folder / f"{stem}{'-streamed' if 'stream' in body else ''}.request.json"
        _record(f"{pool}/v1/responses", body, folder / f"{stem}.answer.{kind}", request)


def _record(url: str, body: dict[str, Any], file: Path, request: Path) -> None:  # Any: JSON bodies
    answer = httpx.post(url, json=body, timeout=60)
    file.write_bytes(answer.content)
    request.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{answer.status_code} {answer.headers['content-type']} {file.name}\n")


if __name__ == "__main__":
    if sys.argv[2:] == ["completions"]:
        record_completions(sys.argv[1])
    elif sys.argv[2:] == ["responses"]:
        record_responses(sys.argv[1])
    else:
        record(sys.argv[1])
