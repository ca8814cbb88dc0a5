"""langchain-openai."""

from typing import Any

from cases import Server, case, plain
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

QUESTION = [SystemMessage("Be brief."), HumanMessage("What is the capital of France?")]


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@tool
def find_person(name: str, age: int) -> str:
    """Find somebody."""
    return f"{name}, {age}"


def model(server: Server, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=server.model, base_url=f"{server.url}/v1", api_key=SecretStr(server.key), max_retries=0, **more
    )


def said(message: Any) -> Any:
    calls = getattr(message, "tool_calls", [])
    return plain([message.content, calls, message.response_metadata, message.usage_metadata])


@case
def answer(server: Server) -> Any:
    return said(model(server).invoke(QUESTION))


@case
def stream(server: Server) -> Any:
    return [said(each) for each in model(server, stream_usage=True).stream(QUESTION)]


@case
def batch(server: Server) -> Any:
    return [said(each) for each in model(server).batch(["One?", "Two?"], config={"max_concurrency": 1})]


@case
def tool_loop(server: Server) -> Any:
    bound = model(server).bind_tools([find_person])
    call = bound.invoke(QUESTION)
    assert isinstance(call, AIMessage)
    result = ToolMessage("found", tool_call_id=str(call.tool_calls[0]["id"]))
    return [said(call), said(bound.invoke([*QUESTION, call, result]))]


@case
def structured(server: Server) -> Any:
    return model(server).with_structured_output(Person).invoke("Who?")


@case
def structured_by_tool(server: Server) -> Any:
    return model(server).with_structured_output(Person, method="function_calling").invoke("Who?")


@case
async def async_stream(server: Server) -> Any:
    return [said(each) async for each in model(server).astream(QUESTION)]


@case
def responses(server: Server) -> Any:
    return said(model(server, use_responses_api=True).invoke(QUESTION))


@case
def embeddings(server: Server) -> Any:
    made = OpenAIEmbeddings(
        model=server.model,
        base_url=f"{server.url}/v1",
        api_key=SecretStr(server.key),
        check_embedding_ctx_length=False,
    )
    return made.embed_documents(["Hello", "Goodbye"])


@case
def refused(server: Server) -> Any:
    return said(model(server).invoke("Please fail with 400."))
