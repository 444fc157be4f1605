"""HTTP/1.1 on one connection: bounds what is not body, and refuses in our own shape what is not HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from troth.http.problems import problem
from troth.kernel.errors import HeadTooLarge, Malformed, TrothError
from troth.kernel.ids import new_id

# Request line, headers, chunk sizes and trailers of one message; neither httptools nor uvicorn has a limit.
MAX_OVERHEAD = 64 << 10
_BODY_SHARE = 8  # chunks so small that their sizes take an eighth of the body are an attack


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit: bytes that are not body, against the body they came with."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._overhead = 0
        self._body = 0
        self._ended = False

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
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the library's words stay inside
        """Answer bytes that are no HTTP request, and close."""
        self._refuse(Malformed("These bytes are not an HTTP/1.1 request.", code="broken-http"))

    def _refuse(self, error: TrothError) -> None:
        answered = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answered:  # in the middle of an answer, bytes of another would be taken for its content
            response = problem(error, new_id("req"))
            lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
            lines += [name + b": " + value for name, value in response.raw_headers]
            self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self.transport.close()
