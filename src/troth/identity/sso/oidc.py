"""OpenID Connect relying party: the authorization code flow with PKCE, state and nonce, and nothing else.

OpenID Connect Core 1.0, RFC 7636 (PKCE, S256), RFC 9126 (pushed requests, where offered), RFC 9207 (issuer in the
response), RFC 9700 (security practice). Each connection has a redirect address of its own, so that the answer of one
provider cannot be given for that of another (RFC 9700 section 4.4).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.identity.sign_in import SignedIn
from troth.identity.sso.admission import Admission, Asking, Word
from troth.identity.sso.attempts import Attempts, Begun
from troth.identity.sso.client import PUBLIC, Client, prepared
from troth.identity.sso.connections import Connections, SsoConnection, Wish
from troth.identity.sso.discovery import Directory, Provider
from troth.identity.sso.ending import end
from troth.identity.sso.fetching import Fetcher, unanswered
from troth.identity.sso.shared import require_separate
from troth.identity.sso.store import opened
from troth.identity.sso.subjects import Subject
from troth.identity.sso.tokens import Claims, Expected, require_id_token, require_logout, signed_claims
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Malformed, TrothError, Unauthenticated
from troth.kernel.scope import as_system
from troth.storage.database import Database

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]
_Value = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]*$")]
_ID_TOKEN: tuple[str | None, ...] = (None, "jwt")
_LOGOUT_TOKEN: tuple[str | None, ...] = ("logout+jwt", "application/logout+jwt")
_SINCE = "since"  # a fact of an attempt: when a fresh look at the person was asked for, seconds
_MOST_VALUES = 256  # values of one claim that are read, such as groups


class Settings(BaseModel):
    """What an OpenID Connect connection needs beside the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1, max_length=10)] = ("RS256",)
    client_auth: Literal["basic", "post", "private_key_jwt"] = "basic"
    scopes: Annotated[tuple[_Value, ...], Field(max_length=16)] = ("profile", "email")
    max_age: Annotated[int, Field(ge=0, le=86400)] | None = None
    acr_values: Annotated[tuple[_Value, ...], Field(max_length=8)] = ()
    other_audiences: Annotated[tuple[_Value, ...], Field(max_length=8)] = ()


class Kept(Settings):
    """`Settings`, with our public key where we prove ourselves by one."""

    client_jwk: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """Where the browser goes, and what it keeps in a cookie until it comes back."""

    location: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An authorization response as the browser brought it."""

    connection: str
    state: str = field(repr=False)
    browser: str | None = field(repr=False)
    code: str | None = field(repr=False, default=None)
    issuer: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Signs people in through OpenID providers. `origin`: https address of the portal, without a path."""

    origin: str
    database: Database
    connections: Connections
    attempts: Attempts
    directory: Directory
    fetcher: Fetcher
    admission: Admission
    clock: Clock

    def redirect_uri(self, connection: str) -> str:
        """Where the provider sends the browser back to; registered there."""
        return f"{self.origin}/sign-in/sso/{connection}/callback"

    def addresses(self, connection: SsoConnection) -> dict[str, str]:
        """What is to be registered at the provider: where browsers come back, logout tokens go, our key is."""
        here = f"{self.origin}/v1/sso/connections/{connection.id}"
        keys = {"jwks_uri": f"{here}/keys"} if PUBLIC in connection.settings else {}
        return {"redirect_uri": self.redirect_uri(connection.id), "logout_uri": f"{here}/logout", **keys}

    def prepared(self, wish: Wish, before: SsoConnection | None) -> Wish:
        """A wish that may be kept. Raises `Invalid`: refused address, shared issuer, a secret that does not fit."""
        self.fetcher.reach.require_url(wish.issuer)
        require_separate(wish.issuer, wish.rules)
        return prepared(wish, before)

    def keys(self, connection: str) -> tuple[dict[str, str], ...]:
        """Our public keys as the client of a connection's provider, as JWKs. Raises `NotFound`."""
        key = self.connections.usable(connection, "oidc").settings.get(PUBLIC)
        return () if key is None else (key,)

    async def begin(self, connection_id: str, browser: str | None = None, *, fresh: bool = False) -> Started:
        """An authorization request. `browser`: the cookie of another attempt, if there is one. `fresh`: the provider is
        to see the person anew, and to say so.

        Raises `NotFound`, `VendorFailed`, `Invalid` (refused address).
        """
        connection = await asyncio.to_thread(self.connections.usable, connection_id, "oidc")
        require_separate(connection.issuer, connection.rules)
        provider, settings = await self.directory.provider(connection), Kept.model_validate(connection.settings)
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        facts = {"nonce": nonce, "verifier": verifier} | ({_SINCE: str(self._seconds())} if fresh else {})
        begun: Begun = await asyncio.to_thread(self.attempts.begin, connection, facts, browser)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": connection.client_id or "",
            "redirect_uri": self.redirect_uri(connection.id),
            "scope": " ".join(dict.fromkeys(("openid", *settings.scopes))),
            "state": begun.state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if fresh:
            asked |= {"max_age": "0", "prompt": "login"}
        elif settings.max_age is not None:
            asked["max_age"] = str(settings.max_age)
        if settings.acr_values:
            asked["acr_values"] = " ".join(settings.acr_values)
        if provider.pushed is not None:
            asked = await self._pushed(connection, provider.pushed, asked)
        mark = "&" if urlsplit(provider.authorization).query else "?"
        return Started(provider.authorization + mark + urlencode(asked), begun.browser)

    async def finish(self, response: Response, request: Asking) -> SignedIn:
        """The session of who comes back. Raises `Unauthenticated`, `VendorFailed`, and as `Admission.admit`."""
        attempt = await asyncio.to_thread(self.attempts.finish, response.state, response.browser)
        if attempt.connection != response.connection:
            raise _mixed_up()
        connection = await asyncio.to_thread(self.connections.usable, attempt.connection, "oidc")
        try:
            said = await self._said(connection, response, attempt.facts)
        except TrothError as error:
            await asyncio.to_thread(self.admission.refused, connection, error.code, request)
            raise
        return await asyncio.to_thread(self._admit, connection, said, request)

    async def look(self, tenant: str, connection_id: str) -> tuple[Provider, int]:
        """For a test of a connection: what the provider says now, and how many keys it has. Raises as `begin`."""
        connection = await asyncio.to_thread(self.connections.get, tenant, connection_id, "oidc")
        self.directory.forget(connection.id)
        provider = await self.directory.provider(connection)
        return provider, len(await self.directory.keys(connection))

    async def log_out(self, connection_id: str, token: str) -> int:
        """Back-channel logout: end what the token names; how many sessions there were.

        Raises `NotFound`, `Malformed` (`sso-logout`) for a token that does not hold, as the specification has it.
        """
        connection = await asyncio.to_thread(self.connections.usable, connection_id, "oidc")
        try:
            _, claims = await signed_claims(token, connection, self.directory, types=_LOGOUT_TOKEN)
            said = require_logout(claims, connection.issuer, connection.client_id or "", self._seconds())
            subject, session, jti, until = said
            await asyncio.to_thread(self.attempts.once, connection, "logout", jti, (until + 60) * 1000)
        except Unauthenticated as error:
            raise Malformed("This logout token does not hold.", code="sso-logout") from error
        return await asyncio.to_thread(self._end, connection, subject, session)

    @as_system
    def _end(self, connection: SsoConnection, subject: str | None, session: str | None) -> int:
        where = []
        if subject is not None:
            link = self.admission.links.find(self.admission.links.digest(connection, Subject(subject)))
            where.append(opened.c.link == (link.id if link else ""))
        if session is not None:
            where.append(opened.c.provider_session == self.admission.links.provider_session(connection, session))
        with self.database.write() as sql:
            return end(sql, *where)

    async def _said(self, connection: SsoConnection, response: Response, facts: Mapping[str, str]) -> Claims:
        """What the provider says of the person: the claims of the ID token and, over them, those of userinfo."""
        provider, settings = await self.directory.provider(connection), Kept.model_validate(connection.settings)
        if response.issuer is None and provider.says_issuer:
            raise _mixed_up()
        if response.issuer is not None and response.issuer != provider.issuer:  # RFC 9207 section 2.4
            raise _mixed_up()
        if response.error is not None or not response.code:
            raise Unauthenticated("The identity provider did not sign you in; try again there.", code="sso-refused")
        tokens = await self._redeemed(connection, provider, response.code, facts["verifier"])
        algorithm, claims = await signed_claims(tokens.get("id_token"), connection, self.directory, types=_ID_TOKEN)
        access = tokens["access_token"]
        expected = Expected(
            issuer=provider.issuer,
            client_id=connection.client_id or "",
            nonce=facts["nonce"],
            now=self._seconds(),
            code=response.code,
            access_token=access,
            max_age=settings.max_age,
            since=int(facts[_SINCE]) if _SINCE in facts else None,
            acr_values=settings.acr_values,
            others=settings.other_audiences,
        )
        subject = require_id_token(claims, algorithm, expected)
        if provider.userinfo is None:
            return claims
        more = await self.fetcher.get(provider.userinfo, connection, token=access)
        if more.get("sub") != subject:  # Core section 5.3.2: else it is somebody else's
            raise Unauthenticated("What the identity provider said does not hold; sign in again.", code="sso-userinfo")
        return _together(claims, more)

    async def _redeemed(
        self, connection: SsoConnection, provider: Provider, code: str, verifier: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri(connection.id),
            "code_verifier": verifier,
        }
        answer = await self._client.ask(connection, provider.token, form)
        kind, access = answer.get("token_type"), answer.get("access_token")
        if not isinstance(kind, str) or kind.lower() != "bearer" or not isinstance(access, str) or not access:
            raise unanswered("sso-provider-token")
        return answer

    async def _pushed(self, connection: SsoConnection, url: str, asked: Mapping[str, str]) -> dict[str, str]:
        """The request sent ahead (RFC 9126): the browser carries only a reference to it."""
        reference = (await self._client.ask(connection, url, asked)).get("request_uri")
        if not isinstance(reference, str) or not 0 < len(reference) <= 1024:
            raise unanswered("sso-provider-push")
        return {"client_id": connection.client_id or "", "request_uri": reference}

    @property
    def _client(self) -> Client:
        return Client(self.fetcher, self.connections, self.clock)

    def _seconds(self) -> int:
        return epoch_ms(self.clock.now()) // 1000

    def _admit(self, connection: SsoConnection, said: Claims, request: Asking) -> SignedIn:
        session, seen = said.get("sid"), said.get("auth_time")
        name = session if isinstance(session, str) and session else None
        word = Word(
            subject=Subject(said["sub"]),
            email=_vouched(said),
            name=next(iter(_texts(said.get("name"))), None),
            attributes={name: _texts(value) for name, value in said.items()},
            levels=[*_texts(said.get("acr")), *_texts(said.get("amr"))],
            seen_at=None if seen is None else int(seen * 1000),
        )
        return self.admission.admit(connection, word, replace(request, session=name))


def _together(claims: Claims, more: Claims) -> Claims:
    """Userinfo over the ID token, but for what only a signed token may say; an address comes with its own mark."""
    signed = ("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "acr", "amr", "auth_time", "sid")
    base = dict(claims)
    if "email" in more:
        base.pop("email_verified", None)
    else:  # a mark without an address says nothing of the address in the token
        more = {name: value for name, value in more.items() if name != "email_verified"}
    return base | {name: value for name, value in more.items() if name not in signed}


def _vouched(said: Claims) -> str | None:
    """The address, when the provider says that it is the person's. The text "true" is not the value true."""
    email = said.get("email")
    return email if isinstance(email, str) and said.get("email_verified") is True else None


def _texts(value: object) -> Sequence[str]:
    """The texts in a claim: one, or a list of them; a truth value as JSON writes it."""
    values = value if isinstance(value, list) else [value]
    written = ({True: "true", False: "false"}[one] if isinstance(one, bool) else one for one in values[:_MOST_VALUES])
    return [one for one in written if isinstance(one, str)]


def _mixed_up() -> Unauthenticated:
    return Unauthenticated("This answer is not from the provider that was asked; begin again.", code="sso-issuer")
