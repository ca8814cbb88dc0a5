"""How each family of models is told to reason or not.

Most families read a switch in their chat template, which vLLM fills from `chat_template_kwargs`; gpt-oss
reads an effort and cannot be silenced.
Sources: vLLM, "Reasoning Outputs", and its parsers' defaults; the chat templates of the families.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class TemplateSwitch:
    """A variable of the chat template that is true or false; it knows no effort."""

    name: str


@dataclass(frozen=True, slots=True)
class EffortLevel:
    """The request says low, medium or high; low is the least there is."""


Switch: TypeAlias = TemplateSwitch | EffortLevel
Family: TypeAlias = Literal[
    "deepseek", "ernie45", "gemma4", "glm", "gpt_oss", "granite", "holo2", "hunyuan", "kimi", "nemotron",
    "qwen3", "smollm3",
]  # fmt: skip

#: DeepSeek from V3.1 on, GLM from 4.5 on, Granite from 3.2 on, Kimi from K2.5 on, Nemotron from 3 on.
FAMILIES: Final[Mapping[Family, Switch]] = MappingProxyType(
    {
        "deepseek": TemplateSwitch("thinking"),
        "ernie45": TemplateSwitch("enable_thinking"),
        "gemma4": TemplateSwitch("enable_thinking"),
        "glm": TemplateSwitch("enable_thinking"),
        "gpt_oss": EffortLevel(),
        "granite": TemplateSwitch("thinking"),
        "holo2": TemplateSwitch("thinking"),
        "hunyuan": TemplateSwitch("enable_thinking"),
        "kimi": TemplateSwitch("thinking"),
        "nemotron": TemplateSwitch("enable_thinking"),
        "qwen3": TemplateSwitch("enable_thinking"),
        "smollm3": TemplateSwitch("enable_thinking"),
    }
)
