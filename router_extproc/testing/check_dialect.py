"""The contract of a dialect: what every one of them must keep, whatever its API looks like.

Call `check_dialect` from a test with samples of the dialect; the first rule that is broken raises
AssertionError with its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import orjson

from router_extproc.dialects.base import EVERY_CHANGE, ChangeKind, Dialect
from router_extproc.dialects.endpoints import inference_endpoints
from router_extproc.errors import (
    CacheOnlyMiss,
    MalformedRequest,
    ModelNotFound,
    RequestError,
    RequestTooLarge,
    UnsupportedRequest,
)
from router_extproc.llm.changes import (
    NO_CHANGES,
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
)
from router_extproc.llm.edits import Add, Set
from router_extproc.llm.request import InferenceRequest
from router_extproc.testing.check_dialect_answers import ANSWER_RULES
from router_extproc.testing.check_dialect_rewriting import REWRITING_RULES
from router_extproc.testing.check_dialect_usage import USAGE_RULES
from router_extproc.testing.dialect_samples import (
    NOT_JSON,
    PLANTED,
    TOO_DEEP,
    DialectSamples,
    require,
)

#: What the contract has written; a sample may have some of it.
_CHANGED: Final = frozenset({"temperature", "top_p"})
_ERRORS: Final = (
    MalformedRequest("This is wrong.", param="field"),
    ModelNotFound("No such model."),
    RequestTooLarge("Too large."),
    UnsupportedRequest("Not here."),
    CacheOnlyMiss("Not stored."),
)


def check_dialect(dialect: Dialect, samples: DialectSamples) -> None:
    """Raises AssertionError on the first rule that `dialect` breaks."""
    for rule in _RULES:
        rule(dialect, samples)


def _check_its_name(dialect: Dialect, _: DialectSamples) -> None:
    require(re.fullmatch(r"[a-z][a-z0-9_]*", dialect.name), "the name is a metric label")


def _check_its_endpoints(dialect: Dialect, samples: DialectSamples) -> None:
    places = [(endpoint.method, endpoint.path) for endpoint in dialect.endpoints]
    require(len(places) == len(set(places)), "endpoints differ by method or path")
    for endpoint in dialect.endpoints:
        require(re.fullmatch(r"[A-Z]+", endpoint.method), "a method is in capitals")
        require(re.fullmatch(r"(/[^/?#]+)+", endpoint.path), "a path has no query and no slash at its end")
    asked = {(endpoint.method, endpoint.path) for endpoint in inference_endpoints(dialect)}
    require((samples.method, samples.path) in asked, "the sample asks an endpoint for inference")
    require({method for method, _ in asked} == {"POST"}, "inference is asked by POST")


def _check_it_reads_a_request(dialect: Dialect, samples: DialectSamples) -> None:
    request = dialect.parse(samples.request)
    require(request.dialect == dialect.name, "a request names its dialect")
    require(request.body_bytes == len(samples.request), "a request knows its size")
    require(request.prompt, "the question is the prompt")
    require(request.prompt_is_last == samples.converses, "one plain question ends the conversation")
    require(not request.stream, "the sample is not streamed")
    asked = request.prompt.encode()
    require(all(asked not in field.value for field in request.context), "the prompt is no context")
    names = [field.name for field in request.context]
    require(len(names) == len(set(names)), "context fields have different names")


def _check_the_form_is_no_context(dialect: Dialect, samples: DialectSamples) -> None:
    if samples.streamed_request is None:
        return
    request, streamed = dialect.parse(samples.request), dialect.parse(samples.streamed_request)
    require(streamed.stream and streamed.stream_usage, "the streamed sample asks for a stream with usage")
    same = replace(streamed, stream=False, stream_usage=False, body_bytes=request.body_bytes)
    require(same == request, "streamed or not is the same question")


def _check_it_refuses_what_is_no_request(dialect: Dialect, samples: DialectSamples) -> None:
    cut = (samples.request[:end] for end in range(len(samples.request.rstrip())))
    for body in (*NOT_JSON, TOO_DEEP, *cut):
        require(_refusal(dialect, body) is not None, "what is no request is malformed")


def _check_errors_repeat_nothing(dialect: Dialect, _: DialectSamples) -> None:
    for body in (
        {PLANTED: 1},
        {"model": {PLANTED: PLANTED}},
        {"messages": [PLANTED]},
        {"input": {PLANTED: 1}},
    ):
        error = _refusal(dialect, orjson.dumps(body))
        require(error is not None, "what is no request is malformed")
        require(PLANTED not in f"{error} {error and error.param}", "an error repeats nothing of the client's")


def _refusal(dialect: Dialect, body: bytes) -> MalformedRequest | None:
    """The error that `parse` answers with; anything else it raises breaks the contract."""
    try:
        dialect.parse(body)
    except MalformedRequest as error:
        return error
    return None


def _check_it_edits_in_place(dialect: Dialect, samples: DialectSamples) -> None:
    before = orjson.loads(samples.request)
    given = next(iter(before))
    edited = dialect.edit(
        samples.request,
        [Set(("model",), "pool/model-7"), Add(("x_added",), {"on": True}), Add((given,), "mine")],
    )
    expected = {**before, "model": "pool/model-7", "x_added": {"on": True}}
    require(orjson.loads(edited) == expected, "an edit replaces the model and adds what was not given")
    unchanged = dialect.edit(samples.request, [Set(("model",), before["model"])])
    require(unchanged == samples.request, "an edit leaves every other byte as it was")
    require(dialect.parse(edited).model == "pool/model-7", "an edited body is still a request")


def _check_it_makes_changes(dialect: Dialect, samples: DialectSamples) -> None:
    request = dialect.parse(samples.request)
    edits = dialect.edits(request, NO_CHANGES, family="qwen3")
    require(not edits, "no change is no edit")
    if "system_prompt" in dialect.changeable:
        _check_it_writes_system_prompts(dialect, samples)
    _check_it_leaves_what_has_no_place(dialect, request)
    _check_it_writes_parameters(dialect, samples)


def _check_it_writes_system_prompts(dialect: Dialect, samples: DialectSamples) -> None:
    asked = dialect.parse(samples.request).prompt
    for text in (SurroundSystemPrompt(before="operator"), ReplaceSystemPrompt("operator")):
        changed = _changed(dialect, samples.request, RequestChanges(text))
        require(changed.system.startswith("operator"), "a system prompt is what the model reads first")
        require(changed.prompt == asked, "a system prompt leaves the question alone")
    after = _changed(dialect, samples.request, RequestChanges(SurroundSystemPrompt(after="operator")))
    require(after.system.endswith("operator"), "a system prompt is put behind the client's")


def _check_it_leaves_what_has_no_place(dialect: Dialect, request: InferenceRequest) -> None:
    wanted: Mapping[ChangeKind, RequestChanges] = {
        "system_prompt": RequestChanges(ReplaceSystemPrompt("operator")),
        "reasoning": RequestChanges(reasoning=ReasoningChange(on=True, force=True)),
    }
    for kind in EVERY_CHANGE - dialect.changeable:
        edits = dialect.edits(request, wanted[kind], family="qwen3")
        require(not edits, "what an API has no place for is no edit")


def _check_it_writes_parameters(dialect: Dialect, samples: DialectSamples) -> None:
    given = {
        name: value for name, value in dialect.parse(samples.request).body.items() if name not in _CHANGED
    }
    body = orjson.dumps({**given, "x_client": 3})
    wanted = ParameterChanges(
        set=(("temperature", b"0.5"),),
        default=(("top_p", b"0.5"),),
        max=(("x_client", 1),),
        removed=("x_no",),
    )
    changed = _changed(dialect, body, RequestChanges(parameters=wanted)).body
    require(changed.pop("x_client") == 1, "a larger number becomes the largest")
    written = {**given, "temperature": 0.5, "top_p": 0.5}
    # An API that knows none of them may refuse them.
    require(changed in (written, given), "parameters are written, and nothing else changes")
    again = _changed(dialect, orjson.dumps(written), RequestChanges(parameters=wanted))
    require(again.body == written, "parameters that are so already stay")
    require(
        dialect.unfit_parameter("x_client", {"any": [1]}) is None, "what an API does not know is no error"
    )


def _changed(dialect: Dialect, body: bytes, changes: RequestChanges) -> InferenceRequest:
    edits = dialect.edits(dialect.parse(body), changes, family=None)
    planted = dialect.parse(body).prompt
    require(planted not in repr(edits), "an edit holds no text of the client's")
    return dialect.parse(dialect.edit(body, edits))


def _check_error_objects(dialect: Dialect, _: DialectSamples) -> None:
    for error in _ERRORS:
        _check_error_object(dialect, error)


def _check_error_object(dialect: Dialect, error: RequestError) -> None:
    rendered = dialect.render_error(error)
    require(rendered.content_type.startswith("application/json"), "an error is JSON")
    require(isinstance(orjson.loads(rendered.body), dict), "an error is an object")
    require(error.message.encode() in rendered.body, "an error says what is wrong")


_RULES: Final[tuple[Callable[[Dialect, DialectSamples], None], ...]] = (
    _check_its_name,
    _check_its_endpoints,
    _check_it_reads_a_request,
    _check_the_form_is_no_context,
    _check_it_refuses_what_is_no_request,
    _check_errors_repeat_nothing,
    _check_it_edits_in_place,
    _check_it_makes_changes,
    *ANSWER_RULES,
    *REWRITING_RULES,
    *USAGE_RULES,
    _check_error_objects,
)
