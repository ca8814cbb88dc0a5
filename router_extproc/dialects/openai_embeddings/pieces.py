"""Takes the answer to a batch apart into one for each input, and puts such answers together.

A vector is kept as it came, and only where numbers and base64 say the same of it: then a client gets it in
the form that it asks for. Base64 holds 32-bit floats, little-endian.
Source: the OpenAI API reference, "Create embeddings", encoding_format; vLLM, EncodingFormat.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from router_extproc.dialects.members import a_list, an_integer, an_object, is_integer
from router_extproc.dialects.openai_embeddings.inputs import FORMAT
from router_extproc.dialects.openai_objects import usage_of
from router_extproc.llm.answer import Answer, Incomplete, JsonObject, JsonValue
from router_extproc.llm.request import InferenceRequest

#: Of an answer: with any other member, nobody knows what it says of each input.
_MEMBERS: Final = frozenset({"object", "data", "model", "usage", "id", "created"})
_FLOAT: Final = np.dtype("<f4")
_Floats = npt.NDArray[np.float32]


class EmbeddingPieces:
    """Fits dialects.base.PieceAnswers; holds no state."""

    def count(self, answer: Answer) -> int:
        """See PieceAnswers."""
        return len(a_list(answer.document["data"]))

    def split(self, answer: Answer, sizes: Sequence[int]) -> Sequence[Answer] | Incomplete | None:
        """See PieceAnswers."""
        items = sorted(map(an_object, a_list(answer.document["data"])), key=_index)
        if len(items) != len(sizes):
            return Incomplete("malformed")
        vectors = [_floats(item["embedding"]) for item in items]
        whole = [vector for vector in vectors if vector is not None]
        if any(not np.isfinite(vector).all() for vector in whole):
            return Incomplete("malformed")
        if len(whole) < len(vectors) or not answer.document.keys() <= _MEMBERS:
            return None
        if len({len(vector) for vector in whole}) > 1:
            return Incomplete("malformed")
        usages = _shares(answer.document.get("usage"), sizes)
        return [_alone(answer, item, usage) for item, usage in zip(items, usages, strict=True)]

    def join(self, answers: Sequence[Answer], request: InferenceRequest) -> Answer:
        """See PieceAnswers."""
        coded, first = request.body.get(FORMAT) == "base64", answers[0]
        items = [an_object(a_list(answer.document["data"])[0]) for answer in answers]
        data: list[JsonValue] = [
            {**item, "index": place, "embedding": _spelled(item["embedding"], coded=coded)}
            for place, item in enumerate(items)
        ]
        return _with_usage({**first.document, "data": data}, first, _sum(answers))


def _index(item: JsonObject) -> int:
    return an_integer(item["index"])


def _alone(answer: Answer, item: JsonObject, usage: JsonValue) -> Answer:
    return _with_usage({**answer.document, "data": [{**item, "index": 0}]}, answer, usage)


def _with_usage(document: JsonObject, of: Answer, usage: JsonValue) -> Answer:
    """The answer with this document; a usage of null only where the pool has told one."""
    if "usage" in document:
        document = {**document, "usage": usage}
    return Answer(replace(of.facts, usage=usage_of(document)), document)


def _shares(usage: JsonValue, sizes: Sequence[int]) -> list[JsonValue]:
    """What each input took of the tokens; together it is all of them."""
    if not usage:
        return [None] * len(sizes)
    ends, counts = [0, *accumulate(sizes)], _counts(usage)
    return [
        {name: count * end // ends[-1] - count * start // ends[-1] for name, count in counts.items()}
        for start, end in pairwise(ends)
    ]


def _sum(answers: Sequence[Answer]) -> JsonValue:
    """The counts of all; None: one of them tells none."""
    if any(answer.facts.usage is None for answer in answers):
        return None
    total: Counter[str] = Counter()
    for answer in answers:
        total.update(_counts(answer.document["usage"]))
    return {**total}


def _counts(usage: JsonValue) -> dict[str, int]:
    members = usage if type(usage) is dict else {}
    return {name: value for name, value in members.items() if is_integer(value)}


def _spelled(vector: JsonValue, *, coded: bool) -> JsonValue:
    """The vector in one of its two forms."""
    if isinstance(vector, str) == coded:
        return vector
    floats = _floats(vector)
    if floats is None:
        return vector
    return base64.b64encode(floats.tobytes()).decode() if coded else floats.tolist()


def _floats(vector: JsonValue) -> _Floats | None:
    """The vector as 32-bit floats; None: they would say something else."""
    if isinstance(vector, str):
        return _decoded(vector)
    numbers = np.array(vector, dtype=np.float64)
    with np.errstate(over="ignore"):
        floats = numbers.astype(_FLOAT)
    same = (floats.astype(np.float64) == numbers) | (_as_printed(floats) == numbers)
    return floats if same.all() else None


def _as_printed(floats: _Floats) -> npt.NDArray[np.float64]:
    """The fewest digits that tell each from its neighbours, as many pools print it."""
    printed = orjson.dumps(floats.astype(np.float32), option=orjson.OPT_SERIALIZE_NUMPY)
    return np.array(orjson.loads(printed), dtype=np.float64)


def _decoded(coded: str) -> _Floats | None:
    try:
        return np.frombuffer(base64.b64decode(coded, validate=True), dtype=_FLOAT)
    except (binascii.Error, ValueError):
        return None
