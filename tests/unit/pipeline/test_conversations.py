"""How conversations and agents' requests are routed, and what the cache makes of their asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router_extproc.routing.rules import read_rule
from router_extproc.signals.base import Reading, Subject
from router_extproc.signals.conversation import ConversationSettings
from router_extproc.signals.keywords import KeywordsSettings
from router_extproc.testing.client import Client, chat
from router_extproc.testing.fake_encoder import FakeEncoder, RememberingEncoder
from router_extproc.testing.router import LARGE, SMALL, fake_router, send_to

pytestmark = pytest.mark.asyncio

PROOF = "Prove that the square root of two is irrational."
REMINDER = "<system-reminder>\nToday is {}.\n</system-reminder>"
Message = Mapping[str, object]


class Topic:
    """Finds a proof in the text that was encoded. Fits signals.base.Signal."""

    name = "topic"
    needs_encoding = True
    needs_tasks = False

    def read(self, subject: Subject) -> Reading:
        found = subject.encoding is not None and "Prove" in subject.ask.reading
        return Reading(self.name, "proof" if found else None, float(found))


PROOFS = send_to(LARGE, name="proofs", rule=read_rule({"topic": "proof"}))
SMALL_TALK = send_to(SMALL, name="small-talk", rule=read_rule({"thanks": True}))


def client(encoder: FakeEncoder | None = None, *, cached: bool = True) -> Client:
    thanks = KeywordsSettings(type="keywords", any=("thank you",)).open("thanks", _NONE)
    router = fake_router(
        signals=[Topic(), thanks], decisions=[SMALL_TALK, PROOFS], encoder=encoder, cached=cached
    )
    return Client(router)


#: Of signals that need no classifier.
_NONE: Any = None


def said(*users: str) -> list[Message]:
    """The messages of a conversation."""
    messages: list[Message] = []
    for text in users:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": "So it is."}]
    return messages[:-1]


def body(messages: Sequence[Message], **members: object) -> dict[str, object]:
    return {"model": "auto", "messages": messages, **members}


@pytest.mark.parametrize("text", ["why?", "And the next step?", "Thank you! Go on.", "Do it again in French"])
async def test_a_follow_up_is_routed_like_its_topic(text: str) -> None:
    sent = await client().send(body(said(PROOF, text)))
    assert sent.sent_header("x-router-decision") == "proofs"


async def test_thanks_alone_are_small_talk() -> None:
    sent = await client().send(body(said(PROOF, "Thank you!")))
    assert sent.sent_header("x-router-decision") == "small-talk"


async def test_a_picture_is_routed_to_a_pool_that_sees() -> None:
    settings = ConversationSettings.model_validate({"type": "conversation", "images": True})
    sees = send_to(LARGE, name="vision", rule=read_rule({"pictures": True}))
    one = Client(fake_router(signals=[settings.open("pictures", _NONE)], decisions=[sees]))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    question = {"type": "text", "text": "What is in this picture?"}
    sent = await one.send(body([{"role": "user", "content": [question, picture]}]))
    assert sent.sent_header("x-router-cluster") == "vllm_large"
    assert (await one.send(chat("What is a picture?"))).sent_header("x-router-cluster") == "vllm_small"


# ── tool loops ────────────────────────────────────────────────────────────────────────────────

CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": "thank you"}'}}
STEPS = st.lists(
    st.one_of(
        st.just({"role": "assistant", "content": None, "tool_calls": [CALL]}),
        st.builds(
            lambda text: {"role": "tool", "tool_call_id": "1", "content": text},
            st.sampled_from(["why?", "Thank you!", PROOF, "", "Error: no", REMINDER]),
        ),
        st.just({"role": "assistant", "content": "Thank you, I look at it."}),
    ),
    max_size=6,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    users=st.lists(st.sampled_from([PROOF, "why?", "Thank you!", "Hello"]), min_size=1, max_size=3),
    steps=STEPS,
)
async def test_no_step_of_a_tool_loop_changes_the_decision(users: list[str], steps: list[Message]) -> None:
    one, asked = client(cached=False), said(*users)
    first = await one.send(body(asked))
    last = await one.send(body([*asked, *steps]))
    assert last.sent_header("x-router-decision") == first.sent_header("x-router-decision")


# ── the cache ─────────────────────────────────────────────────────────────────────────────────


async def test_a_question_in_harness_is_matched_exactly_only() -> None:
    """Two reminders may differ in what no question tells."""
    one = client()
    await one.ask(chat(f"{REMINDER.format('Monday')}\nWhat is a cat?"))
    again = await one.send(chat(f"{REMINDER.format('Monday')}\nWhat is a cat?"))
    other = await one.send(chat(f"{REMINDER.format('Tuesday')}\nWhat is a cat?"))
    assert (again.cache, other.cache) == ("hit-exact", "miss")


async def test_a_plain_question_is_matched_semantically() -> None:
    """The counterpart of the test above: the fake encoder takes other white space for the same text."""
    one = client()
    await one.ask(chat("What is a cat?"))
    assert (await one.send(chat("What is a  cat?"))).cache == "hit-semantic"


async def test_an_ask_that_leans_is_matched_semantically_behind_equal_turns() -> None:
    one = client()
    await one.ask(body(said(PROOF, "Do it again in French")))
    assert (await one.send(body(said(PROOF, "Do it again in  French")))).cache == "hit-semantic"
    assert (await one.send(body(said("Hello", "Do it again in French")))).cache == "miss"


async def test_a_question_in_harness_is_encoded_once_without_it() -> None:
    encoder = RememberingEncoder()
    await client(encoder).ask(chat(f"{REMINDER}\nWhat is a cat?"))
    assert encoder.texts == ["What is a cat?"]


@pytest.mark.parametrize(
    ("facts", "status"), [({"turns": {"min": 1}}, "hit-exact"), ({"streamed": True}, "miss")]
)
async def test_where_streaming_decides_a_streamed_answer_is_another_one(
    facts: dict[str, object], status: str
) -> None:
    settings = ConversationSettings.model_validate({"type": "conversation", **facts})
    fast = send_to(LARGE, name="fast", rule=read_rule({"live": True}))
    one = Client(
        fake_router(
            signals=[settings.open("live", _NONE)], decisions=[fast], signal_settings={"live": settings}
        )
    )
    await one.ask(chat("What is a cat?"))
    assert (await one.send(chat("What is a cat?", stream=True))).cache == status
