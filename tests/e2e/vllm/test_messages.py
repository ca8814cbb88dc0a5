"""The official Anthropic client in front of two real vLLM servers, which serve the Messages API, too."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest

from router_extproc.testing.demo_process import Demo

pytestmark = pytest.mark.vllm

QUESTION = "What are the main renewable energy sources?"
#: More than the tiny model writes before it ends by itself.
TOKENS_MAX = 3000


@pytest.fixture
def client(router: Demo) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=router.url, api_key=router.bearer, max_retries=0) as made:
        yield made


def ask(client: anthropic.Anthropic, prompt: str = QUESTION) -> tuple[anthropic.types.Message, str]:
    raw = client.messages.with_raw_response.create(
        model="auto", max_tokens=TOKENS_MAX, messages=[{"role": "user", "content": prompt}]
    )
    return raw.parse(), raw.headers["x-router-cache"]


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, anthropic.types.TextBlock))


def streamed(client: anthropic.Anthropic) -> tuple[anthropic.types.Message, str]:
    with client.messages.stream(
        model="auto", max_tokens=TOKENS_MAX, messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        return stream.get_final_message(), stream.response.headers["x-router-cache"]


def test_an_answer_of_vllm_is_stored_and_replayed_in_both_forms(
    router: Demo, client: anthropic.Anthropic
) -> None:
    first, cache = ask(client)
    assert (cache, first.stop_reason) == ("miss", "end_turn")
    router.until(lambda: ask(client)[1] == "hit-exact")
    again, (live, how) = ask(client)[0], streamed(client)
    assert how == "hit-exact"
    assert text_of(first) == text_of(again) == text_of(live)
    assert first.usage.output_tokens == again.usage.output_tokens == live.usage.output_tokens


def test_a_stream_of_vllm_is_stored(router: Demo, client: anthropic.Anthropic) -> None:
    first, cache = streamed(client)
    assert (cache, first.stop_reason) == ("miss", "end_turn")
    router.until(lambda: ask(client)[1] == "hit-exact")
    assert text_of(ask(client)[0]) == text_of(first)


def test_hard_questions_go_to_the_other_server(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.create(
        model="auto",
        max_tokens=20,
        messages=[{"role": "user", "content": "Prove that the square root of two is irrational."}],
    )
    assert raw.headers["x-router-model"] == "large"


def test_an_unknown_model_is_the_apis_own_error(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nobody", max_tokens=20, messages=[{"role": "user", "content": "Hi"}])
