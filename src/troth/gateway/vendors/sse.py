"""Server-sent events (WHATWG HTML, section 9.2) as OpenAI uses them: `data:` lines, an empty line ends an event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from troth.kernel.errors import VendorFailed

MAX_EVENT = 1 << 20  # bytes that one event may hold before it is refused


class EventReader:
    """Bytes in, in pieces of any size; the data of whole events out. Raises `VendorFailed` for an endless event.

    Each byte is looked at once, however small the pieces; what is held is at most `most` bytes and one piece.
    """

    def __init__(self, most: int = MAX_EVENT) -> None:
        self._most = most
        self._rest = bytearray()  # the line that has not ended yet
        self._data: list[bytes] = []
        self._size = 0  # of `_data`, line ends counted: empty lines are not free

    def feed(self, piece: bytes) -> Iterator[str]:
        """The events that `piece` completes."""
        first, *lines = piece.split(b"\n")
        self._rest += first
        for following in lines:
            line, self._rest = bytes(self._rest), bytearray(following)
            yield from self._line(line.removesuffix(b"\r"))
        self._bound()

    def _line(self, line: bytes) -> Iterator[str]:
        if not line:
            if self._data:
                event, self._data, self._size = b"\n".join(self._data), [], 0
                yield _text(event)
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value) + 1
            self._bound()

    def _bound(self) -> None:
        if self._size + len(self._rest) > self._most:
            raise VendorFailed("The vendor sent an event without end; try again.", code="vendor-flood")


Told = TypeVar("Told")


class Events(Generic[Told]):
    """Events as `parse` understands them (it raises `VendorFailed`), to the one of which `is_last` is true.

    `whole`: a stream that ends without it was broken off.
    """

    def __init__(
        self,
        parse: Callable[[str], Told],
        is_last: Callable[[Told], bool],
        *,
        most: int = MAX_EVENT,
        whole: bool = True,
    ) -> None:
        self._reader = EventReader(most)
        self._parse = parse
        self._whole = whole
        self.is_last = is_last

    def feed(self, piece: bytes) -> Iterator[Told]:
        """The events that `piece` completes. Raises `VendorFailed`."""
        return map(self._parse, self._reader.feed(piece))

    def end(self) -> None:
        """The stream is over. Raises `VendorFailed` when it may not be."""
        if self._whole:
            raise broken_off()


def broken_off() -> VendorFailed:
    """A stream that ended too soon."""
    return VendorFailed("The vendor's stream broke off; try again.", code="vendor-truncated")


def _text(event: bytes) -> str:
    try:
        return event.decode()
    except UnicodeDecodeError as error:
        raise VendorFailed("The vendor's stream is not UTF-8; try again.", code="vendor-bad-answer") from error


def encode(data: str) -> bytes:
    """One event as bytes; `data` holds no line breaks (JSON never does)."""
    return b"data: " + data.encode() + b"\n\n"
