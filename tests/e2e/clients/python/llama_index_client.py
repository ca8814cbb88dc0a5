"""llama-index, by its class for servers like OpenAI's."""

from typing import Any

from cases import Server, case, plain
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

QUESTION = [ChatMessage(role="user", content="What is the capital of France?")]


def find_person(name: str, age: int) -> str:
    """Find somebody."""
    return f"{name}, {age}"


def model(server: Server, **more: Any) -> OpenAILike:
    return OpenAILike(
        model=server.model,
        api_base=f"{server.url}/v1",
        api_key=server.key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
        **more,
    )


@case
def answer(server: Server) -> Any:
    made = model(server).chat(QUESTION)
    return [made.message.content, plain(made.raw)]


@case
def stream(server: Server) -> Any:
    return [each.delta for each in model(server).stream_chat(QUESTION)]


@case
def complete(server: Server) -> Any:
    return model(server).complete("The capital of France is").text


@case
def complete_by_completions(server: Server) -> Any:
    plain_model = OpenAILike(
        model=server.model,
        api_base=f"{server.url}/v1",
        api_key=server.key,
        is_chat_model=False,
        max_retries=0,
    )
    return plain_model.complete("The capital of France is").text


@case
def tool_call(server: Server) -> Any:
    tool = FunctionTool.from_defaults(find_person)
    made = model(server).chat_with_tools([tool], user_msg="Find Ada.")
    return [[call.tool_name, call.tool_kwargs] for call in model(server).get_tool_calls_from_response(made)]


@case
async def async_answer(server: Server) -> Any:
    return (await model(server).achat(QUESTION)).message.content


@case
def refused(server: Server) -> Any:
    return model(server).complete("Please fail with 400.").text
