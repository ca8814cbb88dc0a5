"""The application as it is built from a configuration that needs no model."""

from __future__ import annotations

import json
from collections.abc import Sequence

from router_extproc.app.application import Application, build
from router_extproc.app.assemble import WARM_LIMITS, Surroundings, assemble
from router_extproc.config.model import Config
from router_extproc.config.translate import router_policy_of
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.exchange import RoutedExchange
from router_extproc.protocol.events import BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply
from router_extproc.protocol.modes import Role
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import Reports, fake_router

PATH = "/v1/chat/completions"
CONFIG = Config.model_validate(
    {
        "version": 1,
        "default_model": "small",
        "models": {"small": {"cluster": "s"}, "large": {"cluster": "l"}},
        "signals": {
            "urgent": {"type": "keywords", "any": ["now"]},
            "idle": {"type": "keywords", "any": ["now"]},
            # It would need a model that nobody has.
            "attack": {"type": "intent", "model": "no-such-head"},
        },
        "decisions": [{"name": "urgent", "model": "large", "when": {"urgent": True}}],
    }
)
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "now!"}]}).encode()


async def readings(application: Application) -> Sequence[str]:
    decision = await application.explain("POST", PATH, Headers(), BODY)
    assert isinstance(decision, Forward)
    assert decision.route.decision == "urgent"
    return [reading.name for reading in decision.explanation.readings]


async def test_a_signal_that_no_decision_looks_at_is_neither_opened_nor_read() -> None:
    """It costs time in every request, or a model at the start, and can change nothing."""
    async with build(CONFIG, Reports(), clock=ManualClock()) as application:
        assert await readings(application) == ["urgent"]
        assert [signal.name for signal in application.resources.signals] == ["urgent"]
        assert application.encoder is None


async def test_an_exchange_keeps_the_router_that_it_began_with() -> None:
    """Another policy may come while exchanges are under way."""
    async with build(CONFIG, Reports(), clock=ManualClock()) as application:
        begun = application.drive(Role.DECIDE)
        policy = router_policy_of(CONFIG.model_copy(update={"default_model": "large"}))
        surroundings = Surroundings(Reports(), ManualClock(), lambda: 0.5)
        application.current.router = assemble(
            application.resources, policy, application.learned, surroundings
        )
        assert application.policy is policy
        assert await cluster_of(begun) == "s"
        assert await cluster_of(application.drive(Role.DECIDE)) == "l"


async def cluster_of(driver: RoutedExchange) -> str:
    """Where a request goes that no decision takes."""
    headers = Headers(((":method", "POST"), (":path", PATH)))
    await driver.on_request_headers(RequestStarted(headers, last=False))
    reply = await driver.on_request_body(BodyReceived(BODY.replace(b"now!", b"later"), last=True))
    assert isinstance(reply, BodyReply)
    return dict(reply.mutation.overwrite)["x-router-cluster"]


def test_the_warming_pipeline_is_the_same_policy_with_other_limits() -> None:
    router = fake_router()
    assert router.warmer is not None
    pipeline, warming = router.parts.pipeline, router.warmer.pipeline
    assert warming.policy is pipeline.policy
    assert warming.replays.prices is pipeline.replays.prices
    assert (pipeline.budget_s, warming.budget_s) == (1.0, WARM_LIMITS.budget_s)


def test_a_known_answer_is_the_models_own_whether_its_pool_is_up_or_not() -> None:
    router = fake_router(fallbacks={"small": "large"})
    assert router.warmer is not None
    assert router.warmer.pipeline.traffic is None


def test_without_a_cache_nothing_is_warmed_and_nobody_waits() -> None:
    router = fake_router(cached=False)
    assert router.warmer is None
    assert router.parts.coalescing is None
