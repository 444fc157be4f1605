"""Tokens that are shown as they are, by what they begin with: API keys, and identity providers' provisioning tokens."""

from __future__ import annotations

from typing import Protocol

from troth.identity.scim.tokens import PREFIX as PROVISIONING
from troth.kernel.caller import Caller, Connection

KEY_PREFIX = "troth_sk_"
PREFIXES = (KEY_PREFIX, PROVISIONING)


class Tokens(Protocol):
    """What knows the tokens of one kind."""

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The caller the token stands for. Raises `Unauthenticated`."""
        ...

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """The same where it needs no more than a short read on this thread; else None. Raises as `authenticate`."""
        ...


class Bearers:
    """Asks whoever knows tokens of that kind."""

    def __init__(self, keys: Tokens, provisioning: Tokens) -> None:
        self._keys = keys
        self._provisioning = provisioning

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """As of `Tokens`."""
        return self._kind(token).authenticate(token, connection)

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """As of `Tokens`."""
        return self._kind(token).at_once(token, connection)

    def _kind(self, token: str) -> Tokens:
        return self._provisioning if token.startswith(PROVISIONING) else self._keys
