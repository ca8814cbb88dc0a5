"""How to ask each family of models to reason or not: members of the request body.

Dialects add a member only where the client has set none: its own choice stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from router_extproc.llm.answer import JsonValue


def reasoning_members(family: str | None, reasoning: bool | None) -> Mapping[str, JsonValue]:  # noqa: FBT001
    """The members to add at the top level of the body; none when the route leaves it open.

    Sources: the chat templates of Qwen3 (enable_thinking) and DeepSeek-V3.1 (thinking), which vLLM
    fills from chat_template_kwargs; gpt-oss reads reasoning_effort.
    """
    if reasoning is None:
        return {}
    match family:
        case "qwen3":
            return {"chat_template_kwargs": {"enable_thinking": reasoning}}
        case "deepseek":
            return {"chat_template_kwargs": {"thinking": reasoning}}
        case "gpt_oss":
            return {"reasoning_effort": "high" if reasoning else "low"}
        case _:
            return {}
