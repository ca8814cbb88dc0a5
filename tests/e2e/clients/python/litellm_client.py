"""litellm, by both APIs."""

import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from cases import Server, case, plain

litellm.telemetry = False
litellm.suppress_debug_info = True
QUESTION: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "find_person",
            "parameters": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    }
]


def ask(server: Server, **members: Any) -> Any:
    return litellm.completion(**_members(server, members))


def _members(server: Server, members: dict[str, Any]) -> dict[str, Any]:
    openai_like = {"model": f"openai/{server.model}", "api_base": f"{server.url}/v1"}
    return {**openai_like, "api_key": server.key, "messages": QUESTION, "max_retries": 0, **members}


@case
def answer(server: Server) -> Any:
    return ask(server)


@case
def stream(server: Server) -> Any:
    """The library makes its own ids and times for the pieces of a stream."""
    return [[plain(choice) for choice in each.choices] for each in ask(server, stream=True)]


@case
def tool_call(server: Server) -> Any:
    return ask(server, tools=TOOLS)


@case
async def async_answer(server: Server) -> Any:
    return plain(await litellm.acompletion(**_members(server, {})))


@case
def messages(server: Server) -> Any:
    made = ask(server, model=f"anthropic/{server.model}", api_base=server.url)
    return [made.choices[0].message.content, plain(made.usage)]


@case
def text_completion(server: Server) -> Any:
    return litellm.text_completion(
        model=f"text-completion-openai/{server.model}",
        api_base=f"{server.url}/v1",
        api_key=server.key,
        prompt="The capital of France is",
    )


@case
def embedding(server: Server) -> Any:
    return litellm.embedding(
        model=f"openai/{server.model}", api_base=f"{server.url}/v1", api_key=server.key, input=["Hello"]
    )


@case
def refused(server: Server) -> Any:
    return ask(server, messages=[{"role": "user", "content": "Please fail with 400."}])


@case
def unknown_model(server: Server) -> Any:
    return ask(server, model="openai/nobody")
