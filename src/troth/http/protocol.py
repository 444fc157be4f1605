"""HTTP/1.1 on one connection: bounds on what is not body, and on time; what is not HTTP is refused in our words."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from troth.http.problems import problem
from troth.kernel.errors import HeadTooLarge, Malformed, TrothError
from troth.kernel.ids import new_id

# Request line, headers, chunk sizes and trailers of one message; neither httptools nor uvicorn has a limit.
MAX_OVERHEAD = 64 << 10
_BODY_SHARE = 8  # chunks so small that their sizes take an eighth of the body are an attack
HEAD_SECONDS = 20.0  # from the connection, or the first byte of a message, to the end of its headers
BODY_SECONDS = 300.0  # from there to the end of the body: 32 MiB at 1 Mbit/s


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit: bytes that are not body, against the body they came with."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._overhead = 0
        self._body = 0
        self._ended = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; uvicorn alone would wait for ever."""
        super().connection_made(transport)
        self._expect(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is expected."""
        self._expect(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The headers follow."""
        self._expect(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._expect(BODY_SECONDS)
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read what arrived; closes the connection when the limit is passed."""
        body, self._ended = self._body, False
        super().data_received(data)
        if self._ended:  # what is left of this piece belongs to the next message, and is at most one piece
            self._overhead = self._body = 0
            return
        self._overhead += len(data) - (self._body - body)
        if self._overhead > MAX_OVERHEAD + self._body // _BODY_SHARE and not self.transport.is_closing():
            advice = "The headers of this request are too large; send fewer or shorter ones."
            self._refuse(HeadTooLarge(advice))

    def on_body(self, body: bytes) -> None:
        """Count and pass on."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next byte begins another message."""
        self._ended = True
        self._expect(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the library's words stay inside
        """Answer bytes that are no HTTP request, and close."""
        self._refuse(Malformed("These bytes are not an HTTP/1.1 request.", code="broken-http"))

    def _expect(self, seconds: float | None) -> None:
        """Close the connection unless the next part of a message is whole within so many seconds."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self.transport.abort()  # closing in good order would wait for the other side, who is silent

    def _refuse(self, error: TrothError) -> None:
        answered = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answered:  # in the middle of an answer, bytes of another would be taken for its content
            response = problem(error, new_id("req"))
            lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
            lines += [name + b": " + value for name, value in response.raw_headers]
            self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self.transport.close()
