"""Signals, decisions and reasoning as they come together in one request."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.errors import ModelError
from router_extproc.models.base import Encoding
from router_extproc.protocol.headers import REQUEST_HEADERS_BYTES_MAX, REQUEST_HEADERS_MAX
from router_extproc.routing.rules import read_rule
from router_extproc.signals.base import Reading, Subject
from router_extproc.signals.keywords import KeywordsSettings
from router_extproc.testing.client import Client, chat
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import LARGE, SEMANTIC, fake_router, send_to


class MathsSignal:
    """Reads "math" when the prompt says so, from the encoding's mere presence."""

    name = "domain"
    needs_encoding = True
    needs_tasks = False

    def read(self, subject: Subject) -> Reading:
        found = subject.encoding is not None and "solve" in subject.request.prompt
        return Reading(self.name, "math" if found else None, 1.0 if found else 0.0)


class CountingEncoder(FakeEncoder):
    """Counts its passes; fails when told."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.passes = 0
        self.broken = broken

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        self.passes += 1
        if self.broken:
            raise ModelError("encoder", "gone")
        return super().encode(text, tasks=tasks)


MATHS = send_to(LARGE, name="maths", rule=read_rule({"domain": "math"}), reasoning=True)


def client(encoder: CountingEncoder | None = None) -> Client:
    return Client(fake_router(signals=[MathsSignal()], decisions=[MATHS], encoder=encoder))


async def test_maths_and_small_talk_go_to_different_pools() -> None:
    maths = await client().send(chat("solve x + 1 = 2"))
    talk = await client().send(chat("how are you"))
    assert maths.sent_header("x-router-cluster") == "vllm_large"
    assert talk.sent_header("x-router-cluster") == "vllm_small"


async def test_one_encoder_pass_serves_signals_and_cache() -> None:
    encoder = CountingEncoder()
    await client(encoder).ask(chat("solve x + 1 = 2"))
    assert encoder.passes == 1


async def test_exact_hit_needs_no_inference() -> None:
    encoder = CountingEncoder()
    one = client(encoder)
    await one.ask(chat("solve x + 1 = 2"))
    assert (await one.send(chat("solve x + 1 = 2"))).cache == "hit-exact"
    assert encoder.passes == 1


async def test_failed_inference_still_forwards_with_a_rewritten_body() -> None:
    """Fail open: our own default decision, before Envoy's default route."""
    one = client(CountingEncoder(broken=True))
    sent = await one.send(chat("solve x + 1 = 2"))
    assert sent.sent_header("x-router-decision") == "default"
    assert json.loads(sent.forwarded.body or b"")["model"] == "tiny-small"
    (note,) = [
        n for n in one.router.reports.decisions[-1].decision.explanation.stages if n.stage == "signals"
    ]
    assert (note.outcome, note.reason) == ("error", "gone")


async def test_reasoning_is_switched_on_where_the_client_left_it_open() -> None:
    sent = await client().send(chat("solve x + 1 = 2"))
    assert json.loads(sent.forwarded.body or b"")["chat_template_kwargs"] == {"enable_thinking": True}


async def test_clients_own_reasoning_switch_is_kept() -> None:
    sent = await client().send(chat("solve x", chat_template_kwargs={"enable_thinking": False}))
    assert json.loads(sent.forwarded.body or b"")["chat_template_kwargs"] == {"enable_thinking": False}


async def test_pinned_request_reads_no_signal() -> None:
    one = client()
    await one.send(chat("solve x", model="small"))
    assert one.router.reports.decisions[-1].decision.explanation.readings == ()


NEITHER = "no-cache, no-store"


@pytest.mark.parametrize(
    ("body", "cache_control", "passes"),
    [
        (chat(model="small"), NEITHER, 0),
        (chat(model="small"), "no-cache", 1),
        (chat(model="small"), "no-store", 1),
        (chat(model="small", messages=[*chat()["messages"], {"role": "assistant", "content": "So"}]), "", 0),
        (chat("word " * 2000, model="small"), "", 0),
        (chat(), NEITHER, 1),
    ],
    ids=["neither", "only stored", "only looked up", "exact only", "too long for a vector", "routed"],
)
async def test_the_encoder_runs_only_for_what_reads_its_vector(
    body: object, cache_control: str, passes: int
) -> None:
    encoder = CountingEncoder()
    sent = await client(encoder).ask(body, cache_control=cache_control)
    assert encoder.passes == passes
    assert sent.sent_header("x-router-model") == "small"


@pytest.mark.parametrize(
    ("policy", "cache_control"),
    [
        (replace(SEMANTIC, mode="exact"), ""),
        (replace(SEMANTIC, mode="off"), ""),
        (SEMANTIC, NEITHER),
    ],
    ids=["exact", "off", "neither looked up nor stored"],
)
@pytest.mark.parametrize("model", ["auto", "small"])
async def test_a_request_without_signals_and_a_semantic_cache_needs_no_encoder(
    policy: CachePolicy, cache_control: str, model: str
) -> None:
    encoder = CountingEncoder()
    one = Client(fake_router(encoder=encoder, cache_policy=policy))
    sent = await one.ask(chat(model=model), cache_control=cache_control)
    assert encoder.passes == 0
    assert sent.sent_header("x-router-decision") == ("default" if model == "auto" else "pinned")


async def test_a_request_that_some_decision_matches_semantically_is_encoded() -> None:
    """Which decision takes it is known only after the signals were read."""
    encoder, exact = CountingEncoder(), replace(SEMANTIC, mode="exact")
    router = fake_router(
        encoder=encoder, decisions=[MATHS], cache_policy=exact, own_cache_policies={"maths": SEMANTIC}
    )
    await Client(router).send(chat())
    assert encoder.passes == 1


@pytest.mark.parametrize("prompt", ["", "   "])
async def test_prompt_without_words_is_routed_by_default(prompt: str) -> None:
    assert (await client().send(chat(prompt))).sent_header("x-router-decision") == "default"


async def test_a_decision_may_refuse_what_could_not_be_read() -> None:
    guarded = replace(MATHS, refuses_unread=True)
    router = fake_router(signals=[MathsSignal()], decisions=[guarded], encoder=CountingEncoder(broken=True))
    sent = await Client(router).send(chat("solve x + 1 = 2"))
    assert sent.immediate.status == 503
    assert dict(sent.immediate.headers)["retry-after"] == "1"
    assert json.loads(sent.immediate.body)["error"]["code"] == "router_unavailable"
    assert (await Client(router).send(chat("hi", model="small"))).sent_header("x-router-model") == "small"


async def test_a_refusal_needs_a_stage_that_failed() -> None:
    guarded = replace(MATHS, refuses_unread=True)
    router = fake_router(signals=[MathsSignal()], decisions=[guarded], encoder=CountingEncoder())
    assert (await Client(router).send(chat("hi"))).sent_header("x-router-model") == "small"
    assert (await Client(router).send(chat(""))).sent_header("x-router-model") == "small"


_NONE: Any = None
KEYWORDS = KeywordsSettings(type="keywords", any=("secret",))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"prompt": "Once"}, None),
        ({"prompt": ["Once", "upon"]}, None),
        ({"prompt": [5, 6]}, 422),
        ({"prompt": ["Once", [5]]}, 422),
        ({"prompt": "Once", "prompt_embeds": "AA=="}, 422),
    ],
)
async def test_what_only_the_model_can_read_is_unread(body: dict[str, object], status: int | None) -> None:
    """Else a guard would be passed by in the model's own numbers."""
    guarded = replace(send_to(LARGE, name="secret", rule=read_rule({"word": True})), refuses_unread=True)
    signal = KEYWORDS.open("word", _NONE)
    router = fake_router(signals=[signal], decisions=[guarded], signal_settings={"word": KEYWORDS})
    sent = await Client(router).send({"model": "auto", **body}, path="/v1/completions")
    if status is None:
        assert sent.sent_header("x-router-model") == "small"
    else:
        assert sent.immediate.status == status
        assert json.loads(sent.immediate.body)["error"]["code"] == "unsupported_request"


async def test_what_is_found_beside_tokens_counts() -> None:
    decision = replace(send_to(LARGE, name="secret", rule=read_rule({"word": True})), refuses_unread=True)
    signal = KEYWORDS.open("word", _NONE)
    router = fake_router(signals=[signal], decisions=[decision], signal_settings={"word": KEYWORDS})
    sent = await Client(router).send({"model": "auto", "prompt": ["secret", [5]]}, path="/v1/completions")
    assert sent.sent_header("x-router-decision") == "secret"


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions/", "/v1/chat/completions/?a=b", "/v1/chat/completions//"]
)
async def test_a_slash_at_the_end_hides_nothing(path: str) -> None:
    sent = await client().send(chat("solve x + 1 = 2"), path=path)
    assert sent.sent_header("x-router-model") == "large"


async def test_headers_that_leave_no_room_for_ours_are_refused_with_words() -> None:
    """Envoy would answer with an empty 500."""
    many = {f"x_h{number}": "v" for number in range(REQUEST_HEADERS_MAX)}
    long = {"x_h": "v" * REQUEST_HEADERS_BYTES_MAX}
    for headers in (many, long):
        refused = (await client().send(chat("hi"), **headers)).immediate
        assert (refused.status, json.loads(refused.body)["error"]["code"]) == (
            431,
            "request_headers_too_large",
        )
