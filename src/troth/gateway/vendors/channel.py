"""One road to one vendor over HTTP: TLS 1.3, no redirects, no cookies, no proxy, bounded time and bounded answers."""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar

import aiohttp
from yarl import URL

from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.breaker import Breaker
from troth.gateway.vendors.sse import Events
from troth.kernel.errors import Denied, Invalid, TooMany, TrothError, VendorFailed
from troth.kernel.uses import VENDOR, Meter, Unmetered

_CONNECT_TRIES = 3
_CONNECT_PAUSE = 0.2  # seconds, doubled each time
_CONNECT_SECONDS = 10.0
_MAX_REFUSAL = 64 << 10  # bytes of an error body that are looked at

_YES = frozenset({200, 201, 202})
_MAX_RETRY_AFTER = 64  # characters
_PASSING = frozenset({"vendor-failed", "vendor-overloaded"})
_LONGEST_WAIT = 5.0  # seconds that a caller is kept waiting when the vendor asks to come again

Answer = TypeVar("Answer")
Body = Callable[[], Mapping[str, Any]]  # made anew for each try: a form can be sent only once
# Headers that prove who asks, made from method, address and body (bytes, where the adapter sends bytes).
Authorize = Callable[[str, str, Mapping[str, Any]], Mapping[str, str]]


class Road(Protocol):
    """What an adapter needs of a channel."""

    async def post(self, path: str, body: Body, understand: Callable[[bytes], Answer]) -> Answer:
        """The whole answer as `understand` reads it."""
        ...

    async def fetch(self, path: str, *, method: str = "GET") -> bytes:
        """The whole answer to a request without a body."""
        ...

    def post_stream(
        self, path: str, body: Body, events: Events[Answer], media: str = "text/event-stream"
    ) -> AsyncGenerator[Answer, None]:
        """The events of an answer as they arrive."""
        ...


class Channel:
    """POST to one vendor. Raises only `VendorFailed`, `TooMany`, `Invalid`, `Denied` and `Unavailable`."""

    def __init__(
        self,
        base_url: str,
        credential: str | None,
        limits: Limits,
        *,
        tls12: bool = False,
        meter: Meter | None = None,
        authorize: Authorize | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._authorize = authorize or _bearer(credential)
        self._limits = limits
        self._tls = ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2 if tls12 else ssl.TLSVersion.TLSv1_3
        self._meter = meter or Unmetered()
        self.health = Breaker()
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Body, understand: Callable[[bytes], Answer]) -> Answer:
        """The whole answer as `understand` reads it. What it refuses counts as a failure of the vendor."""
        async with self._answer(path, body) as response:
            return understand(await self._read(response, self._limits.answer_bytes))

    async def fetch(self, path: str, *, method: str = "GET") -> bytes:
        """The whole answer to a request without a body."""
        async with self._answer(path, dict, method) as response:
            return await self._read(response, self._limits.answer_bytes)

    async def exchange(
        self, method: str, path: str, body: Body, understand: Callable[[int, str, bytes], Answer]
    ) -> Answer:
        """As `post`, for vendors whose status says more than yes: `understand` gets it (200 to 202) and the media type
        too."""
        async with self._answer(path, body, method) as response:
            content = await self._read(response, self._limits.answer_bytes)
            return understand(response.status, response.content_type, content)

    async def post_stream(
        self, path: str, body: Body, events: Events[Answer], media: str = "text/event-stream"
    ) -> AsyncGenerator[Answer, None]:
        """The events of an answer as they arrive, to the last. What cannot be read is a failure of the vendor."""
        async with self._answer(path, body) as response:
            if response.content_type != media:
                raise VendorFailed("The vendor did not answer with a stream; ask without stream.",
                                   code="vendor-bad-answer")  # fmt: skip
            size = 0
            async for piece in self._pieces(response):
                size += len(piece)
                if size > self._limits.answer_bytes:
                    raise _flood()
                for event in events.feed(piece):
                    yield event
                    if events.is_last(event):
                        return
            events.end()

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def _answer(self, path: str, body: Body, method: str = "POST") -> AsyncIterator[aiohttp.ClientResponse]:
        self.health.check()
        began = time.monotonic()
        try:
            response = await self._begin(method, path, body)
            took = time.monotonic() - began
            try:
                yield response
            finally:
                response.close()
        except TrothError as error:
            if isinstance(error, VendorFailed):
                self.health.failed()
            else:
                self.health.succeeded()  # it refused this request, so it works
            raise
        except TimeoutError as error:
            self.health.failed()
            raise VendorFailed("The vendor took too long; try again later.", code="vendor-timeout") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self.health.failed()
            raise VendorFailed("The vendor broke the connection; try again later.", code="vendor-failed") from error
        self.health.succeeded(took)

    async def _begin(self, method: str, path: str, body: Body) -> aiohttp.ClientResponse:
        """A response that is the vendor's yes. Sent once more after a short pause that the vendor asked for, and, where
        the vendor says that it runs a request of one Idempotency-Key once, after a failure."""
        key = secrets.token_hex(16) if self._limits.idempotent else None
        try:
            return await self._ask(method, path, body, key)
        except _Pause as asked:
            if not asked.seconds <= _LONGEST_WAIT:
                self.health.asked_for_pause(asked.seconds)
                raise asked.refusal from None
            await asyncio.sleep(asked.seconds)
        except (aiohttp.ClientError, OSError, VendorFailed) as error:
            if key is None or (isinstance(error, VendorFailed) and error.code not in _PASSING):
                raise
            await asyncio.sleep(_CONNECT_PAUSE * (1 + random.random()))  # noqa: S311 - so that not all come at once
        try:
            return await self._ask(method, path, body, key)
        except _Pause as asked:
            self.health.asked_for_pause(asked.seconds)
            raise asked.refusal from None

    async def _ask(self, method: str, path: str, body: Body, key: str | None) -> aiohttp.ClientResponse:
        self._meter.count(VENDOR)  # before the first byte: what cannot be counted does not leave
        response, accepted = await self._connect(method, path, body, key), False
        try:
            await self._judge(response)
            accepted = True
        except TrothError as refusal:
            seconds = _pause(response.headers.get("Retry-After"))
            if response.status in (429, 503) and seconds is not None:
                raise _Pause(refusal, seconds) from None
            raise
        finally:
            if not accepted:
                response.close()
        return response

    async def _connect(self, method: str, path: str, body: Body, key: str | None) -> aiohttp.ClientResponse:
        """Send the request; try again only while nothing was sent, so that no request runs twice."""
        pause = _CONNECT_PAUSE
        for attempt in range(_CONNECT_TRIES):
            try:
                url, sent = self._base_url + path, body()
                headers = self._headers(method, url, sent, key)
                place = URL(url, encoded="%" in path)  # what an adapter encoded, and may have signed, stays as it is
                return await self._open().request(
                    method, place, allow_redirects=False, ssl=self._tls, headers=headers, **sent
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

    def _headers(self, method: str, url: str, sent: Mapping[str, Any], key: str | None) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "troth"}
        if key is not None:
            headers["Idempotency-Key"] = key  # draft-ietf-httpapi-idempotency-key-header
        return headers | dict(self._authorize(method, url, sent))

    async def _judge(self, response: aiohttp.ClientResponse) -> None:
        """Turn a refusal of the vendor into one of ours. Its text is never passed on: it may quote the request."""
        status = response.status
        if status in _YES:
            return
        text = await self._read(response, _MAX_REFUSAL, cut=True) if 400 <= status < 500 else b""
        raise _refusal(status, text)

    async def _read(self, response: aiohttp.ClientResponse, limit: int, *, cut: bool = False) -> bytes:
        pieces, size = [], 0
        async for piece in self._pieces(response):
            size += len(piece)
            if size > limit:
                if cut:
                    break
                raise _flood()
            pieces.append(piece)
        return b"".join(pieces)

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
        """What arrives. Raises `TimeoutError` when nothing does for too long; a caller may take their time."""
        while True:
            async with asyncio.timeout(self._limits.idle_seconds):
                piece = await response.content.readany()
            if not piece:
                return
            yield piece


class _Pause(Exception):
    """The vendor refused and said in how many seconds to come again."""

    def __init__(self, refusal: TrothError, seconds: float) -> None:
        super().__init__()
        self.refusal = refusal
        self.seconds = seconds


def _bearer(credential: str | None) -> Authorize:
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    return lambda _method, _url, _sent: headers


def _pause(header: str | None) -> float | None:
    """Seconds of a Retry-After, as a number or a date (RFC 9110 section 10.2.3); None without a readable one."""
    if header is None or len(header) > _MAX_RETRY_AFTER:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time()) if moment.tzinfo else None


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
    if status in (503, 529):
        return VendorFailed("The vendor is overloaded and did not take the request; try again later.",
                            code="vendor-overloaded")  # fmt: skip
    if 300 <= status < 400:
        return VendorFailed("The vendor answered from another address; the operator must correct the record.",
                            code="vendor-redirected")  # fmt: skip
    return VendorFailed("The vendor failed; try again later.", code="vendor-failed")
