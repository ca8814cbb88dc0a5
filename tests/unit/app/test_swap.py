"""Another policy while requests wait and answers are on their way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from router_extproc.app.application import Application, build
from router_extproc.app.prepare import prepare
from router_extproc.app.resources import reopened
from router_extproc.config.model import Config
from router_extproc.config.router_policy import CoalescingLimits, RouterPolicy
from router_extproc.models.base import Classifiers
from router_extproc.pipeline.shadow_policy import ShadowDecision
from router_extproc.protocol.events import BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.modes import Role
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import read_rule
from router_extproc.signals.base import Signal, SignalSettings
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import PATH, Client, Sent, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import LARGE, SMALL, TARGETS, FakeRouter, Reports, fake_router, send_to


def without_waits(router: FakeRouter) -> RouterPolicy:
    """The router's policy, by which nobody waits for equal requests."""
    policy = router.application.policy
    return replace(policy, cache=replace(policy.cache, coalescing=None), version=2)


def all_to_large(router: FakeRouter) -> RouterPolicy:
    """The router's policy with another default."""
    policy = router.application.policy
    routing = Policy((), default=LARGE, fallbacks=policy.routing.fallbacks)
    return replace(policy, routing=routing, version=2)


async def waiting_for(client: Client, count: int) -> list[asyncio.Task[Sent]]:
    tasks = [asyncio.create_task(client.send(chat())) for _ in range(count)]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def test_a_reload_in_the_middle_of_a_coalesced_wait_loses_no_answer() -> None:
    """The answer comes by a stream that began under the new policy, by which nobody would wait."""
    before = fake_router(grace_s=0.0, wait_s=3600.0)
    client = Client(before)
    first = await client.send(chat())
    waiting = await waiting_for(client, 3)
    after = Client(before.swapped(without_waits(before)))
    assert not any(task.done() for task in waiting)
    after.answer(first, answer_json("Shared."))
    for task in waiting:
        sent = await asyncio.wait_for(task, 60.0)
        assert sent.cache == "hit-exact"
        assert json.loads(sent.immediate.body)["choices"][0]["message"]["content"] == "Shared."


async def test_a_request_that_waits_is_carried_out_by_the_policy_that_it_began_with() -> None:
    before = fake_router(grace_s=0.0, wait_s=3600.0)
    client = Client(before)
    first = await client.send(chat())
    (waiting,) = await waiting_for(client, 1)
    after = Client(before.swapped(all_to_large(before)))
    after.answer(first, b"{}", status=500)
    sent = await asyncio.wait_for(waiting, 60.0)
    assert sent.sent_header("x-router-model") == SMALL.model
    later = await after.send(chat("Another one?"))
    assert later.sent_header("x-router-model") == LARGE.model


async def test_new_requests_wait_as_the_new_policy_says() -> None:
    before = fake_router(grace_s=0.0)
    after = Client(before.swapped(without_waits(before)))
    sent = [await asyncio.wait_for(after.send(chat()), 60.0) for _ in range(2)]
    assert [each.cache for each in sent] == ["miss", "miss"]
    cache = replace(before.application.policy.cache, coalescing=CoalescingLimits(5.0, 10))
    again = Client(before.swapped(replace(before.application.policy, cache=cache)))
    assert await again.send(chat("Other"))
    (follower,) = [asyncio.create_task(again.send(chat("Other")))]
    await asyncio.sleep(0)
    assert not follower.done()
    follower.cancel()


async def test_what_is_stored_and_learned_outlives_a_reload() -> None:
    before = fake_router()
    await Client(before).ask(chat())
    after = Client(before.swapped(without_waits(before)))
    assert (await after.send(chat())).cache == "hit-exact"
    assert before.savings.total.hits == 1


async def test_known_pools_stay_down_when_the_models_change() -> None:
    before = fake_router(fallbacks={"small": "large"})
    before.traffic.heard(SMALL.cluster, "no_healthy_upstream")
    policy = before.application.policy
    fallbacks = policy.routing.fallbacks
    before.traffic.follow(TARGETS, {"large": "small", **fallbacks.models})
    assert before.traffic.states() == {LARGE.cluster: True, SMALL.cluster: False}
    before.traffic.follow(TARGETS, {})
    assert before.traffic.states() == {}


CONFIG = {
    "version": 1,
    "default_model": "small",
    "models": {"small": {"cluster": "s"}, "large": {"cluster": "l"}},
    "signals": {
        "kept": {"type": "keywords", "any": ["now"]},
        "changed": {"type": "keywords", "any": ["asap"]},
    },
    "decisions": [{"name": "x", "model": "large", "when": {"any": [{"kept": True}, {"changed": True}]}}],
}


CONFIGURED = Config.model_validate(CONFIG)


def signals(found: Sequence[Signal]) -> dict[str, Signal]:
    return {signal.name: signal for signal in found}


async def test_only_signals_that_changed_are_opened_anew() -> None:
    """Others may have a model behind them."""
    async with build(Config.model_validate(CONFIG), Reports(), clock=ManualClock()) as application:
        before = signals(application.resources.signals)
        more = {**CONFIG["signals"], "changed": {"type": "keywords", "any": ["soon"]}}  # type: ignore[dict-item]  # JSON
        router = await prepare(application, Config.model_validate({**CONFIG, "signals": more}), version=2)
        after = signals(router.resources.signals)
        assert after["kept"] is before["kept"]
        assert after["changed"] is not before["changed"]
        assert router.resources.cache is application.resources.cache


def test_a_rule_of_the_new_policy_is_in_force_at_once() -> None:
    router = fake_router()
    rule = read_rule({"urgent": True})
    policy = router.application.policy
    decided = send_to(LARGE, name="urgent", rule=rule)
    routing = Policy((decided,), default=SMALL, fallbacks=policy.routing.fallbacks)
    after = router.swapped(replace(policy, routing=routing, version=7))
    assert after.application.policy.version == 7
    assert after.parts.pipeline.policy is routing
    assert router.parts.pipeline.policy is not routing


async def test_a_reload_may_bring_a_shadow_policy() -> None:
    """It was not there at the start, and reads a signal that nobody else does."""
    counted: list[ShadowDecision] = []
    plain = Config.model_validate({**CONFIG, "decisions": []})
    shadow = Config.model_validate({**CONFIG, "shadow_policy": None})
    async with build(plain, Reports(), clock=ManualClock(), shadow_decided=counted.append) as application:
        application.swap(await prepare(application, plain, shadow, version=2))
        await asked(application, "now!")
        background = application.resources.shadow_background
        assert background is not None
        await background.finish()
        assert counted == [ShadowDecision("default", "small", "x", "large")]
        application.swap(await prepare(application, plain, version=3))
        await asked(application, "now!")
        assert background.counts().get("dropped") is None
        assert len(counted) == 1


async def asked(application: Application, prompt: str) -> None:
    """One request on its way in."""
    driver = application.drive(Role.DECIDE)
    headers = Headers(((":method", "POST"), (":path", PATH)))
    await driver.on_request_headers(RequestStarted(headers, last=False))
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": prompt}]}).encode()
    await driver.on_request_body(BodyReceived(body, last=True))


class OfAFolder(SignalSettings):
    """Settings that name a head's folder."""

    path_fields = ("model",)
    type: str = "of_a_folder"
    model: str

    def open(self, name: str, classifiers: Classifiers) -> Signal:
        """See SignalSettings; the head itself does not matter here."""
        del classifiers
        return KeywordsSignal(name, ["now"])


def test_a_head_that_was_trained_anew_is_opened_anew(tmp_path: Path) -> None:
    """Its folder has the same name as before."""
    router, manifest = fake_router(cached=False), tmp_path / "manifest.json"
    manifest.write_text("{}")
    settings = {"own": OfAFolder(model=str(tmp_path))}
    policy = replace(router.application.policy, signals=settings)
    first = reopened(router.application.resources, CONFIGURED, policy, {})
    same = reopened(first, CONFIGURED, policy, settings)
    assert same.signals[0] is first.signals[0]
    manifest.write_text('{"sha256": "1"}')
    assert reopened(same, CONFIGURED, policy, settings).signals[0] is not first.signals[0]
