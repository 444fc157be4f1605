"""Asks a ClamAV daemon about an upload: clamd(8), command INSTREAM, over a UNIX socket or loopback TCP.

The daemon speaks no TLS, so it is reached on this machine only. Whatever it answers other than `OK` refuses.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Final

from troth.gateway.intake.malware import malware
from troth.kernel.errors import Unavailable

_PIECE: Final = 1 << 16
_MOST_ANSWER: Final = 4096  # bytes; an answer is one line with the name of a signature
_CLEAN: Final = b"stream: OK"


class Clamd:
    """Implements `malware.Antivirus`. `address` is `unix:/path` or `host:port` (loopback); `seconds` for one upload."""

    def __init__(self, address: str, seconds: float = 30.0) -> None:
        self._address = address
        self._seconds = seconds

    def examine(self, content: bytes) -> None:
        """Returns when the daemon says OK. Raises `Invalid` (`malware-found`), `Unavailable` (`antivirus-away`)."""
        try:
            answer = self._ask(content)
        except (OSError, ValueError) as error:
            raise _away() from error
        if answer == _CLEAN:
            return
        if answer.startswith(b"stream: ") and answer.endswith(b" FOUND"):
            raise malware("something that the virus scanner knows")
        raise _away()  # size limit exceeded, scan error, or no clamd

    def _ask(self, content: bytes) -> bytes:
        """The answer to INSTREAM, without its NUL. Raises `OSError` when time is over or the line breaks."""
        ends = time.monotonic() + self._seconds
        with self._connected() as line:
            line.sendall(b"zINSTREAM\0")
            view = memoryview(content)
            for start in range(0, len(view), _PIECE):
                line.settimeout(_left(ends))
                piece = view[start : start + _PIECE]
                line.sendall(struct.pack(">I", len(piece)))
                line.sendall(piece)
            line.sendall(struct.pack(">I", 0))
            return _answer(line, ends)

    def _connected(self) -> socket.socket:
        if self._address.startswith("unix:"):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(self._seconds)
            try:
                line.connect(self._address.removeprefix("unix:"))
            except OSError:
                line.close()
                raise
            return line
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self._seconds)


def _answer(line: socket.socket, ends: float) -> bytes:
    answer = bytearray()
    while b"\0" not in answer:
        line.settimeout(_left(ends))
        piece = line.recv(_MOST_ANSWER)
        if not piece or len(answer) + len(piece) > _MOST_ANSWER:
            raise ConnectionError
        answer += piece
    return bytes(answer.partition(b"\0")[0])


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _away() -> Unavailable:
    return Unavailable(
        "The virus scanner does not answer as it should, so no upload is taken; try again later.",
        code="antivirus-away",
    )
