"""Where a verifier reads a log from: a folder, or a web address. Every resource has a limit of size, and of time."""

from __future__ import annotations

import http.client
import ssl
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from troth.audit.note import MAX_NOTE_BYTES
from troth.audit.reaudit import Resource
from troth.audit.tiles import CHECKPOINT, MAX_ENTRY_BYTES, WIDTH
from troth.kernel.errors import IntegrityError, Invalid, NotFound, TrothError, Unavailable

_SECONDS = 30.0  # for one resource
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ABSENT = frozenset({404, 410})
Headers = Callable[[str], Mapping[str, str]]


def folder(root: Path) -> Resource:
    """Resources from a folder in the tlog-tiles layout. Raises `NotFound`, `IntegrityError` for what is too large."""

    def read(path: str) -> bytes:
        place, limit = root / path, _limit(path)
        try:
            if not stat.S_ISREG(place.stat().st_mode):  # a pipe would never end
                raise NotFound("There is no such file in the folder.")
            with place.open("rb") as file:
                content = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound("There is no such file in the folder.") from error
        return _bounded(content, limit)

    return read


def _nothing(_path: str) -> Mapping[str, str]:
    return {}


class Website:
    """Resources below a web address, over one connection that is kept open. No redirects, no second tries."""

    def __init__(self, url: str, *, headers: Headers | None = None, authority: str | None = None) -> None:
        """`headers` is told each path and gives what to send with it: a proof is made for one request (RFC 9449).
        `authority` is a PEM file of certificate authorities. Raises `Invalid` for http beyond this machine."""
        place = urlsplit(url)
        local = place.scheme == "http" and place.hostname in _LOOPBACK
        if not place.hostname or not (place.scheme == "https" or local) or place.query or place.username:
            raise Invalid("Give an https address of a log (http only on this machine).", code="bad-url")
        self._base = place.path.rstrip("/")
        self._headers = headers or _nothing
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPConnection(place.hostname, place.port, timeout=_SECONDS)
            if local
            else http.client.HTTPSConnection(
                place.hostname, place.port, timeout=_SECONDS, context=ssl.create_default_context(cafile=authority)
            )
        )

    def __call__(self, path: str) -> bytes:
        """One resource. Raises `NotFound`, `Unavailable` when the server does not answer as a log does."""
        limit = _limit(path)
        try:
            place = f"{self._base}/{path}"
            self._connection.request("GET", place, headers=dict(self._headers(place)))
            response = self._connection.getresponse()
            content = _in_time(response, limit + 1)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unavailable("The log's server cannot be reached or does not answer.", code="no-server") from error
        if response.status != 200 or len(content) > limit:
            self.close()  # what is left of the answer must not be read as the next one
        if response.status in _ABSENT:
            raise NotFound("The log's server has no such resource.")
        if response.status != 200:
            raise _refused(response.status)
        return _bounded(content, limit)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _in_time(response: http.client.HTTPResponse, most: int) -> bytes:
    """At most that many bytes. Raises `TimeoutError` for a server that sends them one by one."""
    end, parts, left = time.monotonic() + _SECONDS, [], most
    while left and (part := response.read1(min(left, 1 << 16))):
        parts.append(part)
        left -= len(part)
        if time.monotonic() > end:
            raise TimeoutError
    response.read(0)  # marks an answer that was read to its end as done, so that the connection serves the next
    return b"".join(parts)


def _limit(path: str) -> int:
    """The most bytes that a resource of that name may have."""
    if path == CHECKPOINT:
        return MAX_NOTE_BYTES
    return WIDTH * (MAX_ENTRY_BYTES + 2) if path.startswith("tile/entries/") else WIDTH * 32


def _bounded(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise IntegrityError("A resource of the log is larger than its format allows.", code="too-large")
    return content


def _refused(status: int) -> TrothError:
    if status in (401, 403):
        advice = "The log's server does not let you read it; run troth sign-in, or set TROTH_SESSION."
        return Unavailable(advice, code="not-allowed")
    if status == 503:
        return Unavailable(
            "The log is not signed yet, or its server is busy; try again in a second.", code="no-checkpoint"
        )
    return Unavailable(f"The log's server answered with status {status}.", code="no-server")
