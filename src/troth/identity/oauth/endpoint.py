"""The token endpoint: who asks shows a key or certificate with each request, and gets tokens that need it.

RFC 6749, RFC 8628, RFC 9449, RFC 8705, RFC 7523, RFC 7009. There are no client secrets and no bearer tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from sqlalchemy import Connection as Sql

from troth.identity.devices.shown import DPOP
from troth.identity.oauth import assertions
from troth.identity.oauth.device_codes import Begun, DeviceCodes, Granted
from troth.identity.oauth.families import Families, Family
from troth.identity.oauth.once import Once
from troth.identity.oauth.refusals import GrantRefused, bad_client, bad_grant, bad_request
from troth.identity.oauth.service_accounts import BY_CERTIFICATE, BY_KEY, ServiceAccount, ServiceAccounts
from troth.identity.oauth.service_tokens import Sender, ServiceTokens, sender_of
from troth.identity.own_account import FRESH_SECONDS
from troth.identity.sessions import Proof, Sessions
from troth.identity.throttle import NETWORK, Bucket, Limit, Throttle
from troth.kernel.caller import PASSKEY_ELSEWHERE, Caller, Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.details import DetailSealer
from troth.kernel.errors import Unauthenticated
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system

COMMAND_LINE = "troth-cli"  # the one public client: our own command line
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Of a session: somebody approved it elsewhere. A false page can bring that about too, whatever they showed: neither is
# phishing-resistant.
METHOD = "device-code"
# Who was talked into typing a code has proved nothing to the device that waits for it: what asks for a fresh proof asks
# that session itself.
_STALE_MS = (FRESH_SECONDS + 60) * 1000
# Of one neighbourhood: many commands sign in behind one address, and hardly more than this in ten minutes.
_BEGINNINGS = Limit(free=60, first_ms=500, cap_ms=10_000, window_ms=10 * 60 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came to the token endpoint, and from whom: the key that a request shows is the caller's device."""

    grant: str
    client: str | None
    caller: Caller
    request: str
    assertion_type: str | None = None
    assertion: str | None = field(repr=False, default=None)
    device_code: str | None = field(repr=False, default=None)
    refresh_token: str | None = field(repr=False, default=None)
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Tokens, shown this once. `kind` is `DPoP`, or `Bearer` for one that a certificate must come with (RFC 8705);
    `session` or `token` is the id that the log has."""

    access: str = field(repr=False)
    kind: str
    seconds: int
    refresh: str | None = field(repr=False, default=None)
    scope: str | None = None
    session: str | None = None
    token: str | None = None
    user: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """The parts that a request for tokens asks."""

    issuer: str
    codes: DeviceCodes
    families: Families
    services: ServiceAccounts
    tokens: ServiceTokens
    sessions: Sessions
    once: Once
    throttle: Throttle
    recorder: Recorder
    details: DetailSealer
    clock: Clock
    certified: Callable[[Connection], str | None] = lambda _connection: None
    """The service account that the certificate of a connection names, of one that holds; else None."""

    def begin(self, client: str, caller: Caller) -> Begun:
        """Codes for a device of the command line. Raises `ClientRefused`, `GrantRefused`, `TooMany`."""
        self.throttle.admit([_bucket("device-codes", caller.connection.network, _BEGINNINGS)])
        if client != COMMAND_LINE:
            raise bad_client()
        return self.codes.begin(_key_of(caller), caller.connection.zone)

    @as_system  # nobody is known yet
    def give(self, asked: Asked) -> Given:
        """Tokens. Raises `GrantRefused`, `ClientRefused`, `TooMany`; what is refused is counted by network."""
        buckets = [_bucket("token", asked.caller.connection.network, NETWORK)]
        grants = {
            DEVICE_GRANT: self._by_device,
            "refresh_token": self._by_refresh,
            "client_credentials": self._by_credentials,
        }
        if asked.grant not in grants:
            raise GrantRefused("Ask for a grant that the metadata names.", code="unsupported-grant-type")
        try:
            return grants[asked.grant](asked)
        except (GrantRefused, Unauthenticated) as error:
            if error.code not in ("authorization-pending", "slow-down"):
                self.throttle.admit(buckets)
            raise

    @as_system  # whoever holds a token may end it
    def revoke(self, token: str, asked: Asked) -> dict[str, str]:
        """End a token of the client that asks (RFC 7009); whose it was, for the record. An unknown one is no error."""
        if asked.assertion is None and asked.client == COMMAND_LINE:
            key = _key_of(asked.caller)
            family = self.families.find(token)
            if family is None or family.thumbprint != key:
                return {}
            self.families.end(family.session)
            return {"session": family.session, "user": family.user}
        service = self._service(asked)
        return {"subject": service.id} if self.tokens.revoke(token, service.id) else {}

    def _by_device(self, asked: Asked) -> Given:
        self._require_command_line(asked)
        key = _key_of(asked.caller)
        granted = self.codes.redeem(_wanted(asked.device_code, "device_code"), key)
        if not self.families.stands(granted.user, granted.session):
            raise bad_grant()  # who said yes was shut out, or signed out, meanwhile
        return self._opened(asked, granted, key)

    def _opened(self, asked: Asked, granted: Granted, key: str) -> Given:
        event = self._event(asked, granted)  # sealed before the transaction, for a key may be made in one
        opened = self.sessions.open(
            granted.user,
            Proof(PASSKEY_ELSEWHERE if granted.passkey else METHOD, granted.assurance),
            asked.caller.connection.zone,
            lambda sql, made: self._record(sql, event, made),
            proved_at=min(granted.verified_at, self._now() - _STALE_MS),
        )
        self.sessions.bind_to(opened.id, asked.caller.device)
        refresh = self.families.begin(Family(opened.id, granted.user, key, opened.expires_at))
        return self._session(opened.token, opened.expires_at, refresh, opened.id, granted.user)

    def _by_refresh(self, asked: Asked) -> Given:
        self._require_command_line(asked)
        key = _key_of(asked.caller)
        family, refresh = self.families.turn(_wanted(asked.refresh_token, "refresh_token"), key)
        turned = self.sessions.rotate(family.session)
        return self._session(turned.token, turned.expires_at, refresh, family.session, family.user)

    def _session(self, token: str, ends: int, refresh: str, session: str, user: str) -> Given:
        seconds = max(0, (ends - self._now()) // 1000)
        return Given(access=token, kind="DPoP", seconds=seconds, refresh=refresh, session=session, user=user)

    def _by_credentials(self, asked: Asked) -> Given:
        service = self._service(asked)
        sender = self._sender(asked, service)
        scopes = tuple(sorted(set(asked.scope.split()))) if asked.scope else service.scopes
        if not set(scopes) <= set(service.scopes):
            raise GrantRefused("The service account has fewer scopes than that.", code="invalid-scope")
        issued = self.tokens.issue(service, sender, scopes)
        self.services.used(service.id)
        return Given(
            access=issued.token,
            kind="DPoP" if sender.bound == DPOP else "Bearer",
            seconds=issued.seconds,
            scope=" ".join(issued.scopes),
            token=issued.id,
            service=service.id,
        )

    def _service(self, asked: Asked) -> ServiceAccount:
        """The service account that proves itself. Raises `ClientRefused`."""
        if asked.assertion is not None:
            return self._by_assertion(asked, asked.assertion)
        named = self.certified(asked.caller.connection)
        service = self.services.find(named) if named is not None and asked.client == named else None
        if service is None or service.method != BY_CERTIFICATE or not service.in_force(self._now()):
            raise bad_client()
        return service

    def _by_assertion(self, asked: Asked, assertion: str) -> ServiceAccount:
        claimed = assertions.claimed_client(assertion)
        if asked.assertion_type != assertions.TYPE or asked.client not in (None, claimed):
            raise bad_client()
        service, now = self.services.find(claimed), self._now()
        if service is None or service.method != BY_KEY or not service.in_force(now):
            raise bad_client()
        shown = assertions.require_assertion(assertion, service.keys, self.issuer, now // 1000)
        until = (shown.expires_at + assertions.LEEWAY) * 1000
        self.once.require_first(service.id, shown.jti, until, bad_client())
        return service

    def _sender(self, asked: Asked, service: ServiceAccount) -> Sender:
        """What the token is bound to: a key that is shown now, or the certificate that the service came with."""
        shown = sender_of(asked.caller.connection)
        proves = asked.caller.device.bound == DPOP
        if not proves and shown is not None and self.certified(asked.caller.connection) == service.id:
            return shown
        return Sender(DPOP, _key_of(asked.caller))

    def _require_command_line(self, asked: Asked) -> None:
        if asked.client != COMMAND_LINE or asked.assertion is not None:
            raise bad_client()

    def _record(self, sql: Sql, event: Entry, session: str) -> None:
        self.recorder.record_within(sql, replace(event, facts={**event.facts, "session": session}))

    def _event(self, asked: Asked, granted: Granted) -> Entry:
        """The event that every sign-in leaves in the tenant's own log, from where the device itself asked."""
        tenant, operator = self.families.tenant_of(granted.user)
        came = asked.caller.connection.origin
        said = {"door": came.door, "address": came.address, "agent": came.agent}
        return Entry(
            log=tenant,
            operation="session.opened",
            phase="event",
            outcome=Outcome.DONE,
            request=asked.request,
            actor=granted.user,
            tenant=None if operator else tenant,
            time=self._now(),
            facts={"user": granted.user, "object": granted.id},
            sealed=self.details.seal((tenant, granted.user), said) if any(said.values()) else None,
        )

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def _bucket(kind: str, network: str, limit: Limit) -> Bucket:
    return Bucket(sha256(f"troth oauth attempts\0{kind}\0{network}".encode()).digest(), limit)


def _wanted(value: str | None, name: str) -> str:
    if not value:
        raise bad_request(f"The field {name} is missing; add it.")
    return value


def _key_of(caller: Caller) -> str:
    """The thumbprint of the key that the request shows: the door verified the proof. Raises `GrantRefused`."""
    if caller.device.bound != DPOP or caller.device.thumbprint is None:
        raise GrantRefused(
            "Send a fresh DPoP proof for this very request in the header DPoP (RFC 9449).", code="invalid-dpop-proof"
        )
    return caller.device.thumbprint
