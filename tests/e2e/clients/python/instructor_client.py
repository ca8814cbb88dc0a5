"""instructor, on top of the openai and anthropic packages."""

from typing import Any

import anthropic
import instructor
import openai
from cases import Server, case
from pydantic import BaseModel

QUESTION: list[Any] = [{"role": "user", "content": "Who is it?"}]


class Person(BaseModel):
    name: str
    age: int


def by_openai(server: Server, mode: instructor.Mode) -> Any:
    made = openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0)
    return instructor.from_openai(made, mode=mode)


@case
def by_tools(server: Server) -> Any:
    made = by_openai(server, instructor.Mode.TOOLS)
    return made.chat.completions.create(model=server.model, messages=QUESTION, response_model=Person)


@case
def by_json(server: Server) -> Any:
    made = by_openai(server, instructor.Mode.JSON)
    return made.chat.completions.create(model=server.model, messages=QUESTION, response_model=Person)


@case
def by_json_schema(server: Server) -> Any:
    made = by_openai(server, instructor.Mode.JSON_SCHEMA)
    return made.chat.completions.create(model=server.model, messages=QUESTION, response_model=Person)


@case
def partial(server: Server) -> Any:
    made = by_openai(server, instructor.Mode.TOOLS)
    pieces = made.chat.completions.create_partial(
        model=server.model, messages=QUESTION, response_model=Person
    )
    return list(pieces)[-1]


@case
def by_messages(server: Server) -> Any:
    asking = anthropic.Anthropic(base_url=server.url, api_key=server.key, max_retries=0)
    made = instructor.from_anthropic(asking)
    return made.messages.create(model=server.model, max_tokens=100, messages=QUESTION, response_model=Person)


@case
def refused(server: Server) -> Any:
    made = by_openai(server, instructor.Mode.TOOLS)
    messages = [{"role": "user", "content": "Please fail with 400."}]
    return made.chat.completions.create(
        model=server.model, messages=messages, response_model=Person, max_retries=0
    )
