"""How we show a provider that we are its client: a secret (RFC 6749 section 2.3.1), or a signed word (RFC 7523)."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus

from troth.identity.sso.connections import Connections, SsoConnection, Wish
from troth.identity.sso.fetching import Fetcher, unanswered
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError, Invalid, Unavailable
from troth.kernel.scope import as_system

PRIVATE_KEY = "private_key_jwt"
PUBLIC = "client_jwk"  # member of a connection's settings: our public key, which the provider reads
_ALGORITHM = "ES256"
_KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Client:
    """Us, as clients of providers."""

    fetcher: Fetcher
    connections: Connections
    clock: Clock

    async def ask(self, connection: SsoConnection, url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """What the provider answers to a form with our proof. Raises `VendorFailed`, `IntegrityError`."""
        secret = await asyncio.to_thread(self._secret, connection)
        client, headers = connection.client_id or "", {}
        way = connection.settings.get("client_auth")
        if way == PRIVATE_KEY:
            proof = {"client_assertion_type": _KIND, "client_assertion": self._assertion(connection, secret)}
            form = {**form, "client_id": client, **proof}
        elif secret is None:
            form = {**form, "client_id": client}
        elif way == "post":
            form = {**form, "client_id": client, "client_secret": secret}
        else:
            pair = f"{quote_plus(client)}:{quote_plus(secret)}".encode()
            headers = {"authorization": "Basic " + base64.b64encode(pair).decode()}
        answer = await self.fetcher.post(url, connection, form, headers)
        if answer.status >= 400:
            raise unanswered("sso-provider-refused")
        return answer.values

    def _assertion(self, connection: SsoConnection, secret: str | None) -> str:
        """For this issuer alone, so that nobody can use it elsewhere; once, within a minute."""
        if secret is None or PUBLIC not in connection.settings:
            raise IntegrityError("The key of this connection is gone; make it anew.")
        joserfc, now = _library(), epoch_ms(self.clock.now()) // 1000
        client = connection.client_id
        said: dict[str, Any] = {
            "iss": client,
            "sub": client,
            "aud": connection.issuer,
            "jti": secrets.token_urlsafe(16),
        }
        said |= {"iat": now, "exp": now + _LIFE}
        header = {"alg": _ALGORITHM, "typ": "JWT", "kid": connection.settings[PUBLIC]["kid"]}
        key = joserfc.ECKey.import_key(json.loads(secret))
        return str(joserfc.serialize(header, json.dumps(said).encode(), key, algorithms=[_ALGORITHM]))

    @as_system
    def _secret(self, connection: SsoConnection) -> str | None:
        return self.connections.secret(connection)


def prepared(wish: Wish, before: SsoConnection | None) -> Wish:
    """A wish with our key pair where it needs one: the one there is while the issuer stays, else a fresh one.

    Raises `Invalid` (`client-secret`): a secret beside a key, or none in the place of a key.
    """
    held = before.settings.get(PUBLIC) if before is not None and before.issuer == wish.issuer else None
    if wish.settings.get("client_auth") != PRIVATE_KEY:
        if held is not None and wish.secret is None:
            raise Invalid("Give the secret that the provider issued.", code="client-secret", field="client_secret")
        return wish
    if wish.secret is not None:
        raise Invalid("Leave the secret out: a key of ours proves it.", code="client-secret", field="client_secret")
    if held is not None:
        return replace(wish, settings={**wish.settings, PUBLIC: held})
    key = _library().ECKey.generate_key("P-256", {"use": "sig", "alg": _ALGORITHM}, auto_kid=True)
    public = {name: value for name, value in key.as_dict(private=False).items() if isinstance(value, str)}
    secret = json.dumps(key.as_dict(private=True))
    return replace(wish, secret=secret, settings={**wish.settings, PUBLIC: public})


class _Library:
    """The parts of joserfc that sign."""

    def __init__(self) -> None:
        from joserfc import jws  # noqa: PLC0415
        from joserfc.jwk import ECKey  # noqa: PLC0415

        self.ECKey: Any = ECKey
        self.serialize: Any = jws.serialize_compact


def _library() -> _Library:
    try:
        return _Library()
    except ImportError as error:
        advice = "Single sign-on needs the extra 'sso': pip install 'troth[sso]'."
        raise Unavailable(advice, code="extra-missing") from error
