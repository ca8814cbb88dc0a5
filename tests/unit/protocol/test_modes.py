from __future__ import annotations

import pytest

from router_extproc.errors import ConfigError
from router_extproc.protocol.modes import LET_PASS, BodyMode, HeaderMode, ProcessingMode


@pytest.mark.parametrize(
    "mode", [BodyMode.STREAMED, BodyMode.BUFFERED_PARTIAL, BodyMode.FULL_DUPLEX_STREAMED, BodyMode.GRPC]
)
def test_a_request_body_mode_that_loses_headers_or_cannot_fail_open_is_refused(mode: BodyMode) -> None:
    """STYLE §2 rule 4: a late body would be routed wrongly, and only a late one."""
    with pytest.raises(ConfigError, match="use BUFFERED"):
        ProcessingMode(request_body=mode)


def test_a_buffered_request_and_a_streamed_answer_are_fine() -> None:
    mode = ProcessingMode(request_body=BodyMode.BUFFERED, response_body=BodyMode.STREAMED)
    assert mode.request_headers is HeaderMode.SEND


def test_let_pass_asks_for_nothing_more() -> None:
    assert {LET_PASS.response_headers, LET_PASS.request_trailers, LET_PASS.response_trailers} == {
        HeaderMode.SKIP
    }
    assert LET_PASS.request_body is LET_PASS.response_body is BodyMode.NONE
