"""HTTP/1.1 on one connection: bounds on what is not body, and on time; what is not HTTP is refused in our words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from troth.http.network import line
from troth.http.peer import extension_of, with_extension
from troth.http.problems import problem
from troth.kernel.errors import HeadTooLarge, Malformed, TooSlow, TrothError
from troth.kernel.ids import new_id

# Request line, headers, chunk sizes and trailers of one message; neither httptools nor uvicorn has a limit.
MAX_OVERHEAD = 64 << 10
_BODY_SHARE = 8  # chunks so small that their sizes take an eighth of the body are an attack
HEAD_SECONDS = 10.0  # from the connection, or the first byte of a message, to the end of its headers
BODY_SECONDS = 300.0  # from there to the end of the body: 32 MiB at 1 Mbit/s
PACE_SECONDS = 10.0  # in each of which, while we read, so many bytes of the body must come
PACE_BYTES = 5_000  # 500 bytes a second, as Apache's mod_reqtimeout


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits: bytes that are not body, time, and connections of one address."""

    most_of_one_line = 64  # of one IPv4 address or IPv6 /64; a browser opens six

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._overhead = 0
        self._body = 0
        self._ended = False
        self._ends = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._shown: dict[str, Any] | None = None
        self.line = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; uvicorn alone would wait for ever. One address has so many connections."""
        super().connection_made(transport)
        self._shown = extension_of(transport)
        self._expect(HEAD_SECONDS)
        self.line = line(self.client[0] if self.client else "")
        of_this_line = [one for one in self.connections if isinstance(one, BoundedProtocol) and one.line == self.line]
        if len(of_this_line) > self.most_of_one_line:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is expected."""
        self._expect(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The headers follow."""
        self._expect(HEAD_SECONDS)
        super().on_message_begin()
        with_extension(self.scope, self._shown)

    def on_headers_complete(self) -> None:
        """The body follows, at a pace."""
        self._ends = self.loop.time() + BODY_SECONDS
        self._expect(PACE_SECONDS, self._judge_pace, 0)
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read what arrived; closes the connection when the limit is passed."""
        body, self._ended = self._body, False
        super().data_received(data)
        if self._waits_for_nothing():  # an empty line between messages stops uvicorn's clock and begins no message
            self._expect(HEAD_SECONDS)
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

    def _waits_for_nothing(self) -> bool:
        answered = self.cycle is not None and self.cycle.response_complete
        return answered and self._deadline is None and self.timeout_keep_alive_task is None

    def _expect(self, seconds: float | None, late: Callable[..., None] | None = None, *facts: int) -> None:
        """Close the connection, or call `late`, unless the next part of a message is whole within so many seconds."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, late or self._too_late, *facts)

    def _judge_pace(self, before: int) -> None:
        """The body is not whole; `before` bytes of it were here at the last look. Who is made to wait is not slow."""
        waits = self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue)
        if self.loop.time() >= self._ends or (self._body - before < PACE_BYTES and not waits):
            self._refuse(TooSlow("The body of this request comes too slowly; send it faster.", code="body-too-slow"))
            self._expect(HEAD_SECONDS)  # closing in good order waits for the other side; not for ever
        else:
            self._expect(PACE_SECONDS, self._judge_pace, self._body)

    def _too_late(self, *_: int) -> None:
        self.transport.abort()  # closing in good order would wait for the other side, who is silent

    def _refuse(self, error: TrothError) -> None:
        answered = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answered:  # in the middle of an answer, bytes of another would be taken for its content
            response = problem(error, new_id("req"))
            lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
            lines += [name + b": " + value for name, value in response.raw_headers]
            self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self.transport.close()


def bounded(connections_per_address: int) -> type[BoundedProtocol]:
    """The protocol with another limit of connections."""
    return type("BoundedProtocol", (BoundedProtocol,), {"most_of_one_line": connections_per_address})
