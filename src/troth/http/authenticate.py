"""Credentials and channel of a request to a `Caller`. A place in the network is evidence, never an identity."""

from __future__ import annotations

from typing import Protocol

from starlette.requests import HTTPConnection

from troth.http.network import neighbourhood, zone
from troth.kernel.caller import Caller, Connection, anonymous
from troth.kernel.errors import Unauthenticated

SESSION_COOKIE = "__Host-sid"
_KEY_PREFIX = "troth_sk_"


class Credentials(Protocol):
    """Sessions and API keys both answer this."""

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The caller the token stands for. Raises `Unauthenticated`."""
        ...

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """The same where it needs no more than a short read on this thread; else None. Raises as `authenticate`."""
        ...


class Authenticator:
    """Reads a bearer token; for pages the session cookie too.

    A browser adds the cookie by itself to whatever another site makes it send, so the API never looks at it.
    """

    def __init__(self, sessions: Credentials, keys: Credentials) -> None:
        self._sessions = sessions
        self._keys = keys

    def caller(self, request: HTTPConnection) -> Caller:
        """Who asks. No credential gives the anonymous caller; one that does not hold raises `Unauthenticated`."""
        token = _bearer(request)
        return self._door(token).authenticate(token, connection_of(request)) if token else _stranger(request)

    def at_once(self, request: HTTPConnection) -> Caller | None:
        """The same on an event loop's thread, or None when `caller` is to be asked on a worker thread."""
        token = _bearer(request)
        return self._door(token).at_once(token, connection_of(request)) if token else _stranger(request)

    def visitor(self, request: HTTPConnection) -> Caller:
        """Who looks at a page: by bearer token, else by session cookie. Raises as `caller` does."""
        cookie = request.cookies.get(SESSION_COOKIE)
        if cookie and "authorization" not in request.headers:
            return self._sessions.authenticate(cookie, connection_of(request))
        return self.caller(request)

    def _door(self, token: str) -> Credentials:
        return self._keys if token.startswith(_KEY_PREFIX) else self._sessions


def _bearer(request: HTTPConnection) -> str | None:
    """The token that the request shows, or None. Raises `Unauthenticated` for anything else in its place."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send 'Authorization: Bearer' and a key or session token.", code="bad-scheme")
    return token.strip()


def _stranger(request: HTTPConnection) -> Caller:
    return anonymous(connection_of(request))


def connection_of(request: HTTPConnection) -> Connection:
    """What is known of the channel. Our listener speaks TLS 1.3 only, so https means TLS 1.3 (promise CRY-01)."""
    tls = "TLSv1.3" if request.scope.get("scheme") == "https" else None
    host = request.client.host if request.client else ""
    return Connection(tls=tls, zone=zone(host), network=neighbourhood(host))
