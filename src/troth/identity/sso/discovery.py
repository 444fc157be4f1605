"""What a provider says of itself (OpenID Connect Discovery 1.0, RFC 8414), and its keys. The issuer is pinned."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.fetching import Fetcher, unanswered
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Invalid

KEPT_MS = 10 * 60 * 1000  # how long what a provider says of itself is believed
REFRESH_MS = 30 * 1000  # a key that is not there is looked for at most this often
MOST_KEYS = 64
_MOST_KEPT = 256  # providers in memory


@dataclass(frozen=True, slots=True)
class Provider:
    """The parts of a provider's metadata that are used."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str | None
    pushed: str | None
    says_issuer: bool  # RFC 9207: `iss` stands in every authorization response
    back_channel_logout: bool


@dataclass(slots=True)
class _Kept:
    provider: Provider
    read_at: int
    keys: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    keys_at: int | None = None
    reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class Directory:
    """Providers and their keys, remembered for minutes."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def provider(self, connection: SsoConnection) -> Provider:
        """What the connection's provider says of itself. Raises `VendorFailed`, `Invalid` (refused address)."""
        return (await self._known(connection)).provider

    async def keys(self, connection: SsoConnection, *, missing: bool = False) -> tuple[Mapping[str, Any], ...]:
        """The provider's public keys as JWKs. `missing`: one was not among them; they are read again, not too often."""
        kept = await self._known(connection)
        async with kept.reading:  # who comes meanwhile waits for the keys, and does not find none
            now = self._now()
            if kept.keys_at is None or now >= kept.keys_at + (REFRESH_MS if missing else KEPT_MS):
                kept.keys_at = now  # before the answer: whoever makes keys up asks once, however it ends
                kept.keys = public_keys(await self._fetcher.get(kept.provider.jwks, connection))
            return kept.keys

    def forget(self, connection: str) -> None:
        """A connection changed."""
        for place in [one for one in self._kept if one[0] == connection]:
            del self._kept[place]

    async def _known(self, connection: SsoConnection) -> _Kept:
        place, now = (connection.id, connection.issuer), self._now()
        kept = self._kept.get(place)
        if kept is None or now >= kept.read_at + KEPT_MS:
            address = connection.issuer.rstrip("/") + "/.well-known/openid-configuration"
            provider = self._read(connection.issuer, await self._fetcher.get(address, connection))
            there = self._kept.get(place)
            if there is not None and there is not kept:  # somebody who asked at the same time was quicker
                return there
            fresh = _Kept(provider, now)
            if kept is not None and kept.provider.jwks == provider.jwks:
                fresh.keys, fresh.keys_at = kept.keys, kept.keys_at
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            kept = self._kept[place] = fresh
        return kept

    def _read(self, issuer: str, said: Mapping[str, Any]) -> Provider:
        """Raises `VendorFailed` (`sso-provider-metadata`) for another issuer or addresses that cannot be used."""
        if said.get("issuer") != issuer:  # Discovery section 4.3: identical, or somebody speaks for somebody else
            raise unanswered("sso-provider-issuer")
        provider = Provider(
            issuer=issuer,
            authorization=_address(said, "authorization_endpoint"),
            token=_address(said, "token_endpoint"),
            jwks=_address(said, "jwks_uri"),
            userinfo=_optional(said, "userinfo_endpoint"),
            pushed=_optional(said, "pushed_authorization_request_endpoint"),
            says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
            back_channel_logout=said.get("backchannel_logout_supported") is True,
        )
        for url in (provider.authorization, provider.token, provider.jwks, provider.userinfo, provider.pushed):
            if url is not None:
                self._require(url)
        return provider

    def _require(self, url: str) -> None:
        try:
            self._fetcher.reach.require_url(url)
        except Invalid as error:
            raise unanswered("sso-provider-metadata") from error

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def public_keys(said: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The keys of a JWK set. One that shows a private or symmetric key proves nothing any more and is refused whole.

    Raises `VendorFailed` (`sso-provider-keys`).
    """
    keys = said.get("keys")
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise unanswered("sso-provider-keys")
    for key in keys:
        secret = {"d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"}
        if not isinstance(key, dict) or key.get("kty") == "oct" or secret & key.keys():
            raise unanswered("sso-provider-keys")
    return tuple(keys)


def _address(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise unanswered("sso-provider-metadata")
    return value


def _optional(said: Mapping[str, Any], name: str) -> str | None:
    return _address(said, name) if said.get(name) is not None else None
