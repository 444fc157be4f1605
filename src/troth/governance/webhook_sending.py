"""Sends webhooks: only to public https addresses, looked at when they are resolved, and no redirect is followed.

The rules are those for identity providers (`identity.sso.fetching.Reach`): a name is resolved once and the connection
goes to what was looked at, so a name server that answers otherwise the second time changes nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from troth.identity.sso.fetching import Reach, resolver, socket_maker
from troth.kernel.errors import Invalid, Unavailable, VendorFailed

SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Outside:
    """Posts to addresses that people of a tenant gave."""

    reach: Reach

    def require(self, url: str) -> None:
        """Raises Invalid(webhook-address-refused) for an address that nothing may go to, wherever it leads."""
        try:
            self.reach.require_url(url)
        except Invalid:
            raise _refused() from None

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Post it; any status 2xx counts as taken.

        Raises Invalid(webhook-address-refused), VendorFailed(webhook-refused, webhook-away, webhook-slow).
        """
        self.require(url)
        try:
            status = asyncio.run(self._posted(url, body, headers))
        except TimeoutError as error:
            raise _failed("webhook-slow") from error
        if not 200 <= status < 300:  # a redirect leads elsewhere
            raise _failed("webhook-refused")

    async def _posted(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        library = _library()
        connector = library.TCPConnector(
            resolver=resolver(self.reach), socket_factory=socket_maker(self.reach), ssl=self._tls(url),
            use_dns_cache=False, force_close=True,
        )  # fmt: skip
        limits = library.ClientTimeout(total=SECONDS, sock_connect=_CONNECT_SECONDS)
        sent = {"content-type": "application/json", "user-agent": "troth", "accept-encoding": "identity", **headers}
        session = library.ClientSession(
            connector=connector, timeout=limits, cookie_jar=library.DummyCookieJar(), auto_decompress=False,
            trust_env=False,
        )  # fmt: skip
        try:
            async with session, session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return int(response.status)  # of the answer nothing else is read
        except (library.ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            if _was_refused(error):
                raise _refused() from error
            raise _failed("webhook-away") from error

    def _tls(self, url: str) -> Any:
        if not url.startswith("https:"):
            return True  # plain loopback, which an operator allowed
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.reach.authority is not None:
            context.load_verify_locations(self.reach.authority)
        return context


def _was_refused(error: BaseException) -> bool:
    """True when an address that the name leads to is refused: the refusal stands somewhere among the causes."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, Invalid):
            return True
        found = found.__cause__ or found.__context__
    return False


def _refused() -> Invalid:
    return Invalid("Give a public https address; nothing goes to private networks.", code="webhook-address-refused")


def _failed(code: str) -> VendorFailed:
    return VendorFailed("The webhook did not take the message; look at its server.", code=code)


def _library() -> Any:
    try:
        import aiohttp as module  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("Webhooks need the extra 'server'.", code="extra-missing") from error
    return module
