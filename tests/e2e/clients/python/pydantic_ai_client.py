"""pydantic-ai, by chat completions, responses and messages."""

from typing import Any

import anthropic
from cases import Server, case, plain
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


class Person(BaseModel):
    name: str
    age: int


def chat(server: Server) -> OpenAIChatModel:
    provider = OpenAIProvider(base_url=f"{server.url}/v1", api_key=server.key)
    return OpenAIChatModel(server.model, provider=provider)


def responses(server: Server) -> OpenAIResponsesModel:
    provider = OpenAIProvider(base_url=f"{server.url}/v1", api_key=server.key)
    return OpenAIResponsesModel(server.model, provider=provider)


def messages(server: Server) -> AnthropicModel:
    asking = anthropic.AsyncAnthropic(base_url=server.url, api_key=server.key)
    return AnthropicModel(server.model, provider=AnthropicProvider(anthropic_client=asking))


def run(model: Any, **more: Any) -> Any:
    made = Agent(model, instructions="Be brief.", **more).run_sync("What is the capital of France?")
    usage = made.usage() if callable(made.usage) else made.usage
    return [plain(made.output), usage.input_tokens, usage.output_tokens, usage.requests]


@case
def answer(server: Server) -> Any:
    return run(chat(server))


@case
def structured(server: Server) -> Any:
    return run(chat(server), output_type=Person)


@case
def with_tool(server: Server) -> Any:
    def find_person(name: str) -> str:
        """Find somebody."""
        return f"found {name}"

    return run(chat(server), tools=[find_person])


@case
async def stream(server: Server) -> Any:
    async with Agent(chat(server)).run_stream("What is the capital of France?") as made:
        return [piece async for piece in made.stream_text(delta=True, debounce_by=None)]


@case
def by_responses(server: Server) -> Any:
    return run(responses(server))


@case
def by_messages(server: Server) -> Any:
    return run(messages(server))


@case
def refused(server: Server) -> Any:
    return Agent(chat(server)).run_sync("Please fail with 400.").output
