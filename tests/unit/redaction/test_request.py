"""A redacted request: no fact is left in it, and everything else is."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects import DIALECTS
from router_extproc.errors import RequestTooLarge
from router_extproc.redaction import placeholders
from router_extproc.redaction.request import Redacted, redact
from router_extproc.redaction.restore import Restorer
from router_extproc.redaction.search import run_now
from router_extproc.routing.actions import Redaction

MAIL, OTHER, CARD = "jo@example.com", "al@example.org", "4111111111111111"
RULE = Redaction(("EMAIL_ADDRESS", "CREDIT_CARD"))
CHAT = DIALECTS["openai_chat"]


def redacted(body: bytes, rule: Redaction = RULE) -> Redacted:
    return run_now(redact(body, CHAT.texts(body), rule))


def body_of(*messages: object, **members: object) -> bytes:
    return json.dumps({"model": "auto", "messages": messages, **members}).encode()


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def test_a_fact_becomes_a_placeholder() -> None:
    assert json.loads(redacted(body_of(user(f"I am {MAIL}."))).body)["messages"][0]["content"] == (
        "I am [EMAIL_ADDRESS_1]."
    )


def test_what_is_not_replaced_stays_byte_for_byte() -> None:
    body = (
        rb'{ "x":1.50,"messages" :[{"content":"Gr\u00fc\u00dfe \/ \ud83d\ude00 jo@example.com \t"'
        b',"role":"user"}]\n}'
    )
    assert redacted(body).body == body.replace(b"jo@example.com", b"[EMAIL_ADDRESS_1]")


def test_a_fact_spelled_with_escapes_is_found() -> None:
    body = body_of(user("x")).replace(b'"x"', rb'"jo\u0040example.com"')
    assert b"[EMAIL_ADDRESS_1]" in redacted(body).body
    assert b"example" not in redacted(body).body


def test_every_text_that_a_pool_reads_is_redacted() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"to": MAIL})}}
    body = body_of(
        {"role": "system", "content": f"You serve {MAIL}."},
        user([{"type": "text", "text": MAIL}, MAIL]),
        {"role": "assistant", "content": None, "reasoning_content": MAIL, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": MAIL},
        {"role": "odd", "content": MAIL, "name": MAIL},
        user("so?"),
        tools=[
            {"type": "function", "function": {"name": "f", "description": MAIL, "parameters": {"$x": MAIL}}}
        ],
        user=MAIL,
        metadata={"who else?": MAIL},
        documents=[{"title": MAIL}],
    )
    one = redacted(body)
    assert b"example" not in one.body
    assert {part.part for part in one.parts} == {
        "system",
        "user",
        "assistant",
        "tool_calls",
        "tool",
        "other",
        "tools",
    }
    assert sum(part.count for part in one.parts) == 13


def test_a_doubled_member_hides_nothing() -> None:
    body = (
        b'{"model":"a","messages":[{"role":"user","content":"jo@example.com","content":"hi"}],'
        b'"messages":[{"role":"user","content":"al@example.org"}]}'
    )
    assert b"example" not in redacted(body).body


def test_media_and_names_stay() -> None:
    image = {"type": "image_url", "image_url": {"url": f"https://x/{CARD}?{MAIL}"}}
    body = body_of(user([image]), model=CARD)
    assert redacted(body).body == body


def test_the_same_value_has_the_same_placeholder_in_all_turns() -> None:
    body = body_of(user(f"{MAIL} {OTHER}"), {"role": "assistant", "content": OTHER}, user(MAIL))
    said = [message["content"] for message in json.loads(redacted(body).body)["messages"]]
    assert said == ["[EMAIL_ADDRESS_1] [EMAIL_ADDRESS_2]", "[EMAIL_ADDRESS_2]", "[EMAIL_ADDRESS_1]"]


def test_a_further_turn_leaves_the_turns_before_it_as_they_were() -> None:
    """The pool's computed prefix keeps hitting, and tools behind the messages move no number."""
    tools = [{"type": "function", "function": {"name": "f", "description": "ask ops@example.net"}}]
    turns = [user(f"I am {MAIL}."), {"role": "assistant", "content": "Hi."}, user(f"And {OTHER}?")]
    short = json.loads(redacted(body_of(*turns[:1], tools=tools)).body)
    long = json.loads(redacted(body_of(*turns, tools=tools)).body)
    assert long["messages"][:1] == short["messages"]


def test_a_placeholder_that_the_client_wrote_stands_for_nothing() -> None:
    one = redacted(body_of(user(f"What is [email_address_1]? I am {MAIL}.")))
    assert b"I am [EMAIL_ADDRESS_2]." in one.body
    assert len(one.placeholders) == 1


def test_where_nothing_is_put_back_the_client_may_repeat_placeholders() -> None:
    one = redacted(
        body_of(user(f"I am {MAIL}. You said [EMAIL_ADDRESS_1]")), Redaction(RULE.kinds, restore=False)
    )
    assert b"I am [EMAIL_ADDRESS_1]." in one.body


def test_arguments_of_calls_stay_json() -> None:
    arguments = f'{{"card": {CARD}, "to": "jo\\u0040example.com", "n": [1, 2]}}'
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    one = json.loads(redacted(body_of(user("x"), {"role": "assistant", "tool_calls": [call]})).body)
    told = json.loads(one["messages"][1]["tool_calls"][0]["function"]["arguments"])
    assert told == {"card": "[CREDIT_CARD_1]", "to": "[EMAIL_ADDRESS_1]", "n": [1, 2]}


def test_secrets_that_are_only_masked_stay_and_are_known() -> None:
    one = redacted(body_of(user(f"{MAIL} {CARD}")), Redaction((), mask=("CREDIT_CARD",)))
    assert one.body == body_of(user(f"{MAIL} {CARD}"))
    assert one.known == {CARD}


def test_where_secrets_are_only_masked_any_brackets_may_be_in_the_request() -> None:
    body = body_of(user("What is xs[-1]?"))
    assert redacted(body, Redaction((), mask=("API_KEY",))).body == body


def test_too_many_different_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placeholders, "PLACEHOLDERS_MAX", 2)
    body = body_of(user(f"{MAIL} {OTHER} c@example.net"))
    with pytest.raises(RequestTooLarge):
        redacted(body)


def test_values_are_in_no_representation() -> None:
    assert "example" not in repr(redacted(body_of(user(MAIL))))


WORDS = st.lists(
    st.sampled_from(
        [MAIL, OTHER, CARD, "[EMAIL_ADDRESS_1]", "Grüße", "😀", '"', "\\", "\n", "and", "\u2028"]
    ),
    max_size=8,
)


@given(texts=st.lists(WORDS, min_size=1, max_size=4), ascii_only=st.booleans())
def test_no_fact_is_left_and_every_placeholder_leads_back(
    texts: list[list[str]], *, ascii_only: bool
) -> None:
    said = [" ".join(words) for words in texts]
    document = {"model": "auto", "messages": [user(text) for text in said]}
    one = redacted(json.dumps(document, ensure_ascii=ascii_only).encode())
    after = [message["content"] for message in orjson.loads(one.body)["messages"]]
    assert not any(value in one.body.decode() for value in (MAIL, OTHER, CARD))
    assert [Restorer(one.placeholders, one.tally).feed(text) for text in after] == said
