# ruff: noqa: E501 - tables read best with one case in a line
"""What decisions change in requests: what is accepted, what each problem says, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.config.decisions import Decision
from router_extproc.config.examine import examine
from router_extproc.config.model import Config
from router_extproc.config.router_policy import RouterPolicy
from router_extproc.config.translate import router_policy_of
from router_extproc.config.translate_changes import changes_of
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
)
from router_extproc.llm.reasoning import FAMILIES

HEAD = """version: 1
default_model: small
models:
  small: {cluster: a, reasoning: {family: qwen3}}
  large: {cluster: b, reasoning: {family: gpt_oss}}
  plain: {cluster: c}
signals: {urgent: {type: keywords, any: [now]}}
envoy: {unread: deny}
semantic_cache: {enabled: true, scope: credentials, ignore: ['It is \\d\\d:\\d\\d']}
decisions:
"""


def examined(decision: str, folder: Path, **environ: str) -> tuple[list[str], list[str]]:
    """Errors and warnings of one decision."""
    file = folder / "router.yaml"
    file.write_text(f"{HEAD}  - {{name: a, when: {{urgent: true}}, {decision}}}\n")
    report = examine(file, environ=environ)
    return [str(error) for error in report.errors], [str(warning) for warning in report.warnings]


@pytest.mark.parametrize(
    "decision",
    [
        "model: small, system_prompt: {prepend: Be brief., append: Be polite.}",
        "model: small, system_prompt: {replace: Be kind.}",
        "model: small, parameters: {set: {temperature: 0, stop: null, x: {a: [1.5]}}, default: {max_tokens: 1024}, max: {n: 1}, remove: [logprobs]}",
        "model: small, reasoning: true",
        "model: small, reasoning: {on: false, force: true}",
        "model: large, reasoning: {effort: medium}",
        "model: small, headers: {X-Team: research, x-tag: 'a b'}",
        "model: small, headers: {authorization: '${KEY}'}",
        "model: small, pinned: true, tags: [a]",
        "action: {block: {}}, pinned: false",
    ],
)
def test_the_documented_forms_are_accepted_in_silence(decision: str, tmp_path: Path) -> None:
    assert examined(decision, tmp_path, KEY="Bearer secret") == ([], [])


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        ("model: small, system_prompt: {replace: a, append: b}", "system_prompt.replace: leaves nothing of the client's to write prepend or append to"),
        ('model: small, system_prompt: {replace: "\\ud800"}', "system_prompt.replace: must be text, got '\\ud800'"),
        ("model: small, parameters: {set: {model: x}}", "parameters.set.model: 'model' cannot be changed: the decision's model says which"),
        ("model: small, parameters: {default: {messages: []}}", "parameters.default.messages: 'messages' cannot be changed: it is what the client asks"),
        ("model: small, parameters: {remove: [stream]}", "parameters.remove[0]: 'stream' cannot be changed: the client reads the form that it asked for"),
        ("model: small, parameters: {remove: [a, tools]}", "parameters.remove[1]: 'tools' cannot be changed: the client runs the tools that it offers"),
        ("model: small, parameters: {set: {a.b: 1}}", "parameters.set.a.b: 'a.b' is no name of a member; of one inside another, write the outer as a whole"),
        ("model: small, parameters: {set: {a: .nan}}", "parameters.set.a: must be a finite number, got nan"),
        ("model: small, parameters: {set: {a: [{b: -.inf}]}}", "parameters.set.a[0].b: must be a finite number, got -inf"),
        ("model: small, parameters: {set: {a: 99999999999999999999}}", "parameters.set.a: is no JSON value that is sent: a number is too large"),
        ("model: small, parameters: {set: {temperature: hot}}", "parameters.set.temperature: must be a number: the API refuses anything else"),
        ("model: small, parameters: {default: {stop: 1}}", "parameters.default.stop: must be a string or a list: the API refuses anything else"),
        ("model: small, parameters: {max: {n: 1.5}}", "parameters.max.n: must be an integer: the API refuses anything else"),
        ("model: small, parameters: {max: {n: 0}}", "parameters.max.n: must be >= 1, got 0"),
        ("model: small, parameters: {set: {max_tokens: -5}}", "parameters.set.max_tokens: must be >= 1, got -5"),
        ("model: small, parameters: {default: {n: 0}}", "parameters.default.n: must be >= 1, got 0"),
        ("model: plain, reasoning: {on: true}", "reasoning: models.plain has no reasoning.family, so its reasoning cannot be switched"),
        ("model: large, reasoning: {on: false, effort: low}", "reasoning.effort: has no effect: reasoning is off"),
        ("model: large, reasoning: true, parameters: {set: {reasoning_effort: low}}", "parameters.set: 'reasoning_effort' is also written by reasoning; keep one of them"),
        ("model: small, headers: {content-length: '1'}", "headers.content-length: 'content-length' is written by Envoy or the router, by how the request travels"),
        ("model: small, headers: {Host: a}", "headers.Host: 'host' is written by Envoy or the router, by how the request travels"),
        ("model: small, headers: {Connection: close}", "headers.Connection: 'connection' is written by Envoy or the router, by how the request travels"),
        ("model: small, headers: {':path': /}", "headers.:path: ':path' is not a header name that can be set (at most 64 characters)"),
        ("model: small, headers: {X-Router-Model: a}", "headers.X-Router-Model: x-router-* headers are written by the router itself"),
        ("model: small, headers: {x-envoy-retries: a}", "headers.x-envoy-retries: Envoy does not let x-envoy-* headers be changed"),
        ('model: small, headers: {x-a: "a\\r\\nb: c"}', "headers.x-a: must be printable ASCII without space at its ends"),
        ("model: small, headers: {x-a: ' a'}", "headers.x-a: must be printable ASCII without space at its ends"),
        (f"model: small, headers: {{x-a: {'a' * 1025}}}", "headers.x-a: is too long: 1025 characters, 1024 at most"),
        ("model: small, headers: {x-a: a, X-A: b}", "headers.X-A: is written twice: names of headers are the same in any case"),
        ("action: {answer: Hi.}, headers: {x-a: a}", "headers: has no effect beside the action, which asks no model"),
        ("action: {block: {}}, system_prompt: {append: a}", "system_prompt: has no effect beside the action, which asks no model"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_an_error(decision: str, problem: str, tmp_path: Path) -> None:
    assert examined(decision, tmp_path)[0] == [f"decisions[0].{problem}"]


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        ("model: small, system_prompt: {}", "system_prompt: changes nothing: write prepend, append or replace"),
        ("model: small, parameters: {}", "parameters: changes nothing: write set, default, max or remove"),
        ("model: small, parameters: {set: {a: 1}, default: {a: 2}}", "parameters.default.a: 'a' has no effect here: set writes it into every request"),
        ("model: small, parameters: {set: {a: 1}, remove: [a]}", "parameters.remove: 'a' has no effect here: set writes it into every request"),
        ("model: small, parameters: {default: {a: 3}, max: {a: 2}}", "parameters.default.a: 3 is above max (2), so 2 is what requests get"),
        ("model: small, parameters: {default: {a: 3}, remove: [a]}", "parameters.default.a: is what every request gets, as remove takes the client's own out: write set"),
        ("model: small, parameters: {max: {a: 3}, remove: [a]}", "parameters.max.a: has no effect: remove takes the client's own out"),
        ("model: small, reasoning: {effort: low}", "reasoning.effort: has no effect on qwen3, which is only switched on or off"),
        ("model: small, headers: {authorization: Bearer secret}", "headers.authorization: is a credential in clear text; write it as ${NAME}"),
        ("model: small, system_prompt: {prepend: 'It is 10:30.'}", "system_prompt.prepend: holds what a pattern of ignore fits; patterns leave out only clients' texts, and this one counts in the cache's keys as a whole"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_a_warning(decision: str, problem: str, tmp_path: Path) -> None:
    assert examined(decision, tmp_path) == ([], [f"decisions[0].{problem}"])


def test_a_weight_beside_selection_fixed_is_a_warning(tmp_path: Path) -> None:
    _, warnings = examined("models: [small, {model: large, weight: 3}]", tmp_path)
    problem = "has no effect: selection fixed takes the first model in the list"
    assert f"decisions[0].models[1].weight: {problem}" in warnings


def decision(**keys: object) -> Decision:
    return Decision.model_validate({"name": "a", "model": "small", **keys})


def test_the_changes_are_as_written() -> None:
    assert changes_of(decision()) is None
    assert changes_of(decision(reasoning=True)) == RequestChanges(reasoning=ReasoningChange(on=True))
    assert changes_of(decision(reasoning={"effort": "low", "force": True})) == RequestChanges(
        reasoning=ReasoningChange(on=True, effort="low", force=True)
    )
    prompt = decision(system_prompt={"prepend": "A", "append": "B"})
    assert changes_of(prompt) == RequestChanges(SurroundSystemPrompt("A", "B"))
    assert changes_of(decision(system_prompt={"replace": "A"})) == RequestChanges(ReplaceSystemPrompt("A"))
    assert changes_of(decision(headers={"X-Team": "r"})) == RequestChanges(headers=(("x-team", "r"),))
    parameters = {"set": {"b": 1, "a": None}, "default": {"c": [1]}, "max": {"n": 1}, "remove": ["z", "z"]}
    assert changes_of(decision(parameters=parameters)) == RequestChanges(
        parameters=ParameterChanges((("a", b"null"), ("b", b"1")), (("c", b"[1]"),), (("n", 1),), ("z",))
    )


def test_a_block_takes_pinned_requests_unless_it_is_told_not_to() -> None:
    block = {"model": None, "action": {"block": {}}}
    assert decision(**block).takes_pinned
    assert not decision(**block, pinned=False).takes_pinned
    assert not decision(action={"answer": "Hi."}, model=None).takes_pinned
    assert not decision().takes_pinned
    assert decision(pinned=True).takes_pinned


def test_every_family_is_accepted() -> None:
    for family in FAMILIES:
        models = {"a": {"cluster": "a", "reasoning": {"family": family}}}
        config = Config.model_validate({"version": 1, "default_model": "a", "models": models})
        assert router_policy_of(config).catalogue.targets["a"].reasoning_family == family


def policy_of(*decisions: dict[str, object]) -> RouterPolicy:
    config = {
        "version": 1,
        "default_model": "small",
        "models": {"small": {"cluster": "a"}, "large": {"cluster": "b"}},
        "signals": {"urgent": {"type": "keywords", "any": ["now"]}},
        "decisions": decisions,
    }
    return router_policy_of(Config.model_validate(config))


def test_the_policy_knows_which_decisions_take_pinned_requests() -> None:
    block = {"name": "a", "when": {"urgent": True}, "action": {"block": {}}}
    plain = {"name": "b", "model": "large"}
    assert policy_of(block, plain).routing.pinning == ("a",)
    assert policy_of(block | {"pinned": False}, plain | {"pinned": True}).routing.pinning == ("b",)


def test_what_takes_pinned_requests_is_part_of_the_keys() -> None:
    """An exact hit is found before the decision, and would pass a new one by."""
    plain = {"name": "b", "model": "large", "when": {"urgent": True}}
    assert policy_of(plain).local_rules == ""
    assert policy_of(plain | {"pinned": True}).local_rules
