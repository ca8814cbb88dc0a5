"""The bodies that `bench dialects` times are what its table says."""

from __future__ import annotations

import orjson
import pytest

from router_extproc.bench.dialects import BODIES, LONG_BYTES, conversation, measure_parse, parse_cost
from router_extproc.dialects import DIALECTS


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("turns", [1, 99])
def test_a_body_is_one_conversation_of_the_size_and_length(name: str, turns: int) -> None:
    messages = conversation(turns)
    body = orjson.dumps(BODIES[name](messages))
    request = DIALECTS[name].parse(body)
    assert (len(request.history) + 1, request.prompt_is_last) == (turns, True)
    assert LONG_BYTES * 0.99 < len(body) < LONG_BYTES * 1.1


def test_a_cost_tells_what_was_read() -> None:
    cost = parse_cost("openai_chat", conversation(3, size_bytes=300), runs=5)
    assert (cost.dialect, cost.turns) == ("openai_chat", 3)
    assert 0 < cost.p50_ms <= cost.p95_ms


def test_every_dialect_is_measured_short_and_long() -> None:
    first = next(iter(measure_parse(runs=1)))
    assert (first.dialect, first.turns) == ("openai_chat", 1)
