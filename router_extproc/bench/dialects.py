"""Measures what reading a request body costs, by dialect and by length of the conversation.

One body at a time, on one thread, with everything that the pipeline asks of a dialect before any signal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from router_extproc.bench.prompts import Prompts
from router_extproc.dialects import DIALECTS
from router_extproc.llm.answer import JsonObject

#: Tokens of the prompt of a short request.
SHORT_TOKENS: Final = 32
#: Bytes of a long conversation's texts, and how many turns they are divided among.
LONG_BYTES: Final = 1 << 20
LONG_TURNS: Final = (9, 99, 999, 3999)
WARM_UP: Final = 3
#: Bodies that are read for each figure of a long conversation; of a short one a hundred times as many.
RUNS: Final = 20


@dataclass(frozen=True, slots=True)
class ParseCost:
    """Of one body, milliseconds."""

    dialect: str
    turns: int
    body_bytes: int
    p50_ms: float
    p95_ms: float


def _chat(messages: Sequence[JsonObject]) -> JsonObject:
    return {"model": "auto", "messages": [{"role": "system", "content": "Be brief."}, *messages]}


def _message(messages: Sequence[JsonObject]) -> JsonObject:
    return {"model": "auto", "max_tokens": 99, "system": "Be brief.", "messages": [*messages]}


def _response(messages: Sequence[JsonObject]) -> JsonObject:
    items = [{"type": "message", **message} for message in messages]
    return {"model": "auto", "instructions": "Be brief.", "store": False, "input": [*items]}


#: Dialects with conversations, and what a body of each is.
BODIES: Final[Mapping[str, Callable[[Sequence[JsonObject]], JsonObject]]] = {
    "openai_chat": _chat,
    "anthropic_messages": _message,
    "openai_responses": _response,
}


def conversation(turns: int, *, size_bytes: int = LONG_BYTES) -> list[JsonObject]:
    """Messages of user and assistant by turns, the user's last, of about this size together."""
    prompts, each_bytes = Prompts(), size_bytes // turns
    text = prompts.fresh(SHORT_TOKENS)
    filled = (text * (each_bytes // len(text) + 1))[:each_bytes]
    return [
        {"role": "assistant" if place % 2 else "user", "content": f"{place} {filled}"}
        for place in range(turns)
    ]


def measure_parse(*, runs: int = RUNS) -> Iterator[ParseCost]:
    """A short request of each dialect, then long ones; dialects vary fastest."""
    short: list[JsonObject] = [{"role": "user", "content": Prompts().fresh(SHORT_TOKENS)}]
    for name in BODIES:
        yield parse_cost(name, short, runs=100 * runs)
    for turns in LONG_TURNS:
        messages = conversation(turns)
        for name in BODIES:
            yield parse_cost(name, messages, runs=runs)


def parse_cost(name: str, messages: Sequence[JsonObject], *, runs: int) -> ParseCost:
    """The time that the dialect takes for one conversation: of its thread, so other programs do not count."""
    body, parse = orjson.dumps(BODIES[name](messages)), DIALECTS[name].parse
    seconds = []
    for _ in range(runs + WARM_UP):
        started_s = time.thread_time()
        parse(body)
        seconds.append(time.thread_time() - started_s)
    p50, p95 = np.quantile(seconds[WARM_UP:], [0.5, 0.95]) * 1000
    return ParseCost(name, len(messages), len(body), round(float(p50), 4), round(float(p95), 4))
