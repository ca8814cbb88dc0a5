"""The official OpenAI client's Responses API in front of two real vLLM servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any  # of the client's request members

import openai
import pytest
from openai.types.responses import Response, ResponseFunctionToolCall

from router_extproc.testing.demo_process import Demo

pytestmark = pytest.mark.vllm

QUESTION = "What are the main renewable energy sources?"
#: More than the tiny model writes before it ends by itself.
TOKENS_MAX = 3000
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo", "Lima"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


@pytest.fixture
def client(router: Demo) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{router.url}/v1", api_key=router.bearer, max_retries=0) as made:
        yield made


def ask(client: openai.OpenAI, given: Any = QUESTION, **members: Any) -> tuple[Response, Any]:
    wanted = {"model": "auto", "input": given, "store": False, "max_output_tokens": TOKENS_MAX, **members}
    raw = client.responses.with_raw_response.create(**wanted)
    return raw.parse(), raw.headers


def streamed(client: openai.OpenAI) -> Response:
    with client.responses.stream(
        model="auto", input=QUESTION, store=False, max_output_tokens=TOKENS_MAX
    ) as stream:
        return stream.get_final_response()


def test_an_answer_of_vllm_is_stored_and_replayed_in_both_forms(router: Demo, client: openai.OpenAI) -> None:
    first, headers = ask(client)
    assert (headers["x-router-cache"], first.status) == ("miss", "completed")
    router.until(lambda: ask(client)[1]["x-router-cache"] == "hit-exact")
    again, live = ask(client)[0], streamed(client)
    assert first.output_text == again.output_text == live.output_text
    assert len({first.id, again.id, live.id}) == 3
    assert first.usage is not None
    assert live.usage is not None
    assert first.usage.output_tokens == live.usage.output_tokens


def test_a_stream_of_vllm_is_stored(router: Demo, client: openai.OpenAI) -> None:
    first = streamed(client)
    router.until(lambda: ask(client)[1]["x-router-cache"] == "hit-exact")
    assert ask(client)[0].output_text == first.output_text


def test_thinking_aloud_is_replayed_too(router: Demo, client: openai.OpenAI) -> None:
    first, headers = ask(client, model="large")
    assert headers["x-router-model"] == "large"
    router.until(lambda: ask(client, model="large")[1]["x-router-cache"] == "hit-exact")
    again = ask(client, model="large")[0]
    thoughts = [[each.model_dump(exclude={"id"}) for each in answer.output] for answer in (first, again)]
    assert thoughts[0] == thoughts[1]
    assert first.output[0].type == "reasoning"


def test_an_answer_that_was_cut_is_not_stored(client: openai.OpenAI) -> None:
    for _ in range(2):
        answer, headers = ask(client, max_output_tokens=2, model="large")
        assert (answer.status, headers["x-router-cache"]) == ("incomplete", "miss")


def test_a_demanded_tool_is_called_and_its_result_gone_on_from(client: openai.OpenAI) -> None:
    answer, headers = ask(client, "And in Oslo?", model="large", tools=[TOOL], tool_choice="required")
    calls = [item for item in answer.output if isinstance(item, ResponseFunctionToolCall)]
    assert calls[0].name == "get_weather"
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": "rain"} for call in calls]
    given: list[Any] = [{"role": "user", "content": "And in Oslo?"}, *calls, *results]
    after, headers = ask(client, given, model="large", tools=[TOOL])
    assert (headers["x-router-model"], after.object) == ("large", "response")


def test_errors_of_vllm_and_of_the_router_are_the_apis_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client, background=True, store=False)
    with pytest.raises(openai.NotFoundError):
        ask(client, model="nobody")
