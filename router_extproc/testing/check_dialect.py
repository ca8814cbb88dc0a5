"""The contract of a dialect: what every one of them must keep, whatever its API looks like.

Call `check_dialect` from a test with samples of the dialect; the first rule that is broken raises
AssertionError with its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson

from router_extproc.dialects.base import Dialect
from router_extproc.dialects.endpoints import inference_endpoints
from router_extproc.errors import (
    CacheOnlyMiss,
    MalformedRequest,
    ModelNotFound,
    RequestError,
    RequestTooLarge,
    UnsupportedRequest,
)
from router_extproc.llm.answer import Answer, Incomplete, JsonObject
from router_extproc.llm.edits import Add, Set
from router_extproc.llm.stored import decode_document, encode_answer


@dataclass(frozen=True, slots=True)
class DialectSamples:
    """What the contract is shown of one dialect."""

    method: str
    path: str
    #: A request that is not streamed, with one plain question, spaces, and a model written without escapes.
    request: bytes
    #: The same request, streamed with usage at the end.
    streamed_request: bytes
    #: The same complete answer by content type.
    answers: Mapping[str, bytes]


#: Larger than any sample.
_ROOM_BYTES: Final = 1 << 20
#: Years after any sample.
_NOW_S: Final = 4e9
_PLANTED: Final = "tell-nobody"
_NOT_JSON: Final = (b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}')
_TOO_DEEP: Final = b'{"a":' * 5000 + b"1" + b"}" * 5000
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
    _require(re.fullmatch(r"[a-z][a-z0-9_]*", dialect.name), "the name is a metric label")


def _check_its_endpoints(dialect: Dialect, samples: DialectSamples) -> None:
    places = [(endpoint.method, endpoint.path) for endpoint in dialect.endpoints]
    _require(len(places) == len(set(places)), "endpoints differ by method or path")
    for endpoint in dialect.endpoints:
        _require(re.fullmatch(r"[A-Z]+", endpoint.method), "a method is in capitals")
        _require(re.fullmatch(r"(/[^/?#]+)+", endpoint.path), "a path has no query and no slash at its end")
    asked = {(endpoint.method, endpoint.path) for endpoint in inference_endpoints(dialect)}
    _require((samples.method, samples.path) in asked, "the sample asks an endpoint for inference")
    _require({method for method, _ in asked} == {"POST"}, "inference is asked by POST")


def _check_it_reads_a_request(dialect: Dialect, samples: DialectSamples) -> None:
    request = dialect.parse(samples.request)
    _require(request.dialect == dialect.name, "a request names its dialect")
    _require(request.body_bytes == len(samples.request), "a request knows its size")
    _require(request.prompt, "the question is the prompt")
    _require(request.prompt_is_last, "one plain question ends the conversation")
    _require(not request.stream, "the sample is not streamed")
    asked = request.prompt.encode()
    _require(all(asked not in field.value for field in request.context), "the prompt is no context")
    names = [field.name for field in request.context]
    _require(len(names) == len(set(names)), "context fields have different names")


def _check_the_form_is_no_context(dialect: Dialect, samples: DialectSamples) -> None:
    request, streamed = dialect.parse(samples.request), dialect.parse(samples.streamed_request)
    _require(streamed.stream and streamed.stream_usage, "the streamed sample asks for a stream with usage")
    same = replace(streamed, stream=False, stream_usage=False, body_bytes=request.body_bytes)
    _require(same == request, "streamed or not is the same question")


def _check_it_refuses_what_is_no_request(dialect: Dialect, samples: DialectSamples) -> None:
    cut = (samples.request[:end] for end in range(len(samples.request.rstrip())))
    for body in (*_NOT_JSON, _TOO_DEEP, *cut):
        _require(_refusal(dialect, body) is not None, "what is no request is malformed")


def _check_errors_repeat_nothing(dialect: Dialect, _: DialectSamples) -> None:
    for body in (
        {_PLANTED: 1},
        {"model": {_PLANTED: _PLANTED}},
        {"messages": [_PLANTED]},
        {"input": {_PLANTED: 1}},
    ):
        error = _refusal(dialect, orjson.dumps(body))
        _require(error is not None, "what is no request is malformed")
        _require(
            _PLANTED not in f"{error} {error and error.param}", "an error repeats nothing of the client's"
        )


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
    _require(orjson.loads(edited) == expected, "an edit replaces the model and adds what was not given")
    unchanged = dialect.edit(samples.request, [Set(("model",), before["model"])])
    _require(unchanged == samples.request, "an edit leaves every other byte as it was")
    _require(dialect.parse(edited).model == "pool/model-7", "an edited body is still a request")


def _check_cuts_do_not_matter(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        whole = _whole(dialect, content_type, body)
        _require(_read(dialect, content_type, _single_bytes(body)) == whole, "byte by byte is the same")
        for cut in range(len(body)):
            pieces = [body[:cut], b"", body[cut:]]
            _require(_read(dialect, content_type, pieces) == whole, "cut anywhere is the same answer")


def _check_half_an_answer_is_none(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        for end in range(len(body.rstrip())):
            half = _read(dialect, content_type, [body[:end]])
            _require(isinstance(half, Incomplete), "an answer that was cut off is incomplete")


def _check_its_bound(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        exact = _read(dialect, content_type, _single_bytes(body), room_bytes=len(body))
        _require(isinstance(exact, Answer), "an answer of just the allowed size is read")
        over = _read(dialect, content_type, _single_bytes(body), room_bytes=_too_little(content_type, body))
        _require(over == Incomplete("too_large"), "a larger answer is too large")


def _too_little(content_type: str, body: bytes) -> int:
    """A bound that the answer is over: of a stream only the answer itself counts, not its frames."""
    return len(body) - 1 if content_type == "application/json" else 0


def _check_it_never_raises_on_answers(dialect: Dialect, samples: DialectSamples) -> None:
    junk = (*_NOT_JSON, b"{}", _TOO_DEEP, b"data: [1]\n\n", b"data: " + _TOO_DEEP + b"\n\n", b"\r\n\r\r: x\n")
    for content_type in (*samples.answers, "", "text/html", "text/plain; charset=utf-8"):
        for body in junk:
            _require(isinstance(_read(dialect, content_type, [body]), Incomplete), "junk is no answer")


def _check_when_an_answer_starts(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        reader = dialect.read_answer(content_type, max_answer_bytes=_ROOM_BYTES)
        _require(not reader.feed(b"").started, "no bytes are no beginning")
        seen = [reader.feed(byte).started for byte in _single_bytes(body)]
        _require(seen == sorted(seen) and seen[-1], "an answer begins once, before it ends")


def _check_streamed_or_not_is_the_same_answer(dialect: Dialect, samples: DialectSamples) -> None:
    answers = [_whole(dialect, content_type, body) for content_type, body in samples.answers.items()]
    _require(all(answer == answers[0] for answer in answers), "streamed or not is the same answer")


def _check_the_facts(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        facts = _whole(dialect, content_type, body).facts
        _require(facts.id and facts.model, "facts tell the answer's id and model")
        _require(any(choice.text for choice in facts.choices), "facts tell the text")


def _check_replay_is_lossless(dialect: Dialect, samples: DialectSamples) -> None:
    requests = [dialect.parse(samples.request), dialect.parse(samples.streamed_request)]
    for content_type, body in samples.answers.items():
        answer = _whole(dialect, content_type, body)
        before = orjson.dumps(answer.document)
        for request in requests:
            rendered = dialect.render(answer, request)
            _require(orjson.dumps(answer.document) == before, "a replay leaves the document as it was")
            replayed = _read(dialect, rendered.content_type, [rendered.body])
            _require(replayed == answer, "a replay reads as the answer stored")


def _check_it_restores_what_was_stored(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        answer = _whole(dialect, content_type, body)
        restored = dialect.restore(decode_document(encode_answer(answer)))
        _require(restored == answer, "what was stored is restored")
        same = orjson.dumps(restored.document) == orjson.dumps(answer.document)
        _require(same, "a restored document is the same to the byte")


def _check_it_restores_nothing_else(dialect: Dialect, samples: DialectSamples) -> None:
    whole = [_whole(dialect, *sample).document for sample in samples.answers.items()]
    damaged: list[JsonObject] = [{}, {_PLANTED: _PLANTED}, {"error": {"message": _PLANTED}}]
    damaged += [{**document, name: {_PLANTED: 1}} for document in whole for name in ("id", "model")]
    for document in damaged:
        try:
            dialect.restore(document)
        except ValueError as error:
            _require(_PLANTED not in str(error), "an error repeats nothing of the document's")
        else:
            raise AssertionError("only a complete answer is restored")


def _check_it_renews_an_answer(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        answer = _whole(dialect, content_type, body)
        new = dialect.renew(answer, now_s=_NOW_S)
        _require(new.facts.id != answer.facts.id, "a renewed answer has an id of its own")
        _require(replace(new.facts, id=answer.facts.id) == answer.facts, "nothing else of it is new")
        _require(dialect.restore(new.document) == new, "a renewed answer is still one")
        again = dialect.renew(answer, now_s=_NOW_S)
        _require(again.facts.id != new.facts.id, "no two renewed answers have the same id")


def _check_it_composes_an_answer(dialect: Dialect, _: DialectSamples) -> None:
    body = orjson.dumps(dialect.compose("A tree.\n", model="some", now_s=_NOW_S))
    facts = _whole(dialect, "application/json", body).facts
    _require([choice.text for choice in facts.choices] == ["A tree.\n"], "a composed answer says the text")
    _require(facts.model == "some", "a composed answer names the model")


def _check_error_objects(dialect: Dialect, _: DialectSamples) -> None:
    for error in _ERRORS:
        _check_error_object(dialect, error)


def _check_error_object(dialect: Dialect, error: RequestError) -> None:
    rendered = dialect.render_error(error)
    _require(rendered.content_type.startswith("application/json"), "an error is JSON")
    _require(isinstance(orjson.loads(rendered.body), dict), "an error is an object")
    _require(error.message.encode() in rendered.body, "an error says what is wrong")


def _whole(dialect: Dialect, content_type: str, body: bytes) -> Answer:
    """The complete answer that a sample is."""
    answer = _read(dialect, content_type, [body])
    match answer:
        case Answer():
            return answer
        case other:
            raise AssertionError(f"the sample is a complete answer, not {other}")


def _read(
    dialect: Dialect, content_type: str, pieces: Iterable[bytes], *, room_bytes: int = _ROOM_BYTES
) -> Answer | Incomplete:
    """Feed every piece and finish."""
    reader = dialect.read_answer(content_type, max_answer_bytes=room_bytes)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


def _single_bytes(body: bytes) -> list[bytes]:
    """One piece per byte."""
    return [body[place : place + 1] for place in range(len(body))]


def _require(condition: object, rule: str) -> None:
    """Raise with the rule that does not hold."""
    if not condition:
        raise AssertionError(rule)


_RULES: Final[tuple[Callable[[Dialect, DialectSamples], None], ...]] = (
    _check_its_name,
    _check_its_endpoints,
    _check_it_reads_a_request,
    _check_the_form_is_no_context,
    _check_it_refuses_what_is_no_request,
    _check_errors_repeat_nothing,
    _check_it_edits_in_place,
    _check_cuts_do_not_matter,
    _check_half_an_answer_is_none,
    _check_its_bound,
    _check_it_never_raises_on_answers,
    _check_when_an_answer_starts,
    _check_streamed_or_not_is_the_same_answer,
    _check_the_facts,
    _check_replay_is_lossless,
    _check_it_restores_what_was_stored,
    _check_it_restores_nothing_else,
    _check_it_renews_an_answer,
    _check_it_composes_an_answer,
    _check_error_objects,
)
