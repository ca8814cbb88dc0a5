"""The official client's completions in front of two real vLLM servers."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from router_extproc.testing.demo_process import Demo

pytestmark = pytest.mark.vllm

#: The tiny models go on with words behind a line break.
PROMPT = "What are the main renewable energy sources?\n"
#: More than they write before they end by themselves: a completion that is cut is not stored.
TOKENS_MAX = 3000
#: Else one in 25 answers would say nothing, and such a one is not stored.
SOMETHING = {"min_tokens": 8}


@pytest.fixture
def client(router: Demo) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{router.url}/v1", api_key=router.bearer, max_retries=0) as made:
        yield made


def ask(
    client: openai.OpenAI, prompt: str | list[str] = PROMPT, **members: object
) -> tuple[openai.types.Completion, str]:
    raw = client.completions.with_raw_response.create(
        **{
            "model": "auto",
            "prompt": prompt,
            "max_tokens": TOKENS_MAX,
            "temperature": 0.7,
            "extra_body": SOMETHING,
        }
        | members  # type: ignore[arg-type] # plain
    )
    return raw.parse(), raw.headers["x-router-cache"]


def streamed(client: openai.OpenAI, prompt: str = PROMPT) -> tuple[list[openai.types.Completion], str]:
    with client.completions.create(
        model="auto", prompt=prompt, max_tokens=TOKENS_MAX, temperature=0.7,
        stream=True, stream_options={"include_usage": True}, extra_body=SOMETHING,
    ) as stream:  # fmt: skip
        return list(stream), stream.response.headers["x-router-cache"]


def said(events: list[openai.types.Completion]) -> str:
    return "".join(choice.text for event in events for choice in event.choices)


def test_an_answer_of_vllm_is_stored_and_replayed_in_both_forms(router: Demo, client: openai.OpenAI) -> None:
    first, cache = ask(client)
    assert (cache, first.choices[0].finish_reason) == ("miss", "stop")
    router.until(lambda: ask(client)[1] == "hit-exact")
    again, (events, how) = ask(client)[0], streamed(client)
    assert how == "hit-exact"
    assert first.choices[0].text == again.choices[0].text == said(events)
    assert first.usage is not None
    assert events[-1].usage is not None
    assert events[-1].usage.total_tokens == first.usage.total_tokens


def test_a_stream_of_vllm_is_stored(router: Demo, client: openai.OpenAI) -> None:
    events, cache = streamed(client)
    assert cache == "miss"
    router.until(lambda: ask(client)[1] == "hit-exact")
    assert ask(client)[0].choices[0].text == said(events)


def test_several_prompts_with_log_probabilities_are_replayed_whole(
    router: Demo, client: openai.OpenAI
) -> None:
    prompts = ["Sun:\n", "Wind:\n"]
    first, _ = ask(client, prompts, n=2, logprobs=2)
    router.until(lambda: ask(client, prompts, n=2, logprobs=2)[1] == "hit-exact")
    again, _ = ask(client, prompts, n=2, logprobs=2)
    assert len(again.choices) == 4
    assert again.choices == first.choices


def test_hard_prompts_go_to_the_other_server(client: openai.OpenAI) -> None:
    raw = client.completions.with_raw_response.create(
        model="auto", prompt="Prove that the square root of two is irrational.", max_tokens=20
    )
    assert raw.headers["x-router-model"] == "large"


def test_a_completion_that_is_cut_is_not_stored(client: openai.OpenAI) -> None:
    for _ in range(2):
        # The first token that this model draws may be the end.
        answer, cache = ask(client, max_tokens=1, extra_body={"ignore_eos": True})
        assert (answer.choices[0].finish_reason, cache) == ("length", "miss")


def test_an_error_of_vllm_reaches_the_client_as_it_is(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="suffix is only supported"):
        ask(client, suffix="end")
