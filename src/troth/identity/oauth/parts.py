"""The authorization server as a whole, and the one place that tells its tokens from those of sessions."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.devices.shown import Shown
from troth.identity.oauth.endpoint import TokenEndpoint
from troth.identity.oauth.service_tokens import TOKEN_PREFIX, ServiceTokens
from troth.identity.sessions import Sessions
from troth.kernel.caller import Caller, Connection


class BoundTokens:
    """Sessions and access tokens of services, by the beginning of what is shown: each needs the key it is bound to."""

    def __init__(self, sessions: Sessions, services: ServiceTokens) -> None:
        self._sessions = sessions
        self._services = services

    def authenticate(self, token: str, connection: Connection, shown: Shown) -> Caller:
        """The caller the token stands for. Raises as both do."""
        return self._door(token).authenticate(token, connection, shown)

    def at_once(self, token: str, connection: Connection, shown: Shown) -> Caller | None:
        """The same by one short read, or None."""
        return self._door(token).at_once(token, connection, shown)

    def newcomer(self, connection: Connection, shown: Shown) -> Caller:
        """A stranger who shows a key, to have what they get bound to it. Raises `Unauthenticated`."""
        return self._sessions.newcomer(connection, shown)

    def _door(self, token: str) -> Sessions | ServiceTokens:
        return self._services if token.startswith(TOKEN_PREFIX) else self._sessions


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Its parts, as checks may look at them."""

    endpoint: TokenEndpoint
    credentials: BoundTokens
    operations: tuple[object, ...]

    def sweep(self) -> None:
        """Drop codes and tokens that are over."""
        parts = self.endpoint
        for one in (parts.codes, parts.families, parts.tokens, parts.once):
            one.sweep()
