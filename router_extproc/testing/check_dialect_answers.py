"""The rules of a dialect's contract that are about answers; `check_dialect` runs them with the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import orjson

from router_extproc.dialects.base import Dialect
from router_extproc.errors import UnsupportedRequest
from router_extproc.llm.answer import Answer, Incomplete, JsonObject
from router_extproc.llm.stored import decode_document, encode_answer
from router_extproc.testing.dialect_samples import (
    NOT_JSON,
    PLANTED,
    ROOM_BYTES,
    TOO_DEEP,
    DialectSamples,
    read_answer,
    require,
    single_bytes,
    whole_answer,
)

#: Values that no answer may have anywhere.
_NO_JSON: Final = (b"NaN", b"-Infinity", b"1e400", b'"\\ud800"', b'"\xff"', b"[" * 5000 + b"]" * 5000)
#: Years after any sample.
_NOW_S: Final = 4e9


def _check_cuts_do_not_matter(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        whole = whole_answer(dialect, content_type, body)
        require(read_answer(dialect, content_type, single_bytes(body)) == whole, "byte by byte is the same")
        for cut in range(len(body)):
            pieces = [body[:cut], b"", body[cut:]]
            require(read_answer(dialect, content_type, pieces) == whole, "cut anywhere is the same answer")


def _check_half_an_answer_is_none(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        for end in range(len(body.rstrip())):
            half = read_answer(dialect, content_type, [body[:end]])
            require(isinstance(half, Incomplete), "an answer that was cut off is incomplete")


def _check_a_missing_line_end_is_no_cut(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        whole = whole_answer(dialect, content_type, body)
        stripped = body.rstrip()
        for pieces in ([stripped], single_bytes(stripped), [stripped + b"\n"]):
            require(read_answer(dialect, content_type, pieces) == whole, "the last line needs no end")


def _check_what_json_cannot_say(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        for value in _NO_JSON:
            odd = body.replace(b"{", b'{"x_odd":' + value + b",", 1)
            found = read_answer(dialect, content_type, [odd])
            require(found == Incomplete("malformed"), "what JSON in UTF-8 cannot say is no answer")
        huge = read_answer(dialect, content_type, [body.replace(b"{", b'{"x_odd":1' + b"0" * 400 + b",", 1)])
        require(isinstance(huge, Incomplete) or encode_answer(huge), "what is read can be stored")


def _check_its_bound(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        exact = read_answer(dialect, content_type, single_bytes(body), room_bytes=len(body))
        require(isinstance(exact, Answer), "an answer of just the allowed size is read")
        too_little = _too_little(content_type, body)
        over = read_answer(dialect, content_type, single_bytes(body), room_bytes=too_little)
        require(over == Incomplete("too_large"), "a larger answer is too large")


def _too_little(content_type: str, body: bytes) -> int:
    """A bound that the answer is over: of a stream only the answer itself counts, not its frames."""
    return len(body) - 1 if content_type == "application/json" else 0


def _check_it_never_raises_on_answers(dialect: Dialect, samples: DialectSamples) -> None:
    junk = (*NOT_JSON, b"{}", TOO_DEEP, b"data: [1]\n\n", b"data: " + TOO_DEEP + b"\n\n", b"\r\n\r\r: x\n")
    for content_type in (*samples.answers, "", "text/html", "text/plain; charset=utf-8"):
        for body in junk:
            require(isinstance(read_answer(dialect, content_type, [body]), Incomplete), "junk is no answer")


def _check_when_an_answer_starts(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        reader = dialect.read_answer(content_type, max_answer_bytes=ROOM_BYTES)
        require(not reader.feed(b"").started, "no bytes are no beginning")
        seen = [reader.feed(byte).started for byte in single_bytes(body)]
        require(seen == sorted(seen) and seen[-1], "an answer begins once, before it ends")


def _check_streamed_or_not_is_the_same_answer(dialect: Dialect, samples: DialectSamples) -> None:
    answers = [whole_answer(dialect, content_type, body) for content_type, body in samples.answers.items()]
    require(all(answer == answers[0] for answer in answers), "streamed or not is the same answer")


def _check_the_facts(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        facts = whole_answer(dialect, content_type, body).facts
        require(facts.model, "facts tell the answer's model")
        require(facts.choices, "facts tell that there is an answer")
        if samples.converses:
            require(facts.id, "facts tell the answer's id")
            require(any(choice.text for choice in facts.choices), "facts tell the text")


def _check_replay_is_lossless(dialect: Dialect, samples: DialectSamples) -> None:
    bodies = filter(None, (samples.request, samples.streamed_request))
    requests = [dialect.parse(body) for body in bodies]
    for content_type, body in samples.answers.items():
        answer = whole_answer(dialect, content_type, body)
        before = orjson.dumps(answer.document)
        for request in requests:
            rendered = dialect.render(answer, request)
            require(orjson.dumps(answer.document) == before, "a replay leaves the document as it was")
            replayed = read_answer(dialect, rendered.content_type, [rendered.body])
            require(replayed == answer, "a replay reads as the answer stored")


def _check_it_restores_what_was_stored(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        answer = whole_answer(dialect, content_type, body)
        restored = dialect.restore(decode_document(encode_answer(answer)))
        require(restored == answer, "what was stored is restored")
        same = orjson.dumps(restored.document) == orjson.dumps(answer.document)
        require(same, "a restored document is the same to the byte")


def _check_it_restores_nothing_else(dialect: Dialect, samples: DialectSamples) -> None:
    whole = [whole_answer(dialect, *sample).document for sample in samples.answers.items()]
    damaged: list[JsonObject] = [{}, {PLANTED: PLANTED}, {"error": {"message": PLANTED}}]
    damaged += [{**document, name: {PLANTED: 1}} for document in whole for name in ("id", "model")]
    for document in damaged:
        try:
            dialect.restore(document)
        except ValueError as error:
            require(PLANTED not in str(error), "an error repeats nothing of the document's")
        else:
            raise AssertionError("only a complete answer is restored")


def _check_it_renews_an_answer(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        answer = whole_answer(dialect, content_type, body)
        new = dialect.renew(answer, now_s=_NOW_S)
        fresh = not answer.facts.id or new.facts.id != answer.facts.id
        require(fresh, "a renewed answer has an id of its own")
        require(replace(new.facts, id=answer.facts.id) == answer.facts, "nothing else of it is new")
        require(dialect.restore(new.document) == new, "a renewed answer is still one")
        again = dialect.renew(answer, now_s=_NOW_S)
        differ = not answer.facts.id or again.facts.id != new.facts.id
        require(differ, "no two renewed answers have the same id")


def _check_it_marks_a_cached_answer(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        answer = whole_answer(dialect, content_type, body)
        before, usage = orjson.dumps(answer.document), answer.facts.usage
        marked = dialect.mark_cached(answer)
        require(orjson.dumps(answer.document) == before, "marking leaves the stored document as it was")
        require(usage is not None, "the sample has usage")
        expected = None if usage is None else replace(usage, cached_tokens=usage.prompt_tokens)
        require(
            marked.facts == replace(answer.facts, usage=expected), "all of the prompt is marked as cached"
        )
        require(dialect.restore(marked.document) == marked, "a marked answer is still one")


def _check_it_takes_answers_apart(dialect: Dialect, samples: DialectSamples) -> None:
    request, api = dialect.parse(samples.request), dialect.pieces
    require((request.pieces is None) == (api is None), "a request has pieces where its answers have some")
    if api is None or request.pieces is None:
        return
    require(request.answers == len(request.pieces.keys), "a piece has an answer of its own")
    for content_type, body in samples.answers.items():
        answer = whole_answer(dialect, content_type, body)
        split = api.split(answer, request.pieces.sizes)
        require(api.count(answer) == request.answers, "the sample answers its request")
        if split is None or isinstance(split, Incomplete):
            raise AssertionError("the sample is taken apart")
        require(all(dialect.restore(each.document) == each for each in split), "each is an answer")
        joined = api.join(split, request)
        require(joined.facts.usage == answer.facts.usage, "what is put together has the same usage")
        require(joined == answer, "what is put together is what it was")
        wrong = api.split(answer, (1, *request.pieces.sizes))
        require(isinstance(wrong, Incomplete), "an answer to fewer pieces is none")


def _check_it_composes_an_answer(dialect: Dialect, samples: DialectSamples) -> None:
    if not samples.converses:
        _check_it_composes_nothing(dialect)
        return
    body = orjson.dumps(dialect.compose("A tree.\n", model="some", now_s=_NOW_S))
    facts = whole_answer(dialect, "application/json", body).facts
    require([choice.text for choice in facts.choices] == ["A tree.\n"], "a composed answer says the text")
    require(facts.model == "some", "a composed answer names the model")


def _check_it_composes_nothing(dialect: Dialect) -> None:
    try:
        dialect.compose(PLANTED, model="some", now_s=_NOW_S)
    except UnsupportedRequest as error:
        require(PLANTED not in error.message, "an error repeats nothing of the text")
    else:
        raise AssertionError("an API whose answers are no texts says so")


ANSWER_RULES: Final[tuple[Callable[[Dialect, DialectSamples], None], ...]] = (
    _check_cuts_do_not_matter,
    _check_half_an_answer_is_none,
    _check_a_missing_line_end_is_no_cut,
    _check_what_json_cannot_say,
    _check_its_bound,
    _check_it_never_raises_on_answers,
    _check_when_an_answer_starts,
    _check_streamed_or_not_is_the_same_answer,
    _check_the_facts,
    _check_replay_is_lossless,
    _check_it_restores_what_was_stored,
    _check_it_restores_nothing_else,
    _check_it_renews_an_answer,
    _check_it_marks_a_cached_answer,
    _check_it_takes_answers_apart,
    _check_it_composes_an_answer,
)
