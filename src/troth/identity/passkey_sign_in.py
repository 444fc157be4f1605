"""Signing in with a passkey: the device verifies the person, so it is two factors in one, and no page can phish it.

Asking for a challenge tells nothing about anybody: it takes no address, and the device chooses the account.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from troth.identity.mfa.challenges import Purpose
from troth.identity.mfa.passkeys import Found
from troth.identity.mfa.relying_party import Assertion, refusal
from troth.identity.sign_in import WITH_PASSKEY, SignedIn, SignIn
from troth.identity.throttle import challenge_bucket, network_bucket
from troth.identity.users import Account
from troth.kernel.caller import Connection
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import TooMany, Unauthenticated
from troth.kernel.scope import as_system


@dataclass(frozen=True, slots=True)
class Begun:
    """`attempt` is a secret of the browser that asked; `options` for `navigator.credentials.get`."""

    attempt: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the attempt it belongs to, the device's answer, and what an earlier sign-in left there."""

    attempt: str
    assertion: Assertion
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeySignIn:
    """The same road as a sign-in by password, with another proof at its beginning."""

    sign_in: SignIn

    def begin(self, connection: Connection) -> Begun:
        """A challenge for one attempt, for five minutes. Raises `TooMany`."""
        self.sign_in.throttle.admit([challenge_bucket(connection.network)])
        attempt, passkeys = secrets.token_urlsafe(32), self.sign_in.passkeys
        challenge = passkeys.challenges.issue(Purpose.SIGN_IN, attempt)
        return Begun(attempt, passkeys.party.request(challenge))

    @as_system  # nobody is known yet
    def finish(self, answer: Answer, connection: Connection, request: str) -> SignedIn:
        """A session for the person whose passkey it is, with its event in the tenant's log as of every sign-in.

        Raises `TooMany`, or `Unauthenticated`: `passkey-refused`, `passkey-counter`.
        """
        found = self.sign_in.passkeys.find(answer.assertion.credential)
        account = None if found is None else self.sign_in.users.account_of(found.owner.user)
        buckets = [network_bucket(connection.network)]
        try:
            with self.sign_in.throttle.attempt(buckets):
                known = self._verified(account, found, answer)
        except (TooMany, Unauthenticated) as error:
            if account is not None:
                self.sign_in.refused(account, connection, request, error.code)
            raise
        self.sign_in.throttle.succeeded([challenge_bucket(connection.network)])
        return self.sign_in.enter(known, WITH_PASSKEY, connection, request, answer.device)

    def _verified(self, account: Account | None, found: Found | None, answer: Answer) -> Account:
        self.sign_in.passkeys.verify(found, answer.assertion, Purpose.SIGN_IN, answer.attempt)
        if account is None or not account.usable(epoch_ms(self.sign_in.clock.now())):
            raise refusal()
        return account
