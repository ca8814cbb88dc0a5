"""Decisions that change a request, refuse it or answer it, through a real Envoy."""

from __future__ import annotations

import openai
import pytest

from router_extproc.testing.client import answer_json
from router_extproc.testing.stack import PATH, Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/json"}
#: With escapes, white space, number spelling and a doubled member of the client's own.
BODY = (
    rb' { "model":"auto", "x": 1.50E+3, "x":-0 ,"n" : 7,"logprobs": true,' + b"\n\t"
    rb'"messages" :[ {"role": "system","content":"\u0041\/" },'
    rb' {"role":"user","content":"research \ud83d\ude00"} ] } '
)
SENT = (
    rb' {"temperature":0,"max_tokens":1024, "model":"tiny-large", "x": 1.50E+3, "x":-0 ,"n" : 1,' + b"\n\t"
    rb'"messages" :[ {"role": "system","content":"Answer briefly.\n\n\u0041\/" },'
    rb' {"role":"user","content":"research \ud83d\ude00"} ] } '
)


def client(stack: Stack) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{stack.envoy.url}/v1", api_key="of-the-test", max_retries=0)


async def test_the_pool_gets_the_changes_and_every_other_byte(stack: Stack) -> None:
    reply = await stack.send("POST", PATH, data=BODY, headers={**JSON, "x-team": "forged"})
    assert (reply.status, reply.headers["x-router-decision"]) == (200, "research")
    (request,) = stack.large.requests
    assert request.body == SENT
    assert request.headers["content-length"] == str(len(SENT))
    assert request.headers["x-team"] == "research"


async def test_the_official_client_gets_the_answer_to_a_changed_request(stack: Stack) -> None:
    stack.large.answer.pieces = (answer_json("Briefly: yes."),)
    async with client(stack) as one:
        answer = await one.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "research it"}], n=3
        )
    assert answer.choices[0].message.content == "Briefly: yes."
    assert b'"Answer briefly."' in stack.large.requests[0].body


@pytest.mark.parametrize("model", ["auto", "small"])
async def test_a_refusal_is_an_error_of_the_official_client(stack: Stack, model: str) -> None:
    """Also for a client that names a model."""
    async with client(stack) as one:
        with pytest.raises(openai.APIStatusError) as caught:
            await one.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "something forbidden"}]
            )
    assert (caught.value.status_code, caught.value.code) == (451, "request_blocked")
    assert "Not here." in caught.value.message
    assert not stack.small.requests + stack.large.requests


async def test_a_fixed_text_is_an_answer_and_a_stream_of_the_official_client(stack: Stack) -> None:
    messages = [{"role": "user", "content": "your opening hours"}]
    async with client(stack) as one:
        answer = await one.chat.completions.create(model="auto", messages=messages)  # type: ignore[arg-type] # a literal
        stream = await one.chat.completions.create(model="auto", messages=messages, stream=True)  # type: ignore[arg-type] # likewise
        pieces = [event.choices[0].delta.content or "" async for event in stream if event.choices]
    assert answer.choices[0].message.content == "From 9 to 17."
    assert "".join(pieces) == "From 9 to 17."
    assert not stack.small.requests + stack.large.requests
