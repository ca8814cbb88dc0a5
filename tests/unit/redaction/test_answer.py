"""What changes the answer to a redacted request, text by text."""

from __future__ import annotations

import json

from router_extproc.dialects import DIALECTS
from router_extproc.redaction.answer import rewriter_of
from router_extproc.redaction.request import redact
from router_extproc.redaction.search import run_now
from router_extproc.routing.actions import Redaction

CHAT = DIALECTS["openai_chat"]


def test_arguments_of_calls_are_masked_as_json() -> None:
    asked = json.dumps(
        {"model": "auto", "messages": [{"role": "user", "content": "jo@example.com"}]}
    ).encode()
    rule = Redaction(("EMAIL_ADDRESS",), ("EMAIL_ADDRESS",))
    redacted = run_now(redact(asked, CHAT.texts(asked), rule))
    arguments = json.dumps({"to": "[EMAIL_ADDRESS_1]", "text": "Hello\nal@example.org"})
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    answer = json.dumps({"choices": [{"index": 0, "message": {"tool_calls": [call]}}]}).encode()
    rewriter = rewriter_of(redacted, CHAT, "application/json")
    assert rewriter is not None
    message = json.loads(rewriter.feed(answer, last=True))["choices"][0]["message"]
    told = json.loads(message["tool_calls"][0]["function"]["arguments"])
    assert told == {"to": "jo@example.com", "text": "Hello\n***"}
