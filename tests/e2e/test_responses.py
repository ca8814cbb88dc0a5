"""The Responses API through a real Envoy, with its official client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any  # of the client's request members

import openai
import pytest
from openai.types.responses import Response, ResponseFunctionToolCall, ResponseStreamEvent
from pydantic import TypeAdapter

from router_extproc.testing.demo_process import Demo, running_demo

QUESTION = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"
PROOF = "Prove that the square root of two is irrational."
TOOL: Any = {
    "type": "function",
    "name": "ls",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("responses") / "run") as running:
        yield running


@pytest.fixture
def client(demo: Demo, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    """Each test has a key of its own, so answers of its own."""
    with openai.OpenAI(base_url=f"{demo.url}/v1", api_key=request.node.name, max_retries=0) as made:
        yield made


def ask(client: openai.OpenAI, given: Any = QUESTION, **members: Any) -> tuple[Response, Any]:
    """The answer of one that keeps nothing, and its headers."""
    raw = client.responses.with_raw_response.create(
        **{"model": "auto", "input": given, "store": False, **members}
    )
    return raw.parse(), raw.headers


def stored(demo: Demo, client: openai.OpenAI, given: Any = QUESTION, **members: Any) -> Response:
    """The pool's answer, once the cache has it."""
    first, _ = ask(client, given, **members)
    demo.until(lambda: ask(client, given, **members)[1]["x-router-cache"] == "hit-exact")
    return first


def streamed(client: openai.OpenAI, cache: str) -> list[Any]:
    """The events, each of them valid, and what the cache did."""
    raw = client.responses.with_raw_response.create(model="auto", input=QUESTION, store=False, stream=True)
    assert raw.headers["x-router-cache"] == cache
    events: list[Any] = list(raw.parse())
    for event in events:
        EVENT.validate_python(event.model_dump(by_alias=True))
    return events


def test_a_question_goes_to_the_model_of_its_decision(client: openai.OpenAI) -> None:
    answer, headers = ask(client, PROOF)
    assert (headers["x-router-model"], answer.model) == ("large", "demo-large")


def test_a_hit_is_a_valid_answer_of_its_own(demo: Demo, client: openai.OpenAI) -> None:
    first = stored(demo, client, metadata={"run": "1"})
    again, headers = ask(client, metadata={"run": "2"}, instructions=None)
    assert headers["x-router-cache"] == "hit-exact"
    assert again.output_text == first.output_text
    assert again.id != first.id
    assert again.output[0].id != first.output[0].id
    assert again.usage is not None
    assert first.usage is not None
    assert again.usage.output_tokens == first.usage.output_tokens
    Response.model_validate(again.model_dump(by_alias=True), strict=True)


def test_a_rephrased_question_has_the_stored_answer(demo: Demo, client: openai.OpenAI) -> None:
    first = stored(demo, client)
    again, headers = ask(client, [{"role": "user", "content": REPHRASED}])
    assert headers["x-router-cache"] == "hit-semantic"
    assert again.output_text == first.output_text


def test_a_stored_answer_is_streamed_where_a_stream_was_asked_for(demo: Demo, client: openai.OpenAI) -> None:
    first = stored(demo, client)
    with client.responses.stream(model="auto", input=QUESTION, store=False) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert (
        "".join(event.delta for event in events if event.type == "response.output_text.delta")
        == first.output_text
    )
    assert final.output_text == first.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_a_streamed_answer_is_stored(demo: Demo, client: openai.OpenAI) -> None:
    live = streamed(client, "miss")
    demo.until(lambda: ask(client)[1]["x-router-cache"] == "hit-exact")
    assert (
        ask(client)[0].output_text
        == live[-1].response.output_text
        == streamed(client, "hit-exact")[-1].response.output_text
    )


def test_an_answer_that_a_pool_may_keep_is_nobody_elses(demo: Demo, client: openai.OpenAI) -> None:
    stored(demo, client)
    for members in ({"store": True}, {"store": openai.omit}, {"previous_response_id": "resp_0"}):
        headers = ask(client, **members)[1]
        assert headers["x-router-cache"] == "bypass"


def test_a_conversation_goes_on_with_the_model_that_answered(demo: Demo, client: openai.OpenAI) -> None:
    first, headers = ask(client, PROOF, store=True)
    assert headers["x-router-model"] == "large"
    demo.until(lambda: ask(client, "Thanks!", previous_response_id=first.id)[1]["x-router-model"] == "large")
    assert ask(client, "Thanks!", store=True)[1]["x-router-model"] == "small"


def test_an_answer_of_one_api_is_none_of_the_other(demo: Demo, client: openai.OpenAI) -> None:
    stored(demo, client)
    other = Demo(demo.url, demo.admin_url, demo.folder, demo.process, bearer=client.api_key)
    assert other.ask(QUESTION).cache == "miss"


def test_a_demanded_tool_is_called_streamed_or_not(client: openai.OpenAI) -> None:
    choice: Any = {"type": "function", "name": "ls"}
    answer, _ = ask(client, "List the files.", tools=[TOOL], tool_choice=choice)
    with client.responses.stream(
        model="auto", input="List the files.", tools=[TOOL], tool_choice=choice, store=False
    ) as stream:
        live = stream.get_final_response()
    for each in (answer, live):
        (call,) = each.output
        assert isinstance(call, ResponseFunctionToolCall)
        assert (call.name, call.arguments) == ("ls", "{}")


def test_an_unknown_model_is_the_apis_own_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="nobody")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_a_request_that_cannot_be_read_is_the_apis_own_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, [{"type": "message", "role": "user"}])
    assert caught.value.param == "input[0].content"


def test_an_error_of_envoys_is_the_apis_own_error(client: openai.OpenAI) -> None:
    """A body that is too large never reaches the sidecar."""
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, "x" * (17 * 1024 * 1024))
    assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")
