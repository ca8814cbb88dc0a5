"""A client of HTTP/2 without TLS: many streams on one connection, trailers included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

from router_extproc.address import read_tcp

_READ_BYTES: Final = 64 * 1024
Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Http2Answer:
    """One answer, as far as it has come."""

    opened: Callable[[], None]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    was_reset: bool = False


class Http2:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._state = H2Connection(H2Configuration(client_side=True))
        self._answers: dict[int, Http2Answer] = {}
        self._state.initiate_connection()
        self._send()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def to(cls, address: str) -> Self:
        """Connect to HOST:PORT."""
        server = read_tcp(address)
        return cls(*await asyncio.open_connection(server.host, server.port))

    async def post(
        self, path: str, body: bytes, *, trailers: Pairs = (), opened: Callable[[], None] = lambda: None
    ) -> Http2Answer:
        """The whole answer; the body must fit into the first window.

        opened: is called with the first bytes of the answer's body.

        Raises:
            ConnectionError: the stream was reset.
        """
        stream = self._state.get_next_available_stream_id()
        pseudo = [(":method", "POST"), (":scheme", "http"), (":authority", "gateway"), (":path", path)]
        answer = self._answers[stream] = Http2Answer(opened)
        self._state.send_headers(stream, [*pseudo, ("content-type", "application/json")])
        self._state.send_data(stream, body, end_stream=not trailers)
        if trailers:
            self._state.send_headers(stream, list(trailers), end_stream=True)
        self._send()
        await answer.over.wait()
        if answer.was_reset:
            raise ConnectionResetError("the stream was reset")
        return answer

    async def close(self) -> None:
        """Close the connection, whatever is under way."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._writer.close()

    async def _read(self) -> None:
        while piece := await self._reader.read(_READ_BYTES):
            for event in self._state.receive_data(piece):
                self._take(event)
            self._send()
        for answer in self._answers.values():
            answer.was_reset = answer.was_reset or not answer.over.is_set()
            answer.over.set()

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived(stream_id=stream, headers=headers):
                self._answers[stream].headers = _texts(headers)
            case DataReceived(stream_id=stream, data=data, flow_controlled_length=length):
                answer = self._answers[stream]
                if not answer.body:
                    answer.opened()
                answer.body += data
                self._state.acknowledge_received_data(length, stream)
            case TrailersReceived(stream_id=stream, headers=headers):
                self._answers[stream].trailers = _texts(headers)
            case StreamEnded(stream_id=stream):
                self._answers[stream].over.set()
            case StreamReset(stream_id=stream):
                self._answers[stream].was_reset = True
                self._answers[stream].over.set()

    def _send(self) -> None:
        self._writer.write(self._state.data_to_send())


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
