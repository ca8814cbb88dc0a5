"""Agents' traffic against the whole pipeline with the shipped models: only the very same request is a hit.

Consecutive turns of an agent have nearly the same vector. Worst case: every answer is stored, as if the pool
never called a tool, and all agents share one tenant.
"""

from __future__ import annotations

import json

import pytest

from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.testing.client import Client
from router_extproc.testing.router import fake_router
from tests.contract.agent_traces import TRACES, Body


def test_there_are_enough_traces() -> None:
    """A hit rate over fewer would say little."""
    assert len(TRACES) >= 6
    assert sum(1 for trace in TRACES.values() for _ in trace()) >= 60


async def _wrong_and_hits(client: Client, bodies: list[Body]) -> tuple[list[Body], int]:
    seen: set[str] = set()
    wrong: list[Body] = []
    hits = 0
    for body in bodies:
        sent, text = await client.ask(body), json.dumps(body)
        hits += sent.cache != "miss"
        wrong += [body] * (sent.cache != "miss" and text not in seen)
        seen.add(text)
    return wrong, hits


@pytest.mark.parametrize("name", TRACES)
async def test_no_turn_of_an_agent_gets_another_turns_answer(name: str, encoder: OnnxEncoder) -> None:
    client = Client(fake_router(encoder=encoder, verifier=open_verifier()))
    bodies = list(TRACES[name]())
    wrong, hits = await _wrong_and_hits(client, bodies)
    repeated = len(bodies) - len({json.dumps(body) for body in bodies})
    assert (wrong, hits) == ([], repeated)


async def test_sessions_of_all_agents_do_not_answer_one_another(encoder: OnnxEncoder) -> None:
    """The second time around every request is an exact hit."""
    client = Client(fake_router(encoder=encoder, verifier=open_verifier()))
    bodies = [body for trace in TRACES.values() for body in trace()]
    wrong, _ = await _wrong_and_hits(client, bodies)
    assert wrong == []
    assert {(await client.ask(body)).cache for body in bodies} == {"hit-exact"}
