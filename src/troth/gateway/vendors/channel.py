"""One road to one vendor over HTTP: TLS 1.3, no redirects, no cookies, no proxy, bounded time and bounded answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from troth.gateway.vendors.breaker import Breaker
from troth.kernel.errors import Denied, Invalid, TooMany, TrothError, VendorFailed

MAX_ANSWER = 64 << 20  # bytes; four large pictures in base64
_CONNECT_TRIES = 3
_CONNECT_PAUSE = 0.2  # seconds, doubled each time
_CONNECT_SECONDS = 10.0
_MAX_REFUSAL = 64 << 10  # bytes of an error body that are looked at

Body = Callable[[], Mapping[str, Any]]  # made anew for each try: a form can be sent only once


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one answer may take in seconds, and how many bytes it may have."""

    seconds: float = 120.0
    answer_bytes: int = MAX_ANSWER


class Channel:
    """POST to one vendor. Raises only `VendorFailed`, `TooMany`, `Invalid`, `Denied` and `Unavailable`."""

    def __init__(self, base_url: str, credential: str | None, limits: Limits, *, tls12: bool = False) -> None:
        self._base_url = base_url.rstrip("/")
        self._credential = credential
        self._limits = limits
        self._tls = ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2 if tls12 else ssl.TLSVersion.TLSv1_3
        self._breaker = Breaker()
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Body) -> bytes:
        """The whole answer."""
        async with self._answer(path, body) as response:
            return await self._read(response, self._limits.answer_bytes)

    async def post_stream(self, path: str, body: Body) -> AsyncGenerator[bytes, None]:
        """The answer in the pieces in which it arrives."""
        async with self._answer(path, body) as response:
            if response.content_type != "text/event-stream":
                raise VendorFailed("The vendor did not answer with a stream; ask without stream.",
                                   code="vendor-bad-answer")  # fmt: skip
            size = 0
            async for piece in response.content.iter_any():
                size += len(piece)
                if size > self._limits.answer_bytes:
                    raise _flood()
                yield piece

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def _answer(self, path: str, body: Body) -> AsyncIterator[aiohttp.ClientResponse]:
        self._breaker.check()
        try:
            response = await self._connect(path, body)
            try:
                await self._judge(response)
                yield response
            finally:
                response.close()
        except TrothError as error:
            if isinstance(error, VendorFailed):
                self._breaker.failed()
            else:
                self._breaker.succeeded()  # it refused this request, so it works
            raise
        except TimeoutError as error:
            self._breaker.failed()
            raise VendorFailed("The vendor took too long; try again later.", code="vendor-timeout") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self._breaker.failed()
            raise VendorFailed("The vendor broke the connection; try again later.", code="vendor-failed") from error
        self._breaker.succeeded()

    async def _connect(self, path: str, body: Body) -> aiohttp.ClientResponse:
        """Send the request; try again only while nothing was sent, so that no request runs twice."""
        pause = _CONNECT_PAUSE
        for attempt in range(_CONNECT_TRIES):
            try:
                return await self._open().post(
                    self._base_url + path, allow_redirects=False, ssl=self._tls, headers=self._headers(), **body()
                )
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                if attempt + 1 == _CONNECT_TRIES:
                    raise VendorFailed("The vendor cannot be reached; try again later.",
                                       code="vendor-unreachable") from error  # fmt: skip
            await asyncio.sleep(pause)
            pause *= 2
        raise VendorFailed("The vendor cannot be reached; try again later.", code="vendor-unreachable")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(
                total=self._limits.seconds, sock_connect=_CONNECT_SECONDS, connect=_CONNECT_SECONDS
            )
            self._session = aiohttp.ClientSession(
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small answer that unpacks to gigabytes stays small
                trust_env=False,
            )
        return self._session

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "troth"}
        if self._credential:
            headers["Authorization"] = f"Bearer {self._credential}"
        return headers

    async def _judge(self, response: aiohttp.ClientResponse) -> None:
        """Turn a refusal of the vendor into one of ours. Its text is never passed on: it may quote the request."""
        status = response.status
        if status == 200:
            return
        text = await self._read(response, _MAX_REFUSAL, cut=True) if 400 <= status < 500 else b""
        raise _refusal(status, text)

    async def _read(self, response: aiohttp.ClientResponse, limit: int, *, cut: bool = False) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_chunked(1 << 16):
            size += len(piece)
            if size > limit:
                if cut:
                    break
                raise _flood()
            pieces.append(piece)
        return b"".join(pieces)


def _flood() -> VendorFailed:
    return VendorFailed("The vendor's answer is larger than allowed; ask for less.", code="vendor-flood")


def _refusal(status: int, text: bytes) -> TrothError:
    if b"moderation_blocked" in text or b"content_policy_violation" in text or b"content_filter" in text:
        return Denied("The vendor's content policy does not permit this request; change it.", code="moderation-blocked")
    if status == 429:
        return TooMany("The vendor is busy or its quota is used up; try again later.", code="vendor-busy")
    if status in (400, 409, 413, 415, 422):
        return Invalid("The vendor does not accept this request; check model, size and options.",
                       code="vendor-refused-request")  # fmt: skip
    if status in (401, 403):
        return VendorFailed("The vendor does not accept the stored credential; the operator must renew it.",
                            code="vendor-credential")  # fmt: skip
    if status == 404:
        return VendorFailed("The vendor does not know this model; the operator must correct the record.",
                            code="vendor-model-unknown")  # fmt: skip
    if 300 <= status < 400:
        return VendorFailed("The vendor answered from another address; the operator must correct the record.",
                            code="vendor-redirected")  # fmt: skip
    return VendorFailed("The vendor failed; try again later.", code="vendor-failed")
