"""The shadow policy decides every request a second time, behind it and without effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.app.assemble import assemble
from router_extproc.config.model import Config
from router_extproc.config.router_policy import RouterPolicy
from router_extproc.config.translate import router_policy_of
from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.pipeline import shadow_policy
from router_extproc.pipeline.shadow_policy import ShadowDecision
from router_extproc.telemetry.metrics.exposition import expose
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.metrics.shadow_policy import OTHER, PAIRS_MAX
from router_extproc.testing.client import Client, chat
from router_extproc.testing.router import FakeRouter, fake_router

MODELS = {"small": {"cluster": "vllm_small"}, "large": {"cluster": "vllm_large"}}
URGENT = {"urgent": {"type": "keywords", "any": ["asap"]}}
#: No signal of these tests has a model behind it.
NO_MODELS = EncoderClassifiers(None)
TO_LARGE = [{"name": "hurry", "model": "large", "when": {"urgent": True}}]
PLAIN = {"version": 1, "default_model": "small", "models": MODELS}
WITH_RULE = {**PLAIN, "signals": URGENT, "decisions": TO_LARGE}


def policy_of(own: dict[str, object], shadow: dict[str, object]) -> RouterPolicy:
    return router_policy_of(Config.model_validate(own), Config.model_validate(shadow))


class Compared:
    """A router under a policy with a shadow, and what was counted of it."""

    def __init__(self, own: dict[str, object], shadow: dict[str, object]) -> None:
        plain, self.counted = fake_router(cached=False), list[ShadowDecision]()
        policy, application = policy_of(own, shadow), plain.application
        signals = tuple(settings.open(name, NO_MODELS) for name, settings in policy.signals.items())
        more = tuple(settings.open(name, NO_MODELS) for name, settings in policy.shadow_signals.items())
        resources = replace(application.resources, signals=signals, shadow_signals=more)
        surroundings = replace(application.surroundings, shadow_decided=self.counted.append)
        parts = assemble(resources, policy, application.learned, surroundings).parts
        self.router: FakeRouter = replace(plain, parts=parts)
        self.client = Client(self.router)

    async def ask(self, prompt: str, **members: object) -> str:
        """The model that it really goes to."""
        sent = await self.client.send(chat(prompt, **members))
        return sent.sent_header("x-router-model")

    async def compared(self) -> list[ShadowDecision]:
        await self.router.background.finish()
        return self.counted


async def test_a_rule_that_only_the_shadow_policy_has_is_counted_and_changes_nothing() -> None:
    both = Compared(PLAIN, WITH_RULE)
    assert await both.ask("asap, please") == "small"
    assert both.counted == [], "nothing happens on the way of the request"
    (found,) = await both.compared()
    assert found == ShadowDecision("default", "small", "hurry", "large")
    assert not found.is_same


async def test_readings_that_were_made_are_used_again() -> None:
    both = Compared(WITH_RULE, WITH_RULE)
    assert both.router.parts.pipeline.second is not None
    assert await both.ask("asap") == "large"
    assert await both.compared() == [ShadowDecision("hurry", "large", "hurry", "large")]


async def test_a_signal_of_the_same_name_that_is_another_one_is_read_anew() -> None:
    other = {**WITH_RULE, "signals": {"urgent": {"type": "keywords", "any": ["hello"]}}}
    both = Compared(WITH_RULE, other)
    assert await both.ask("asap") == "large"
    assert await both.ask("hello") == "small"
    first, second = await both.compared()
    assert (first.shadow_model, second.shadow_model) == ("small", "large")


async def test_a_decision_under_another_name_for_the_same_model_is_no_difference() -> None:
    assert ShadowDecision("a", "small", "b", "small").is_same
    assert not ShadowDecision("a", "small", "a", "large").is_same
    assert not ShadowDecision("a", "none", "b", "none").is_same
    assert ShadowDecision("a", "none", "a", "none").is_same


async def test_a_request_that_names_its_model_is_not_compared() -> None:
    both = Compared(PLAIN, WITH_RULE)
    assert await both.ask("asap", model="small") == "small"
    assert await both.compared() == []


async def test_more_bytes_than_may_wait_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_policy, "WAITING_BYTES_MAX", 200)
    both = Compared(PLAIN, WITH_RULE)
    for _ in range(3):
        await both.ask("asap " + "x" * 60)
    assert len(await both.compared()) == 1
    assert both.router.background.counts()["dropped"] == 2
    await both.ask("asap")
    assert len(await both.compared()) == 2, "what was compared makes room"


async def test_an_explained_request_is_not_compared() -> None:
    both = Compared(PLAIN, WITH_RULE)
    assert both.router.parts.pipeline.read_only().second is None


def lines(metrics: Metrics) -> list[str]:
    text = expose(metrics.registry, worker=0).decode()
    return [line for line in text.splitlines() if line.startswith("router_extproc_shadow_policy_decisions_")]


def test_what_would_differ_is_in_the_metrics() -> None:
    metrics = Metrics()
    metrics.shadow_policy.count(ShadowDecision("default", "small", "hurry", "large"))
    (line,) = lines(metrics)
    assert line == (
        'router_extproc_shadow_policy_decisions_total{decision="default",model="small",same="false",'
        'shadow_decision="hurry",shadow_model="large",worker="0"} 1.0'
    )
    metrics.shadow_policy.begin_anew()
    assert lines(metrics) == []


def test_pairs_of_large_policies_have_a_bound() -> None:
    metrics = Metrics()
    for number in range(PAIRS_MAX + 3):
        metrics.shadow_policy.count(ShadowDecision(f"d{number}", "small", "x", "small"))
    found = lines(metrics)
    assert len(found) == PAIRS_MAX + 1
    assert [line.endswith(" 3.0") for line in found if f'decision="{OTHER}"' in line] == [True]
