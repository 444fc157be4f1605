"""Credentials and channel of a request to a `Caller`. A place in the network is evidence, never an identity.

A session that is bound to a key counts with a fresh proof of it only: by a program as `Authorization: DPoP` with the
header `DPoP` (RFC 9449), by a browser in the cookie that only the key's holder renews.
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import HTTPConnection

from troth.http.bearers import PREFIXES
from troth.http.network import neighbourhood, zone
from troth.http.peer import certificate_in
from troth.identity.devices.proof import refusal
from troth.identity.devices.shown import Scheme, Shown
from troth.kernel.caller import Caller, Connection, Origin, anonymous
from troth.kernel.details import MAX_AGENT, printable
from troth.kernel.errors import Unauthenticated

SESSION_COOKIE = "__Host-sid"
BOUND_COOKIE = "__Host-bound"


class ApiKeys(Protocol):
    """What is shown as it is."""

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The caller the token stands for. Raises `Unauthenticated`."""
        ...

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """The same where it needs no more than a short read on this thread; else None. Raises as `authenticate`."""
        ...


class Sessions(Protocol):
    """What a device's key may have to answer for."""

    def authenticate(self, token: str, connection: Connection, shown: Shown) -> Caller:
        """The caller the token stands for, with their device. Raises `Unauthenticated`."""
        ...

    def at_once(self, token: str, connection: Connection, shown: Shown) -> Caller | None:
        """As of `ApiKeys`; a proof is used up only when there is an answer."""
        ...

    def newcomer(self, connection: Connection, shown: Shown) -> Caller:
        """A stranger who shows a key. Raises `Unauthenticated`."""
        ...


class Authenticator:
    """Reads a bearer token; for pages the session cookie too.

    A browser adds the cookie by itself to whatever another site makes it send, so the API never looks at it.
    """

    def __init__(self, sessions: Sessions, keys: ApiKeys) -> None:
        self._sessions = sessions
        self._keys = keys

    def caller(self, request: HTTPConnection) -> Caller:
        """Who asks. No credential gives the anonymous caller; one that does not hold raises `Unauthenticated`."""
        shown, token = _shown(request)
        if token is None:
            return self._stranger(request, shown)
        if _is_key(token, shown):
            return self._keys.authenticate(token, connection_of(request))
        return self._sessions.authenticate(token, connection_of(request), shown)

    def at_once(self, request: HTTPConnection) -> Caller | None:
        """The same on an event loop's thread, or None when `caller` is to be asked on a worker thread."""
        shown, token = _shown(request)
        if token is None:
            return self._stranger(request, shown)
        if _is_key(token, shown):
            return self._keys.at_once(token, connection_of(request))
        return self._sessions.at_once(token, connection_of(request), shown)

    def visitor(self, request: HTTPConnection) -> Caller:
        """Who looks at a page: by bearer token, else by session cookie. Raises as `caller` does."""
        cookie = request.cookies.get(SESSION_COOKIE)
        if cookie and "authorization" not in request.headers:
            return self._sessions.authenticate(cookie, connection_of(request, "portal"), _by(request, Scheme.COOKIE))
        return self.caller(request)

    def _stranger(self, request: HTTPConnection, shown: Shown) -> Caller:
        connection = connection_of(request)
        return anonymous(connection) if shown.proof is None else self._sessions.newcomer(connection, shown)


def _shown(request: HTTPConnection) -> tuple[Shown, str | None]:
    """What the request shows, and the token if there is one. Raises `Unauthenticated` for anything else there."""
    header = request.headers.get("authorization")
    if header is None:
        return _by(request, Scheme.BEARER), None
    scheme, _, token = header.partition(" ")
    if scheme.lower() not in (Scheme.BEARER, Scheme.DPOP) or not token.strip():
        advice = "Send 'Authorization: Bearer' or 'Authorization: DPoP' and a key or session token."
        raise Unauthenticated(advice, code="bad-scheme")
    return _by(request, Scheme(scheme.lower())), token.strip()


def _by(request: HTTPConnection, scheme: Scheme) -> Shown:
    proofs = request.headers.getlist("dpop")
    if len(proofs) > 1:  # RFC 9449 section 4.3: one
        raise refusal()
    cookie = request.cookies.get(BOUND_COOKIE) if scheme is Scheme.COOKIE else None
    method, path = request.scope.get("method", ""), request.scope["path"]
    return Shown(scheme, proofs[0] if proofs else None, method, path, cookie)


def _is_key(token: str, shown: Shown) -> bool:
    return token.startswith(PREFIXES) and shown.scheme is Scheme.BEARER


def connection_of(request: HTTPConnection, door: str = "api") -> Connection:
    """What is known of the channel. Our listener speaks TLS 1.3 only, so https means TLS 1.3 (promise CRY-01)."""
    tls = "TLSv1.3" if request.scope.get("scheme") == "https" else None
    host = request.client.host if request.client else ""
    origin = Origin(door, host[:64], printable(request.headers.get("user-agent", ""), MAX_AGENT))
    shown = certificate_in(request.scope)
    return Connection(
        tls=tls, zone=zone(host), network=neighbourhood(host), origin=origin, mtls=bool(shown), certificate=shown
    )
