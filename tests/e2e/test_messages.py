"""The Messages API through a real Envoy, with its official client."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest

from router_extproc.testing.demo_process import Demo, running_demo

QUESTION = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("messages") / "run") as running:
        yield running


@pytest.fixture
def client(demo: Demo, request: pytest.FixtureRequest) -> anthropic.Anthropic:
    """Each test has a key of its own, so answers of its own."""
    return anthropic.Anthropic(base_url=demo.url, api_key=request.node.name, max_retries=0)


def ask(
    client: anthropic.Anthropic, prompt: str, *, model: str = "auto"
) -> tuple[anthropic.types.Message, str]:
    raw = client.messages.with_raw_response.create(
        model=model, max_tokens=50, messages=[{"role": "user", "content": prompt}]
    )
    return raw.parse(), raw.headers["x-router-cache"]


def stored(demo: Demo, client: anthropic.Anthropic, prompt: str) -> anthropic.types.Message:
    """The pool's answer, once the cache has it."""
    first, _ = ask(client, prompt)
    demo.until(lambda: ask(client, prompt)[1] == "hit-exact")
    return first


def text_of(message: anthropic.types.Message) -> str:
    (block,) = message.content
    assert isinstance(block, anthropic.types.TextBlock)
    return block.text


def test_a_question_goes_to_the_model_of_its_decision(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.create(
        model="auto",
        max_tokens=50,
        messages=[{"role": "user", "content": "Prove that the square root of two is irrational."}],
    )
    assert raw.headers["x-router-model"] == "large"
    assert raw.parse().model == "demo-large"


def test_a_rephrased_question_has_the_stored_answer(demo: Demo, client: anthropic.Anthropic) -> None:
    first = stored(demo, client, QUESTION)
    again, cache = ask(client, REPHRASED)
    assert cache == "hit-semantic"
    assert (text_of(again), again.usage.output_tokens) == (text_of(first), first.usage.output_tokens)


def test_a_stored_answer_is_streamed_where_a_stream_was_asked_for(
    demo: Demo, client: anthropic.Anthropic
) -> None:
    first = stored(demo, client, QUESTION)
    with client.messages.stream(
        model="auto", max_tokens=50, messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        assert "".join(stream.text_stream) == text_of(first)
        assert stream.response.headers["x-router-cache"] == "hit-exact"
        assert stream.get_final_message().stop_reason == "end_turn"


def test_a_streamed_answer_is_stored(demo: Demo, client: anthropic.Anthropic) -> None:
    with client.messages.stream(
        model="auto", max_tokens=50, messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        streamed = "".join(stream.text_stream)
    demo.until(lambda: ask(client, QUESTION)[1] == "hit-exact")
    assert text_of(ask(client, QUESTION)[0]) == streamed


def test_an_answer_of_one_api_is_none_of_the_other(demo: Demo, client: anthropic.Anthropic) -> None:
    stored(demo, client, QUESTION)
    other = Demo(demo.url, demo.admin_url, demo.folder, demo.process, bearer=str(client.api_key))
    assert other.ask(QUESTION).cache == "miss"


def test_a_demanded_tool_is_called(client: anthropic.Anthropic) -> None:
    message = client.messages.create(
        model="auto",
        max_tokens=50,
        messages=[{"role": "user", "content": "List the files."}],
        tools=[{"name": "ls", "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": "ls"},
    )
    assert message.stop_reason == "tool_use"
    assert isinstance(message.content[0], anthropic.types.ToolUseBlock)


def test_an_unknown_model_is_the_apis_own_error(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(client, "Hi.", model="nobody")
    assert caught.value.body == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "The requested model does not exist here."},
    }


def test_an_error_of_envoys_is_the_apis_own_error(demo: Demo, client: anthropic.Anthropic) -> None:
    """A body that is too large never reaches the sidecar."""
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(client, "x" * (17 * 1024 * 1024))
    assert caught.value.status_code == 413
    assert caught.value.body == {
        "type": "error",
        "error": {
            "type": "request_too_large",
            "message": "The request body is larger than this gateway accepts.",
        },
    }
