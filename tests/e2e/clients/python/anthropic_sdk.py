"""The official anthropic package."""

from typing import Any

import anthropic
from cases import Server, case, plain

QUESTION: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOLS: list[Any] = [
    {
        "name": "find_person",
        "description": "Finds somebody.",
        "input_schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name"],
        },
        "cache_control": {"type": "ephemeral"},
    }
]


def client(server: Server, **more: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.url, api_key=server.key, **{"max_retries": 0, **more})


def ask(server: Server, **members: Any) -> Any:
    members = {"messages": QUESTION, "model": server.model, "max_tokens": 100, **members}
    return client(server).messages.create(**members)


@case
def answer(server: Server) -> Any:
    return ask(server)


@case
def events(server: Server) -> Any:
    return list(ask(server, stream=True))


@case
def stream_helper(server: Server) -> Any:
    with client(server).messages.stream(model=server.model, max_tokens=100, messages=QUESTION) as stream:
        return ["".join(stream.text_stream), plain(stream.get_final_message())]


@case
def system_blocks(server: Server) -> Any:
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    more = {"temperature": 0.2, "top_k": 5}
    return ask(server, system=system, stop_sequences=["END"], metadata={"user_id": "a"}, extra_body=more)


@case
def tool_loop(server: Server) -> Any:
    call = ask(server, tools=TOOLS)
    result = {"type": "tool_result", "tool_use_id": call.content[0].id, "content": "found"}
    turns = [{"role": "assistant", "content": call.content}, {"role": "user", "content": [result]}]
    return ask(server, tools=TOOLS, messages=[*QUESTION, *turns])


@case
def tool_events(server: Server) -> Any:
    return list(ask(server, tools=TOOLS, tool_choice={"type": "any"}, stream=True))


@case
def thinking(server: Server) -> Any:
    return ask(server, max_tokens=2000, thinking={"type": "enabled", "budget_tokens": 1024})


@case
def thinking_events(server: Server) -> Any:
    return list(
        ask(server, max_tokens=2000, thinking={"type": "enabled", "budget_tokens": 1024}, stream=True)
    )


@case
def picture(server: Server) -> Any:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    return ask(server, messages=[{"role": "user", "content": parts}])


@case
def prefilled_answer(server: Server) -> Any:
    return ask(server, messages=[*QUESTION, {"role": "assistant", "content": "The capital is"}])


@case
def beta(server: Server) -> Any:
    return client(server).beta.messages.create(
        model=server.model, max_tokens=100, messages=QUESTION, betas=["context-1m-2025-08-07"]
    )


@case
def count(server: Server) -> Any:
    return client(server).messages.count_tokens(model=server.model, messages=QUESTION)


@case
def unknown_model(server: Server) -> Any:
    return ask(server, model="nobody")


@case
def refused(server: Server) -> Any:
    return ask(server, messages=[{"role": "user", "content": "Please fail with 400."}])


@case
def rate_limited(server: Server) -> Any:
    messages: list[Any] = [{"role": "user", "content": "Please fail with 429."}]
    return client(server, max_retries=1).messages.create(model=server.model, max_tokens=9, messages=messages)


@case
def overloaded(server: Server) -> Any:
    return ask(server, messages=[{"role": "user", "content": "Please fail with 529."}], stream=True)


@case
async def async_events(server: Server) -> Any:
    async with anthropic.AsyncAnthropic(base_url=server.url, api_key=server.key) as asking:
        made = await asking.messages.create(
            model=server.model, max_tokens=100, messages=QUESTION, stream=True
        )
        return [plain(event) async for event in made]
