"""The completions API through a real Envoy, with its official client."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from router_extproc.testing.demo_process import Demo, running_demo

QUESTION = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"
HARD = "Prove that the square root of two is irrational."


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("completions") / "run") as running:
        yield running


@pytest.fixture
def client(demo: Demo, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    """Each test has a key of its own, so answers of its own."""
    with openai.OpenAI(base_url=f"{demo.url}/v1", api_key=request.node.name, max_retries=0) as made:
        yield made


def ask(
    client: openai.OpenAI, prompt: str | list[str] | list[int], **members: object
) -> tuple[openai.types.Completion, str]:
    raw = client.completions.with_raw_response.create(
        **{"model": "auto", "prompt": prompt, "max_tokens": 50, **members}  # type: ignore[arg-type] # plain
    )
    return raw.parse(), raw.headers["x-router-cache"]


def stored(demo: Demo, client: openai.OpenAI, prompt: str | list[str] | list[int]) -> openai.types.Completion:
    """The pool's answer, once the cache has it."""
    first, _ = ask(client, prompt)
    demo.until(lambda: ask(client, prompt)[1] == "hit-exact")
    return first


def streamed(client: openai.OpenAI, prompt: str) -> tuple[list[openai.types.Completion], str]:
    with client.completions.create(
        model="auto", prompt=prompt, max_tokens=50, stream=True, stream_options={"include_usage": True}
    ) as stream:
        return list(stream), stream.response.headers["x-router-cache"]


def said(events: list[openai.types.Completion]) -> str:
    return "".join(choice.text for event in events for choice in event.choices)


def test_a_prompt_goes_to_the_model_of_its_decision(client: openai.OpenAI) -> None:
    raw = client.completions.with_raw_response.create(model="auto", prompt=HARD, max_tokens=50)
    assert raw.headers["x-router-model"] == "large"
    assert raw.parse().model == "demo-large"


def test_a_rephrased_prompt_has_the_stored_answer(demo: Demo, client: openai.OpenAI) -> None:
    first = stored(demo, client, QUESTION)
    again, cache = ask(client, REPHRASED)
    assert cache == "hit-semantic"
    assert again.choices[0].text == first.choices[0].text


def test_a_stored_answer_is_streamed_where_a_stream_was_asked_for(demo: Demo, client: openai.OpenAI) -> None:
    first = stored(demo, client, QUESTION)
    events, cache = streamed(client, QUESTION)
    assert cache == "hit-exact"
    assert said(events) == first.choices[0].text
    assert events[-1].usage is not None
    assert first.usage is not None
    assert events[-1].usage.total_tokens == first.usage.total_tokens


def test_a_streamed_answer_is_stored(demo: Demo, client: openai.OpenAI) -> None:
    events, _ = streamed(client, QUESTION)
    demo.until(lambda: ask(client, QUESTION)[1] == "hit-exact")
    assert ask(client, QUESTION)[0].choices[0].text == said(events)


@pytest.mark.parametrize("prompt", [["Name a tree.", "Name a river."], [791, 5021, 430]])
def test_several_prompts_and_tokens_are_the_same_to_the_letter(
    demo: Demo, client: openai.OpenAI, prompt: list[str] | list[int]
) -> None:
    first = stored(demo, client, prompt)
    again, _ = ask(client, prompt)
    assert [choice.text for choice in again.choices] == [choice.text for choice in first.choices]
    assert ask(client, [*prompt[:-1], *prompt[:1]])[1] == "miss"  # type: ignore[list-item] # of one kind


def test_an_answer_that_repeats_its_prompt_is_no_answer_to_another(demo: Demo, client: openai.OpenAI) -> None:
    ask(client, QUESTION, echo=True)
    demo.until(lambda: ask(client, QUESTION, echo=True)[1] == "hit-exact")
    again, cache = ask(client, REPHRASED, echo=True)
    assert cache == "miss"
    assert again.choices[0].text.startswith(REPHRASED)


def test_an_answer_of_one_api_is_none_of_the_other(demo: Demo, client: openai.OpenAI) -> None:
    stored(demo, client, QUESTION)
    other = Demo(demo.url, demo.admin_url, demo.folder, demo.process, bearer=client.api_key)
    assert other.ask(QUESTION, max_tokens=50).cache == "miss"


def test_an_unknown_model_is_the_apis_own_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, "Hi.", model="nobody")
    assert caught.value.code == "model_not_found"


def test_a_prompt_that_is_none_is_the_apis_own_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "")
    assert caught.value.param == "prompt"
