"""Asks witnesses over HTTP (C2SP tlog-witness). Requests go to the addresses of the policy and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from troth.kernel.errors import Invalid, Unavailable

if TYPE_CHECKING:
    import aiohttp

SIZE_TYPE = "text/x.tlog.size"
_MOST = 32 << 10  # an answer is a few signature lines; ML-DSA-44 makes lines of 3.3 kB
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said, unchecked."""

    status: int
    media_type: str
    body: bytes


class WitnessClient:
    """POSTs to several witnesses side by side; one that is away, late or too talkative gave no answer (None)."""

    def __init__(self, *, seconds: float, authority: Path | None = None) -> None:
        """`seconds` for a request; `authority` is a PEM file to trust beside the system's. Raises `Unavailable`."""
        self._seconds = seconds
        try:
            self._context = ssl.create_default_context()
            if authority is not None:
                self._context.load_verify_locations(authority)
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(
                "The authority of the witnesses cannot be read; set TROTH_AUDIT__WITNESS_AUTHORITY to a PEM file.",
                code="witness-authority",
            ) from error

    def ask(self, requests: Sequence[tuple[str, bytes]]) -> list[Answer | None]:
        """Bodies to submission prefixes; the answers in the same order. Not to be called on an event loop."""
        loop = asyncio.new_event_loop()  # `asyncio.run` would wait for a name that is still being looked up
        try:
            return loop.run_until_complete(self._ask(requests))
        finally:
            loop.close()

    async def _ask(self, requests: Sequence[tuple[str, bytes]]) -> list[Answer | None]:
        import aiohttp  # noqa: PLC0415  8 MB that a server without witnesses does without

        timeout = aiohttp.ClientTimeout(total=self._seconds)
        connector = aiohttp.TCPConnector(ssl=self._context)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            return list(await asyncio.gather(*(_one(session, url, body) for url, body in requests)))


def require_address(url: str) -> str:
    """A submission prefix without its last slash. Raises `Invalid` unless it is https, or http on this machine."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        good = (parts.scheme == "https" or plain) and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username is not None:
        raise Invalid(
            "The address of a witness in the policy is an https URL without query, or http on this machine.",
            code="witness-url",
        )
    return url.rstrip("/")


async def _one(session: aiohttp.ClientSession, url: str, body: bytes) -> Answer | None:
    from aiohttp import ClientError  # noqa: PLC0415

    try:
        async with session.post(f"{url}/add-checkpoint", data=body, allow_redirects=False) as response:
            content = bytearray()
            async for piece in response.content.iter_any():
                content += piece
                if len(content) > _MOST:
                    return None
            return Answer(response.status, response.headers.get("content-type", ""), bytes(content))
    except (ClientError, OSError, TimeoutError, ValueError):
        return None
