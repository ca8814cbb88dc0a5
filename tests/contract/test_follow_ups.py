"""Follow-ups get the decision of their topic through the real signals, and new topics get their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals.complexity import ComplexitySettings
from router_extproc.signals.intent import IntentSettings
from router_extproc.testing.client import Client
from router_extproc.testing.router import LARGE, SMALL, fake_router

pytestmark = pytest.mark.asyncio

SAMPLES = Path(__file__).parents[1] / "samples" / "conversations" / "turns.jsonl"
#: A decision for each group of intents, and one for what is hard.
RULES: Mapping[str, object] = {
    "exact-sciences": {"domain": ["math", "physics", "engineering", "chemistry"]},
    "code": {"domain": ["computer science"]},
    "law": {"domain": ["law"]},
    "health": {"domain": ["health"]},
    "business": {"domain": ["business", "economics"]},
    "hard": {"complexity": {"min": 0.6}},
}
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Turn:
    """A user turn: what it is, its own decision, that within its conversation, and that of its topic."""

    kind: str
    alone: str
    within: str
    topic: str


def policy() -> Iterator[RoutingDecision]:
    for place, (name, rule) in enumerate(RULES.items()):
        target = LARGE if name in ("exact-sciences", "hard") else SMALL
        yield RoutingDecision(name, -place, read_rule(rule), (Candidate(target),), None)


@pytest.fixture(scope="module")
def client(encoder: OnnxEncoder) -> Client:
    classifiers = EncoderClassifiers(encoder)
    signals = (
        IntentSettings(type="intent", model="mmlu14").open("domain", classifiers),
        ComplexitySettings(type="complexity").open("complexity", classifiers),
    )
    return Client(fake_router(signals=signals, decisions=tuple(policy()), cached=False, encoder=encoder))


async def sent(client: Client, users: Sequence[str]) -> Mapping[str, str]:
    messages = [{"role": "user", "content": users[-1]}]
    for text in reversed(users[:-1]):
        messages[:0] = [{"role": "user", "content": text}, {"role": "assistant", "content": "So it is."}]
    answer = await client.ask({"model": "auto", "messages": messages})
    return {name: answer.sent_header(name) for name in ("x-router-decision", "x-router-model")}


async def played(client: Client, half: str) -> list[Turn]:
    """Every turn of the conversations of one half."""
    turns: list[Turn] = []
    for line in SAMPLES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        users: list[str] = []
        topic = DEFAULT
        for (kind, text), *_ in (turn.items() for turn in row["turns"] if row["half"] == half):
            users.append(text)
            alone = (await sent(client, [text]))["x-router-decision"]
            within = (await sent(client, users))["x-router-decision"]
            topic = topic if kind == "follow-up" else alone
            turns.append(Turn(kind, alone, within, topic))
    return turns


async def test_follow_ups_get_the_decision_of_their_topic(client: Client) -> None:
    """Floors under what docs/routing.md says, on the half by which no word was chosen."""
    turns = await played(client, "report")
    follow_ups = [turn for turn in turns if turn.kind == "follow-up"]
    decided = [turn for turn in follow_ups if turn.topic != DEFAULT]
    assert (len(follow_ups), len(decided)) == (80, 43)
    assert sum(turn.alone == turn.topic for turn in decided) <= 10
    assert sum(turn.within == turn.topic for turn in decided) >= 32
    assert sum(turn.within == turn.topic for turn in follow_ups) >= 64
    new = [turn for turn in turns if turn.kind == "new topic"]
    assert [turn for turn in new if turn.within != turn.alone] == []


@pytest.mark.parametrize(
    "text",
    ["why?", "And the next step?", "Thank you! Go on.", "Thanks, continue please", "und dann?", "为什么"],
)
async def test_a_follow_up_of_a_proof_goes_to_the_model_of_the_proof(client: Client, text: str) -> None:
    topic = "Prove that the square root of two is irrational."
    assert (await sent(client, [topic]))["x-router-model"] == LARGE.model
    assert (await sent(client, [topic, text]))["x-router-model"] == LARGE.model
    assert (await sent(client, [text]))["x-router-model"] == SMALL.model
