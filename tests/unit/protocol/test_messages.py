from __future__ import annotations

import pytest

from router_extproc.errors import LocalProtocolError
from router_extproc.protocol.events import AnswerChunk, BodyReceived
from router_extproc.protocol.messages import BodyReply, ImmediateResponse, RequestBody


@pytest.mark.parametrize("status", [0, 100, 199, 600])
def test_an_immediate_response_needs_a_final_status(status: int) -> None:
    with pytest.raises(LocalProtocolError, match="final status"):
        ImmediateResponse(status)


def test_an_immediate_response_keeps_envoys_rules_for_headers() -> None:
    with pytest.raises(LocalProtocolError, match="host"):
        ImmediateResponse(200, (("host", "a"),))


def test_an_immediate_response_leaves_content_length_to_envoy() -> None:
    with pytest.raises(LocalProtocolError, match="content-length"):
        ImmediateResponse(200, (("content-length", "1"),), b"ab")


@pytest.mark.parametrize(
    "value",
    [
        RequestBody(b"secret"),
        BodyReply(body=b"secret"),
        ImmediateResponse(200, (("set-cookie", "secret"),), b"secret"),
        BodyReceived(b"secret", last=True),
        AnswerChunk(b"secret", last=True),
    ],
)
def test_repr_shows_no_body(value: object) -> None:
    """Prompts and answers must not reach a log by way of an error message."""
    assert "secret" not in repr(value)
