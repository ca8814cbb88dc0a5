"""What the contract of a dialect is shown: samples of the dialect, and bytes that are nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.dialects.base import Dialect
from router_extproc.llm.answer import Answer, Incomplete

#: Larger than any sample.
ROOM_BYTES: Final = 1 << 20
#: A text that no error may repeat.
PLANTED: Final = "tell-nobody"
NOT_JSON: Final = (b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}')
TOO_DEEP: Final = b'{"a":' * 5000 + b"1" + b"}" * 5000


@dataclass(frozen=True, slots=True)
class DialectSamples:
    """What the contract is shown of one dialect."""

    method: str
    path: str
    #: A request that is not streamed, with one plain question, spaces, and a model written without escapes.
    request: bytes
    #: The same request, streamed with usage at the end; None: this API has no streams, nor conversations, and
    #: its answers are no texts.
    streamed_request: bytes | None
    #: The same complete answer by content type.
    answers: Mapping[str, bytes]

    @property
    def converses(self) -> bool:
        """Whether a model is asked a question, and answers it in words."""
        return self.streamed_request is not None


def whole_answer(dialect: Dialect, content_type: str, body: bytes) -> Answer:
    """The complete answer that a sample is."""
    answer = read_answer(dialect, content_type, [body])
    match answer:
        case Answer():
            return answer
        case other:
            raise AssertionError(f"the sample is a complete answer, not {other}")


def read_answer(
    dialect: Dialect, content_type: str, pieces: Iterable[bytes], *, room_bytes: int = ROOM_BYTES
) -> Answer | Incomplete:
    """Feed every piece and finish."""
    reader = dialect.read_answer(content_type, max_answer_bytes=room_bytes)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


def single_bytes(body: bytes) -> list[bytes]:
    """One piece per byte."""
    return [body[place : place + 1] for place in range(len(body))]


def require(condition: object, rule: str) -> None:
    """Raise with the rule that does not hold."""
    if not condition:
        raise AssertionError(rule)
