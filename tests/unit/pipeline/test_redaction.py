"""A decision that redacts: the pool reads placeholders, the client reads what it wrote."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from router_extproc.pipeline.decision import Forward, Reject
from router_extproc.redaction import placeholders
from router_extproc.routing.actions import Redaction
from router_extproc.routing.rules import ALWAYS
from router_extproc.testing.client import PATH, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_envoy import FakeEnvoy, Forwarded, PoolAnswer, Profile, Received
from router_extproc.testing.router import SEMANTIC, SMALL, FakeRouter, fake_router, send_to

pytestmark = pytest.mark.asyncio

MAIL = "jo@example.com"
KEY = "sk-abcdefghijklmnopqrstuvwx"
RULE = Redaction(("EMAIL_ADDRESS",))
CODED = PoolAnswer((b"coded",), headers=(("content-encoding", "br"), ("content-type", "application/json")))


def router(rule: Redaction = RULE, clock: ManualClock | None = None) -> FakeRouter:
    decision = replace(send_to(SMALL, name="private", rule=ALWAYS), redaction=rule)
    off = replace(SEMANTIC, mode="off")
    return fake_router(decisions=[decision], own_cache_policies={"private": off}, clock=clock)


async def asked(
    prompt: str,
    answer: PoolAnswer | None = None,
    *,
    rule: Redaction = RULE,
    profile: Profile = "inline",
    on: FakeRouter | None = None,
) -> Received:
    said = answer or PoolAnswer((answer_json("Mail [EMAIL_ADDRESS_1]."),))
    envoy = FakeEnvoy((on or router(rule)).parts.drive, profile, lambda _: said)
    return await envoy.post(PATH, body=json.dumps(chat(prompt)).encode())


def sent(got: Received) -> Forwarded:
    assert got.forwarded is not None
    return got.forwarded


def content(got: Received) -> str:
    return str(json.loads(got.body)["choices"][0]["message"]["content"])


def events(*contents: str) -> PoolAnswer:
    chunks = [
        {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": each}}]}
        for each in contents
    ]
    last = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in (*chunks, last)]
    return PoolAnswer((*frames, b"data: [DONE]\n\n"), headers=(("content-type", "text/event-stream"),))


async def test_the_pool_reads_placeholders_and_the_client_what_it_wrote() -> None:
    got = await asked(f"I am {MAIL}.")
    assert b"I am [EMAIL_ADDRESS_1]." in sent(got).body
    assert json.loads(sent(got).body)["model"] == "tiny-small"
    assert content(got) == f"Mail {MAIL}."


async def test_an_answer_that_changes_has_no_content_length() -> None:
    headers = (("content-type", "application/json"), ("content-length", "999"))
    got = await asked(f"I am {MAIL}.", PoolAnswer((answer_json("[EMAIL_ADDRESS_1]"),), headers=headers))
    assert got.header("content-length") is None


async def test_a_streamed_answer_is_restored_across_events() -> None:
    got = await asked(f"I am {MAIL}.", events("Mail [EMAIL", "_ADDRESS_", "1]."))
    texts = [json.loads(line[6:]) for line in got.body.split(b"\n\n") if line.startswith(b"data: {")]
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in texts) == f"Mail {MAIL}."
    assert got.body.endswith(b"data: [DONE]\n\n")


async def test_the_pool_is_asked_not_to_compress() -> None:
    assert sent(await asked(f"I am {MAIL}.")).headers.get("accept-encoding") == "identity"


async def test_in_the_split_profile_nothing_is_put_back() -> None:
    got = await asked(f"I am {MAIL}.", profile="split", rule=replace(RULE, restore=False))
    assert b"[EMAIL_ADDRESS_1]" in sent(got).body
    assert content(got) == "Mail [EMAIL_ADDRESS_1]."


async def test_secrets_that_were_not_asked_with_are_masked() -> None:
    answer = PoolAnswer((answer_json(f"{KEY} and {MAIL}"),))
    got = await asked(f"I am {MAIL}.", answer, rule=Redaction((), ("API_KEY", "EMAIL_ADDRESS")))
    assert MAIL.encode() in sent(got).body
    assert content(got) == f"*** and {MAIL}"


async def test_secrets_are_masked_and_values_put_back_in_one_stream() -> None:
    rule = Redaction(("EMAIL_ADDRESS",), ("API_KEY",))
    got = await asked(
        f"I am {MAIL}.", events(f"{KEY[:5]}", f"{KEY[5:]} for [EMAIL_", "ADDRESS_1]."), rule=rule
    )
    texts = [json.loads(line[6:]) for line in got.body.split(b"\n\n") if line.startswith(b"data: {")]
    said = "".join(event["choices"][0]["delta"].get("content", "") for event in texts)
    assert said == f"*** for {MAIL}."


async def test_an_answer_that_cannot_be_read_passes_with_its_placeholders() -> None:
    assert (await asked(f"I am {MAIL}.", CODED)).body == b"coded"


async def test_an_answer_that_cannot_be_read_does_not_pass_where_secrets_are_masked() -> None:
    got = await asked("Hi.", CODED, rule=Redaction((), ("API_KEY",)))
    assert got.status == 503
    assert json.loads(got.body)["error"]["code"] == "router_unavailable"


async def test_what_was_replaced_is_told_by_kind_and_part_never_as_it_was() -> None:
    at = router()
    got = await asked(f"I am {MAIL}.", on=at)
    [report] = at.reports.decisions
    assert isinstance(report.decision, Forward)
    [part] = report.decision.explanation.redacted
    assert (part.kind, part.part, part.count) == ("EMAIL_ADDRESS", "user", 1)
    assert [note.stage for note in report.decision.explanation.stages] == ["redaction"]
    assert MAIL not in repr(report)
    [answered] = at.reports.answers
    assert answered.tally is not None
    assert answered.tally.restored == {"EMAIL_ADDRESS": 1}
    assert answered.stored == "not-asked"
    assert MAIL in content(got)


async def test_nothing_of_it_is_cached() -> None:
    at = router()
    await asked(f"I am {MAIL}.", on=at)
    got = await asked(f"I am {MAIL}.", on=at)
    assert sent(got).body


class RunningClock(ManualClock):
    """Each look at it takes a second."""

    def monotonic_s(self) -> float:
        self.advance(1.0)
        return super().monotonic_s()


async def test_what_is_not_redacted_in_time_does_not_leave() -> None:
    at = router(clock=RunningClock())
    got = await asked(f"I am {MAIL}.", on=at)
    assert (got.status, got.forwarded) == (503, None)
    assert json.loads(got.body)["error"]["code"] == "router_unavailable"
    assert got.header("retry-after") == "1"
    [report] = at.reports.decisions
    assert isinstance(report.decision, Reject)
    assert report.decision.explanation is not None
    assert [note.outcome for note in report.decision.explanation.stages] == ["timeout"]


async def test_a_request_with_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placeholders, "PLACEHOLDERS_MAX", 2)
    got = await asked("a@example.com b@example.com c@example.com")
    assert (got.status, got.forwarded) == (413, None)


@pytest.mark.parametrize("body", [{"prompt": [5, 6]}, {"prompt": [MAIL, [5]]}])
async def test_what_cannot_be_redacted_does_not_leave(body: dict[str, object]) -> None:
    envoy = FakeEnvoy(router().parts.drive, "split", lambda _: PoolAnswer((answer_json(),)))
    got = await envoy.post("/v1/completions", body=json.dumps({"model": "auto", **body}).encode())
    assert (got.status, got.forwarded) == (422, None)
    assert json.loads(got.body)["error"]["code"] == "unsupported_request"


async def test_every_prompt_of_a_completion_is_redacted() -> None:
    envoy = FakeEnvoy(router().parts.drive, "split", lambda _: PoolAnswer((answer_json(),)))
    body = {"model": "auto", "prompt": [f"Mail {MAIL}.", "Who?"], "suffix": MAIL}
    got = await envoy.post("/v1/completions", body=json.dumps(body).encode())
    assert json.loads(sent(got).body) == {
        "model": "tiny-small", "prompt": ["Mail [EMAIL_ADDRESS_1].", "Who?"], "suffix": "[EMAIL_ADDRESS_1]",
    }  # fmt: skip
