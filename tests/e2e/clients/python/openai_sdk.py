"""The official openai package."""

from typing import Any

import openai
from cases import Server, case, plain
from pydantic import BaseModel

QUESTION: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "find_person",
            "description": "Finds somebody.",
            "parameters": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                "required": ["name", "age"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
]
RESPONSE_TOOLS: list[Any] = [{"type": "function", **TOOLS[0]["function"]}]


class Person(BaseModel):
    name: str
    age: int


def client(server: Server, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, **{"max_retries": 0, **more})


def chat(server: Server, **members: Any) -> Any:
    members = {"messages": QUESTION, "model": server.model, **members}
    return client(server).chat.completions.create(**members)


@case
def answer(server: Server) -> Any:
    return chat(server)


@case
def stream(server: Server) -> Any:
    return list(chat(server, stream=True))


@case
def stream_with_usage(server: Server) -> Any:
    return list(chat(server, stream=True, stream_options={"include_usage": True}))


@case
def stream_helper(server: Server) -> Any:
    with client(server).chat.completions.stream(model=server.model, messages=QUESTION) as events:
        return [sorted({event.type for event in events}), plain(events.get_final_completion())]


@case
def tool_call(server: Server) -> Any:
    return chat(server, tools=TOOLS, tool_choice="required")


@case
def tool_call_stream(server: Server) -> Any:
    return list(chat(server, tools=TOOLS, stream=True))


@case
def tool_loop(server: Server) -> Any:
    call = chat(server, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": '{"found": true}'}
    return chat(server, tools=TOOLS, messages=[*QUESTION, call, result])


@case
def parsed(server: Server) -> Any:
    made = client(server).chat.completions.parse(
        model=server.model, messages=QUESTION, response_format=Person
    )
    return made.choices[0].message.parsed


@case
def parsed_tool(server: Server) -> Any:
    tool = openai.pydantic_function_tool(Person)
    made = client(server).chat.completions.parse(model=server.model, messages=QUESTION, tools=[tool])
    return made.choices[0].message.tool_calls


@case
def json_object(server: Server) -> Any:
    return chat(server, response_format={"type": "json_object"})


@case
def three_choices(server: Server) -> Any:
    return chat(server, n=3, temperature=0.5, seed=7)


@case
def system_only(server: Server) -> Any:
    return chat(server, messages=[{"role": "system", "content": "Say hello."}])


@case
def developer_and_name(server: Server) -> Any:
    return chat(
        server,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ada", "content": "Hi"},
        ],
    )


@case
def prefilled_answer(server: Server) -> Any:
    return chat(server, messages=[*QUESTION, {"role": "assistant", "content": "The capital is"}])


@case
def picture(server: Server) -> Any:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    return chat(server, messages=[{"role": "user", "content": parts}])


@case
def everything_set(server: Server) -> Any:
    return chat(
        server,
        temperature=0,
        top_p=0.9,
        max_tokens=100,
        frequency_penalty=0.1,
        presence_penalty=-0.1,
        stop=["\n\n"],
        logit_bias={"50256": -100},
        user="ada",
        seed=3,
        metadata={"team": "maps"},
        service_tier="auto",
        extra_body={"top_k": 5, "chat_template_kwargs": {"enable_thinking": False}},
        extra_headers={"x-team": "maps"},
        extra_query={"api-version": "2024-10-21"},
    )


@case
def raw_answer(server: Server) -> Any:
    raw = client(server).chat.completions.with_raw_response.create(model=server.model, messages=QUESTION)
    return [raw.status_code, raw.headers["content-type"], plain(raw.parse())]


@case
def unknown_model(server: Server) -> Any:
    return chat(server, model="nobody")


@case
def refused(server: Server) -> Any:
    return chat(server, messages=[{"role": "user", "content": "Please fail with 400."}])


@case
def refused_stream(server: Server) -> Any:
    return list(chat(server, messages=[{"role": "user", "content": "Please fail with 422."}], stream=True))


@case
def rate_limited(server: Server) -> Any:
    messages: list[Any] = [{"role": "user", "content": "Please fail with 429."}]
    return client(server, max_retries=1).chat.completions.create(model=server.model, messages=messages)


@case
def failing(server: Server) -> Any:
    messages: list[Any] = [{"role": "user", "content": "Please fail with 500."}]
    return client(server).chat.completions.create(model=server.model, messages=messages)


@case
def no_messages(server: Server) -> Any:
    return chat(server, messages=[])


@case
async def async_stream(server: Server) -> Any:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key) as asking:
        events = await asking.chat.completions.create(model=server.model, messages=QUESTION, stream=True)
        return [plain(event) async for event in events]


@case
def completion(server: Server) -> Any:
    return client(server).completions.create(model=server.model, prompt="The capital of France is")


@case
def completion_stream(server: Server) -> Any:
    made = client(server).completions.create(
        model=server.model,
        prompt="The capital of France is",
        stream=True,
        stream_options={"include_usage": True},
    )
    return list(made)


@case
def response(server: Server) -> Any:
    return client(server).responses.create(
        model=server.model, input="What is the capital of France?", store=False
    )


@case
def response_stream(server: Server) -> Any:
    made = client(server).responses.create(
        model=server.model, input="What is the capital of France?", stream=True, store=False
    )
    return list(made)


@case
def response_tool_loop(server: Server) -> Any:
    asked: list[Any] = [{"role": "user", "content": "Find Ada."}]
    call = client(server).responses.create(model=server.model, input=asked, tools=RESPONSE_TOOLS).output[0]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "found"}
    return client(server).responses.create(
        model=server.model, input=[*asked, call, result], tools=RESPONSE_TOOLS
    )


@case
def response_tool_stream(server: Server) -> Any:
    made = client(server).responses.create(
        model=server.model, input="Find Ada.", tools=RESPONSE_TOOLS, stream=True
    )
    return list(made)


@case
def response_parsed(server: Server) -> Any:
    made = client(server).responses.parse(model=server.model, input="Who?", text_format=Person, store=False)
    return made.output_parsed


@case
def response_continued(server: Server) -> Any:
    return client(server).responses.create(
        model=server.model, input="And of Italy?", previous_response_id="resp_1"
    )


@case
def response_refused(server: Server) -> Any:
    return client(server).responses.create(model=server.model, input="Please fail with 400.")


@case
def embedding(server: Server) -> Any:
    return client(server).embeddings.create(model=server.model, input="Hello")


@case
def embeddings_as_numbers(server: Server) -> Any:
    return client(server).embeddings.create(
        model=server.model, input=["Hello", "Goodbye"], encoding_format="float", dimensions=8
    )


@case
def moderation(server: Server) -> Any:
    return client(server).moderations.create(model=server.model, input="Hello")


@case
def transcription(server: Server) -> Any:
    audio = ("hello.wav", b"RIFF" + bytes(4000), "audio/wav")
    return client(server).audio.transcriptions.create(model=server.model, file=audio)


@case
def model_names(server: Server) -> Any:
    """The router's own list has more names than one pool's."""
    return sorted(each.id for each in client(server).models.list() if each.id == server.model)


@case
def one_model(server: Server) -> Any:
    return client(server).models.retrieve(server.model).id


@case
def another_path(server: Server) -> Any:
    return client(server).post("/no/such/path", body={"a": 1}, cast_to=dict)  # type: ignore[call-overload]
