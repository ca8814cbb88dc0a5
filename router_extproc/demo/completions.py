"""The stand-in pools' completions API: the same fixed texts as answers to prompts, in that API's objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from router_extproc.demo.texts import Asked, answer_text, count_tokens, pieces, read_request
from router_extproc.llm.answer import JsonValue

JsonObject = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Continued:
    """A request for completions."""

    asked: Asked
    #: Of each choice: n for each prompt.
    texts: Sequence[str]


def read_completion_request(pool: str, body: object) -> Continued | None:
    """What was asked, or None when it is no completion request; tokens are prompts, too."""
    if not isinstance(body, dict):
        return None
    prompt = body.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else _prompts(prompt)
    asked = read_request({**body, "messages": [{"role": "user", "content": each} for each in prompts]})
    if asked is None or not prompts:
        return None
    echoed = prompts if body.get("echo") is True else [""] * len(prompts)
    each = [f"{echo}{answer_text(pool, text)}" for echo, text in zip(echoed, prompts, strict=True)]
    return Continued(asked, [text for text in each for _ in range(asked.choices)])


def completion(head: JsonObject, continued: Continued) -> JsonObject:
    """The answer as one object."""
    choices: list[JsonValue] = [_choice(place, text, "stop") for place, text in enumerate(continued.texts)]
    return head | {"choices": choices, "usage": _usage(continued)}


def completion_events(head: JsonObject, continued: Continued) -> Iterator[JsonObject]:
    """The events of the answer as a stream."""
    for place, text in enumerate(continued.texts):
        for piece in pieces(text):
            yield head | {"choices": [_choice(place, piece, None)]}
        yield head | {"choices": [_choice(place, "", "stop")]}
    if continued.asked.stream_usage:
        yield head | {"choices": [], "usage": _usage(continued)}


def _prompts(prompt: object) -> list[str]:
    """The prompts of a list; tokens alone are one prompt, which no stand-in can read."""
    if not isinstance(prompt, list) or not prompt:
        return []
    if all(isinstance(each, int) for each in prompt):
        return [f"{len(prompt)} tokens"]
    return [each if isinstance(each, str) else "tokens" for each in prompt]


def _choice(index: int, text: str, finish_reason: str | None) -> JsonObject:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}


def _usage(continued: Continued) -> JsonObject:
    prompt, said = continued.asked.prompt_tokens, sum(map(count_tokens, continued.texts))
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
