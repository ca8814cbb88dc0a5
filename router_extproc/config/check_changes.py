"""Checks of what decisions change in requests: system prompt, parameters, reasoning and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from router_extproc.config.check_headers import HOP_BY_HOP
from router_extproc.config.decisions import Decision
from router_extproc.config.model import Config
from router_extproc.config.request_changes import Parameters, ReasoningSwitch, SystemPrompt
from router_extproc.dialects import DIALECTS
from router_extproc.errors import ConfigError
from router_extproc.llm.answer import JsonValue
from router_extproc.protocol.names import ROUTER_HEADER_PREFIX

#: Why a member is none of the parameters that a decision may change; "": it is what is asked.
_NOT_CHANGED: Final[Mapping[str, str]] = {
    "model": "the decision's model says which",
    "messages": "",
    "input": "",
    "prompt": "",
    "system": "write system_prompt",
    "instructions": "write system_prompt",
    "stream": "the client reads the form that it asked for",
    "stream_options": "the client reads the form that it asked for",
    "tools": "the client runs the tools that it offers",
    "functions": "the client runs the functions that it offers",
}
_MEMBER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}").fullmatch
#: What `reasoning` writes.
_OF_REASONING: Final = frozenset({"chat_template_kwargs", "reasoning_effort"})
#: All JSON values of one list of parameters.
_VALUES_BYTES_MAX: Final = 32_768
#: Parameters that are counts: a pool refuses none and fewer.
_COUNTS: Final = frozenset({"n", "max_tokens", "max_completion_tokens", "max_output_tokens"})

_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}").fullmatch
_PRINTABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?").fullmatch
_HEADER_CHARS_MAX: Final = 1024
#: Of all headers of a decision together: what is left free in a request for what the router adds
#: (protocol.headers) also has to hold the routing headers.
_HEADERS_BYTES_MAX: Final = 2048
#: Headers by which the body is read, or that only the router and Envoy may write.
_NOT_SENT: Final = HOP_BY_HOP | {
    "accept-encoding", "content-encoding", "content-length", "content-type", "expect", "host", "te",
    "trailer",
}  # fmt: skip
_ENVOY_PREFIX: Final = "x-envoy"


def check_changes(path: str, decision: Decision, config: Config) -> Iterator[ConfigError]:
    """Every problem of what the decision at this path changes."""
    if decision.action is not None and decision.action.is_local:
        yield from _check_unsent(path, decision)
    if decision.system_prompt is not None:
        yield from _check_system_prompt(f"{path}.system_prompt", decision.system_prompt)
    if decision.parameters is not None:
        yield from _check_parameters(f"{path}.parameters", decision.parameters)
    yield from _check_reasoning(path, decision, config)
    yield from _check_headers(f"{path}.headers", decision.headers)


def _check_unsent(path: str, decision: Decision) -> Iterator[ConfigError]:
    """Nothing can be changed in what reaches no pool."""
    for key in ("system_prompt", "parameters", "reasoning", "headers"):
        if getattr(decision, key) not in (None, {}):
            yield ConfigError(f"{path}.{key}", "has no effect beside the action, which asks no model")


# ── system prompt ─────────────────────────────────────────────────────────────────────────────


def _check_system_prompt(path: str, prompt: SystemPrompt) -> Iterator[ConfigError]:
    others = [text for text in (prompt.prepend, prompt.append) if text is not None]
    if prompt.replace is not None and others:
        yield ConfigError(f"{path}.replace", "leaves nothing of the client's to write prepend or append to")


# ── parameters ────────────────────────────────────────────────────────────────────────────────


def _check_parameters(path: str, parameters: Parameters) -> Iterator[ConfigError]:
    named = [
        *((f"{path}.set.{name}", name) for name in parameters.set),
        *((f"{path}.default.{name}", name) for name in parameters.default),
        *((f"{path}.max.{name}", name) for name in parameters.max),
        *((f"{path}.remove[{index}]", name) for index, name in enumerate(parameters.remove)),
    ]
    for here, name in named:
        yield from _check_name(here, name)
    for kind, values in (("set", parameters.set), ("default", parameters.default)):
        yield from _check_values(f"{path}.{kind}", values)
        yield from _check_counts(f"{path}.{kind}", values)
    yield from _check_types(f"{path}.max", parameters.max)
    yield from _check_counts(f"{path}.max", parameters.max)


def _check_counts(path: str, values: Mapping[str, JsonValue]) -> Iterator[ConfigError]:
    for name in sorted(_COUNTS & values.keys()):
        value = values[name]
        if isinstance(value, int | float) and not isinstance(value, bool) and value < 1:
            yield ConfigError(f"{path}.{name}", f"must be >= 1, got {value:g}")


def _check_name(path: str, name: str) -> Iterator[ConfigError]:
    if not _MEMBER(name):
        yield ConfigError(
            path, f"{name!r} is no name of a member; of one inside another, write the outer as a whole"
        )
    elif name in _NOT_CHANGED:
        why = _NOT_CHANGED[name] or "it is what the client asks"
        yield ConfigError(path, f"'{name}' cannot be changed: {why}")


def _check_types(path: str, values: Mapping[str, JsonValue]) -> Iterator[ConfigError]:
    """No API refuses the value in every request."""
    for name, value in values.items():
        wanted = (dialect.unfit_parameter(name, value) for dialect in DIALECTS.values())
        for words in dict.fromkeys(filter(None, wanted)):
            yield ConfigError(f"{path}.{name}", f"must be {words}: the API refuses anything else")


def _check_values(path: str, values: Mapping[str, JsonValue]) -> Iterator[ConfigError]:
    yield from _check_types(path, values)
    size = 0
    for name, value in values.items():
        try:
            size += len(orjson.dumps(value))
        except TypeError:
            yield ConfigError(f"{path}.{name}", "is no JSON value that is sent: a number is too large")
    if size > _VALUES_BYTES_MAX:
        yield ConfigError(path, f"has {size} bytes of values; {_VALUES_BYTES_MAX} at most")


# ── reasoning ─────────────────────────────────────────────────────────────────────────────────


def _check_reasoning(path: str, decision: Decision, config: Config) -> Iterator[ConfigError]:
    wanted = decision.reasoning
    if wanted is None:
        return
    for candidate in decision.candidates:
        model = config.models.get(candidate.model)
        if model is not None and model.reasoning is None:
            yield ConfigError(
                f"{path}.reasoning",
                f"models.{candidate.model} has no reasoning.family, so its reasoning cannot be switched",
            )
    if isinstance(wanted, ReasoningSwitch) and not wanted.on and wanted.effort is not None:
        yield ConfigError(f"{path}.reasoning.effort", "has no effect: reasoning is off")
    yield from _check_written_twice(f"{path}.parameters", decision.parameters)


def _check_written_twice(path: str, parameters: Parameters | None) -> Iterator[ConfigError]:
    """What `reasoning` writes is not written by parameters, too."""
    if parameters is None:
        return
    for kind in ("set", "default", "max", "remove"):
        for name in sorted(_OF_REASONING.intersection(getattr(parameters, kind))):
            yield ConfigError(f"{path}.{kind}", f"'{name}' is also written by reasoning; keep one of them")


# ── headers ───────────────────────────────────────────────────────────────────────────────────


def _check_headers(path: str, headers: Mapping[str, str]) -> Iterator[ConfigError]:
    seen: set[str] = set()
    for name, value in headers.items():
        here, lower = f"{path}.{name}", name.lower()
        if problem := _why_not_sent(lower):
            yield ConfigError(here, problem)
        if lower in seen:
            yield ConfigError(here, "is written twice: names of headers are the same in any case")
        seen.add(lower)
        if not _PRINTABLE(value):
            yield ConfigError(here, "must be printable ASCII without space at its ends")
        elif len(value) > _HEADER_CHARS_MAX:
            yield ConfigError(here, f"is too long: {len(value)} characters, {_HEADER_CHARS_MAX} at most")
    size = sum(len(name) + len(value) for name, value in headers.items())
    if size > _HEADERS_BYTES_MAX:
        yield ConfigError(path, f"have {size} bytes together; {_HEADERS_BYTES_MAX} at most")


def _why_not_sent(lower: str) -> str | None:
    """Why a decision does not send this header; `lower`: its name in lower case."""
    if not _HEADER(lower):
        return f"{lower[:64]!r} is not a header name that can be set (at most 64 characters)"
    if lower.startswith(ROUTER_HEADER_PREFIX):
        return "x-router-* headers are written by the router itself"
    if lower.startswith(_ENVOY_PREFIX):
        return "Envoy does not let x-envoy-* headers be changed"
    if lower in _NOT_SENT:
        return f"'{lower}' is written by Envoy or the router, by how the request travels"
    return None
