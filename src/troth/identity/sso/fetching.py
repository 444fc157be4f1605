"""Asking other people's servers: addresses come from owners of tenants, so every one is looked at before it is used.

A name is resolved once, here, and the connection goes to what was looked at, so a second answer of the name server
changes nothing (DNS rebinding). No redirect is followed, nothing is unpacked, time and size have limits. Private,
loopback, link-local and reserved addresses are refused unless an operator named their network.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from troth.identity.sso.slots import Slots
from troth.kernel.errors import Invalid, Unavailable, VendorFailed

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 256 << 10
MOST_DEPTH = 16
SECONDS = 5.0
_CONNECT_SECONDS = 3.0
_MOST_URL = 2048
_UNICAST = IPv6Network("2000::/3")  # what is given out (RFC 4291): most that translates is outside
_CARRIERS = IPv6Network("2002::/16"), IPv6Network("2001::/32")  # 6to4, Teredo: an IPv4 address inside


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be asked. `networks`: private networks that an operator named; `plain`: http:// to loopback ones of
    them; `authority`: a PEM file of further certificate authorities."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    plain: bool = False
    authority: Path | None = None

    def require_url(self, url: str) -> None:
        """Raises `Invalid` (`sso-address-refused`) for an address that nothing may go to, wherever it leads."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise _refused() from None
        plain = parts.scheme == "http" and self.plain and host in ("127.0.0.1", "::1", "localhost")
        odd = parts.username is not None or parts.password is not None or parts.fragment or not url.isprintable()
        if not host or odd or len(url) > _MOST_URL or " " in url or not (parts.scheme == "https" or plain):
            raise _refused()
        if ":" in host or host.replace(".", "").isdigit():  # what aiohttp connects to without asking the resolver
            self.require_address(host)

    def require_address(self, text: str) -> None:
        """Raises `Invalid` (`sso-address-refused`) unless the address is public or in a network that was named."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:  # such as 127.1, which the operating system would complete
            raise _refused() from None
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self.networks):
            return
        carried = any(address in one for one in _CARRIERS)
        outside = isinstance(address, IPv6Address) and address not in _UNICAST
        if not address.is_global or address.is_multicast or carried or outside:
            raise _refused()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `values` is its JSON object."""

    status: int
    values: Mapping[str, Any] = field(repr=False)


class Asker(Protocol):
    """For whom a server is asked: a connection of a tenant."""

    @property
    def id(self) -> str:
        """Of the connection."""

    @property
    def tenant(self) -> str:
        """Whose it is."""


class Fetcher:
    """Asks servers for JSON objects. Raises `Invalid` for a refused address, `VendorFailed` for a bad answer."""

    def __init__(self, reach: Reach, *, seconds: float = SECONDS) -> None:
        self.reach = reach
        self._seconds = seconds
        self._context: ssl.SSLContext | None = None
        self._slots = Slots()

    async def get(self, url: str, asker: Asker, *, token: str | None = None) -> Mapping[str, Any]:
        """A document. `token` goes as Bearer credential. Raises `VendorFailed` for any status but 200."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self._ask("GET", url, asker, headers, None)
        if answer.status != 200:
            raise unanswered("sso-provider-refused")
        return answer.values

    async def post(self, url: str, asker: Asker, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """What a form gets, with status 200, 201 or 4xx."""
        return await self._ask("POST", url, asker, headers, form)

    async def _ask(
        self, method: str, url: str, asker: Asker, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Answer:
        self.reach.require_url(url)
        try:
            async with asyncio.timeout(self._seconds), self._slots.held(asker.tenant, asker.id):
                return await self._asked(method, url, headers, form)
        except TimeoutError as error:
            raise unanswered("sso-provider-slow") from error

    async def _asked(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Answer:
        library = _library()
        tls: Any = self._tls() if url.startswith("https:") else True
        connector = library.TCPConnector(
            resolver=resolver(self.reach),
            socket_factory=socket_maker(self.reach),
            ssl=tls,
            use_dns_cache=False,
            force_close=True,
        )
        limits = library.ClientTimeout(total=self._seconds, sock_connect=_CONNECT_SECONDS)
        sent = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "troth", **headers}
        session = library.ClientSession(
            connector=connector,
            timeout=limits,
            cookie_jar=library.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        try:
            async with (
                session,
                session.request(method, url, data=form, headers=sent, allow_redirects=False) as response,
            ):
                return await _judged(response)
        except _RefusedAddress as error:
            raise _refused() from error
        except (library.ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            if isinstance(error.__cause__, _RefusedAddress):
                raise _refused() from error
            raise unanswered("sso-provider-away") from error

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.reach.authority is not None:
                self._context.load_verify_locations(self.reach.authority)
        return self._context


class _RefusedAddress(OSError):
    """A name leads to an address that is refused."""


def socket_maker(reach: Reach) -> Callable[[Any], socket.socket]:
    """The last gate, which every connection passes, also one to an address that nobody resolved."""

    def make(place: Any) -> socket.socket:
        family, kind, protocol, _, address = place
        try:
            reach.require_address(str(address[0]))
        except Invalid as error:
            raise _RefusedAddress from error
        return socket.socket(family, kind, protocol)

    return make


def resolver(reach: Reach) -> Any:
    """Resolves names for aiohttp, once, and lets nothing through that `reach` refuses."""
    from aiohttp.abc import AbstractResolver  # noqa: PLC0415

    class Resolver(AbstractResolver):
        """Resolves a name and lets nothing through that is refused, not even beside something good."""

        async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[Any]:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=socket.AddressFamily(family))
            for *_, place in found:
                try:
                    reach.require_address(str(place[0]))
                except Invalid as error:
                    raise _RefusedAddress from error
            return [
                {"hostname": host, "host": place[0], "port": port, "family": kind, "proto": protocol, "flags": 0}
                for kind, _, protocol, _, place in found
            ]

        async def close(self) -> None:
            """Nothing to give back."""

    return Resolver()


async def _judged(response: aiohttp.ClientResponse) -> Answer:
    if not (response.status in (200, 201) or 400 <= response.status < 500):  # a redirect leads elsewhere
        raise unanswered("sso-provider-refused")
    kind = response.content_type
    plain = response.headers.get("content-encoding", "identity").lower() == "identity"
    if not plain or not (kind in ("application/json", "application/jwk-set+json") or kind.endswith("+json")):
        if response.status >= 400:
            return Answer(response.status, {})
        raise unanswered("sso-provider-answer")
    content = bytearray()
    async for piece in response.content.iter_chunked(1 << 14):
        content += piece
        if len(content) > MOST_BYTES:
            raise unanswered("sso-provider-answer")
    return Answer(response.status, object_of(bytes(content)))


def object_of(content: bytes) -> dict[str, Any]:
    """A JSON object without repeated names or deep nests. Raises `VendorFailed` (`sso-provider-answer`)."""
    depth = deepest = 0
    for sign in content:  # brackets in texts count too: no honest document has so many open at once
        depth += (sign in b"[{") - (sign in b"]}")
        deepest = max(deepest, depth)
    try:
        if deepest > MOST_DEPTH:
            raise ValueError
        value = json.loads(content, object_pairs_hook=_once, parse_constant=_never)
    except ValueError as error:
        raise unanswered("sso-provider-answer") from error
    if not isinstance(value, dict):
        raise unanswered("sso-provider-answer")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _never(_: str) -> None:
    raise ValueError


def unanswered(code: str) -> VendorFailed:
    """The refusal of what a provider answered, or did not answer."""
    return VendorFailed("The identity provider did not answer as it must; tell your administrator.", code=code)


def _refused() -> Invalid:
    return Invalid(
        "Give a public https address; of a private network an operator must allow it first.", code="sso-address-refused"
    )


def _library() -> Any:
    try:
        import aiohttp as module  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("Single sign-on needs the extra 'server'.", code="extra-missing") from error
    return module
