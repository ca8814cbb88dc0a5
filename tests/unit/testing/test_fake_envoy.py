from __future__ import annotations

import pytest

from router_extproc.errors import LocalProtocolError
from router_extproc.protocol.events import AnswerChunk, AnswerStarted, BodyReceived, RequestStarted
from router_extproc.protocol.headers import HeaderMutation
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import LET_PASS, Role
from router_extproc.testing.fake_envoy import FakeEnvoy, Forwarded, PoolAnswer, Profile
from router_extproc.testing.recording_driver import RecordingDriver

PATH = "/v1/chat/completions"
ROUTE = HeaderMutation((("x-router-cluster", "large"),), remove=("x-secret",))


async def test_a_request_is_routed_with_its_new_body() -> None:
    driver = RecordingDriver(to_body=BodyReply(ROUTE, b"rewritten"))
    received = await FakeEnvoy(driver).post(PATH, body=b"{}", headers={"x-secret": "1"})
    assert received.forwarded is not None
    assert received.forwarded.cluster == "large"
    assert received.forwarded.body == b"rewritten"
    assert received.forwarded.headers.get("content-length") == "9"
    assert "x-secret" not in received.forwarded.headers


async def test_a_chunked_request_has_no_length_until_it_is_rewritten() -> None:
    received = await FakeEnvoy(RecordingDriver()).post(PATH, body=b"{}", chunked=True)
    assert received.forwarded is not None
    assert received.forwarded.headers.get("content-length") is None


@pytest.mark.parametrize("at", ["headers", "body"])
@pytest.mark.parametrize("profile", ["split", "inline"])
async def test_an_immediate_response_never_reaches_the_pool(at: str, profile: Profile) -> None:
    ours = ImmediateResponse(429, (("retry-after", "1"),), b"slow down")
    driver = RecordingDriver(to_headers=ours) if at == "headers" else RecordingDriver(to_body=ours)
    received = await FakeEnvoy(driver, profile=profile).post(PATH, body=b"{}")
    assert received.forwarded is None
    assert (received.status, received.header("retry-after"), received.body) == (429, "1", b"slow down")


async def test_split_observes_with_what_was_handed_on() -> None:
    """The second filter sees the metadata of the first; that is how an answer finds its question."""
    driver = RecordingDriver(to_body=BodyReply(dynamic_metadata={"ours": {"token": "t"}}))
    await FakeEnvoy(driver).post(PATH, body=b"{}")
    assert driver.roles == [Role.DECIDE, Role.OBSERVE]
    (started,) = [event for event in driver.events if isinstance(event, AnswerStarted)]
    assert started.metadata == {"ours": {"token": "t"}}


async def test_inline_sees_everything_on_one_stream() -> None:
    driver = RecordingDriver()
    pool_answer = PoolAnswer((b"a", b"b"), status=201)
    received = (
        await FakeEnvoy(driver, profile="inline").with_pool(lambda _: pool_answer).post(PATH, body=b"{}")
    )
    assert driver.roles == [Role.INLINE]
    assert [type(event) for event in driver.events] == [
        RequestStarted,
        BodyReceived,
        AnswerStarted,
        AnswerChunk,
        AnswerChunk,
        AnswerChunk,
    ]
    assert (received.status, received.body) == (201, b"ab")


async def test_a_request_that_is_let_pass_is_not_read() -> None:
    driver = RecordingDriver(to_headers=HeadersReply(mode_override=LET_PASS))
    received = await FakeEnvoy(driver, profile="inline").get("/v1/models")
    assert received.forwarded is not None
    assert received.forwarded.headers.get(":method") == "GET"
    assert len(driver.events) == 1


async def test_a_body_that_is_not_asked_for_is_not_sent() -> None:
    driver = RecordingDriver(to_headers=HeadersReply())
    await FakeEnvoy(driver).post("/v1/files", body=b"x" * 10)
    assert not [event for event in driver.events if isinstance(event, BodyReceived)]


async def test_a_client_that_goes_away_leaves_no_end_of_stream() -> None:
    driver = RecordingDriver()
    envoy = FakeEnvoy(driver).with_pool(lambda _: PoolAnswer((b"a",), complete=False))
    await envoy.post(PATH, body=b"{}")
    assert driver.closed == [True, False]
    assert not [event for event in driver.events if isinstance(event, AnswerChunk) and event.last]


async def test_the_pool_sees_the_request() -> None:
    def echo(request: Forwarded) -> PoolAnswer:
        return PoolAnswer((request.body,))

    received = await FakeEnvoy(RecordingDriver(), pool=echo).post(PATH, body=b"echo")
    assert received.body == b"echo"


async def test_a_driver_that_breaks_the_contract_fails_the_test() -> None:
    driver = RecordingDriver(to_headers=HeadersReply(HeaderMutation((("content-length", "1"),))))
    with pytest.raises(LocalProtocolError):
        await FakeEnvoy(driver).post(PATH, body=b"{}")
    assert driver.closed == [False]
