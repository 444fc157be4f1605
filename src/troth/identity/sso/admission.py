"""From a provider's word to a session: find or make the account, map roles, open, record. For every kind of provider.

The protocols (`oidc`, `saml`) verify; here nothing is verified any more but what the connection permits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.known_devices import KnownDevices
from troth.identity.roles import Roles, lock_tenant
from troth.identity.sessions import Proof, Sessions
from troth.identity.sign_in import SignedIn
from troth.identity.sso import links as linking
from troth.identity.sso.connections import SsoConnection, require_same
from troth.identity.sso.links import Link, Links
from troth.identity.sso.rights import joins_duties
from troth.identity.sso.rules import ROLE_MS
from troth.identity.sso.subjects import Subject
from troth.identity.store import grants
from troth.identity.users import Account, NewUser, Users, normalised_email
from troth.kernel.caller import Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.details import DetailSealer
from troth.kernel.errors import Conflict, Denied, TrothError, Unauthenticated
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation

METHOD = "sso"
# Whom a provider saw longer ago than this, or does not say when, has proved nothing fresh; the session may still begin.
STALE_MS = 60 * 60 * 1000
MOST_SUBJECT = 1024  # characters of what a provider calls a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The request that brings a provider's word: its id, over which channel, and what the device keeps."""

    request: str
    channel: Connection
    device: str | None = None
    session: str | None = None  # the provider's own session (`sid`, SessionIndex), for its logout
    until: int | None = None  # epoch ms: our session ends then at the latest (SessionNotOnOrAfter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a provider said of a person, verified.

    `email`: an address that it vouches for; it counts only in a domain of the connection. `attributes`: claims by
    name. `levels`: what it said of how the person signed in. `seen_at`: when it saw the person, epoch ms; None when it
    does not say.
    """

    subject: Subject
    email: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    levels: Sequence[str] = ()
    seen_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The parts that an admission asks."""

    database: Database
    users: Users
    roles: Roles
    sessions: Sessions
    devices: KnownDevices
    links: Links
    recorder: Recorder
    details: DetailSealer
    clock: Clock
    domain_verified: Callable[[SsoConnection, str], bool]
    """Told connection and domain: True when an operator saw that the domain is that tenant's."""
    pushed: Callable[[Sql, SsoConnection, str], frozenset[str]] = lambda _sql, _connection, _user: frozenset()
    """Told connection and person: the roles that groups which the provider pushed give (`identity.scim`)."""

    @as_system  # nobody is known yet
    def admit(self, connection: SsoConnection, word: Word, request: Asking) -> SignedIn:
        """A session for whom the provider names; the account is linked or made just in time.

        Raises `Unauthenticated`: `sso-no-account`, `sso-link-waits`, `sso-address`, `sso-domain`, `sso-claims`,
        `sso-disabled`; what is refused stands in the tenant's log as `session.refused`.
        """
        try:
            if not connection.rules.met(word.attributes):
                raise Unauthenticated(
                    "This connection is not for people of whom the provider says this; ask your administrator.",
                    code="sso-claims",
                )
            link = self._link(connection, word, request)
            return self._open(connection, link, word, request)
        except TrothError as error:
            self.refused(connection, error.code, request)
            raise

    @as_system
    def refused(self, connection: SsoConnection, code: str, request: Asking, reason: str | None = None) -> None:
        """Put a refused sign-in into the tenant's log. `reason`: a word of a fixed vocabulary, for the log alone."""
        facts: dict[str, Fact] = {"object": connection.id}
        if reason:
            facts["reason"] = reason
        self.recorder.record(self._event(connection, "session.refused", request, code=code, facts=facts))

    def _link(self, connection: SsoConnection, word: Word, request: Asking) -> Link:
        if not 0 < len(word.subject.name) <= MOST_SUBJECT:
            raise Unauthenticated("The provider does not say who this is; tell your administrator.", code="sso-subject")
        link = self.links.find(self.links.digest(connection, word.subject))
        if link is None:
            address = _address(connection, word.email)
            known = self.users.account(self.users.email_index(address))
            if known is not None:
                link = self._to_known(connection, known, word.subject, address, request)
            else:
                link = self._new(connection, word, address, request)
        if not link.confirmed:
            raise _waits()
        return link

    def _to_known(
        self, connection: SsoConnection, known: Account, subject: Subject, address: str, request: Asking
    ) -> Link:
        """A link to an account that was there before: at once only where nobody can stand in for its holder."""
        if known.tenant != connection.tenant:
            raise _no_account()  # whose it is is nobody's business here
        domain = connection.domain_of(address)
        verified = domain is not None and domain.verified_at is not None
        vouched = verified and (connection.kind == "oidc" or connection.rules.email_trusted)  # oidc: `email_verified`
        sealed = self.links.sealed(connection, known.id, subject)
        try:
            with self.database.write() as sql:
                require_same(sql, connection)
                sure = vouched and linking.unclaimed(sql, known.id) and not linking.decides(sql, known.id)
                link = self.links.add(sql, connection, known.id, subject, confirmed=sure, sealed=sealed)
                facts: dict[str, Fact] = {
                    "user": known.id,
                    "object": link.id,
                    "state": "confirmed" if sure else "waits",
                }
                self.recorder.record_within(sql, self._event(connection, "sso.linked", request, facts=facts))
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise Conflict("Somebody with this identity signs in already; begin again.", code="changed") from error
        return link

    def _new(self, connection: SsoConnection, word: Word, address: str, request: Asking) -> Link:
        if not connection.just_in_time:
            raise _no_account()
        if not self.domain_verified(connection, address.rpartition("@")[2]):
            raise Unauthenticated(
                "Nobody has verified yet that this e-mail domain is your organisation's; ask your administrator.",
                code="sso-domain",
            )
        made: list[Link] = []

        def beside(sql: Sql, user: str) -> None:
            require_same(sql, connection)
            made.append(self.links.add(sql, connection, user, word.subject, confirmed=True))
            facts: dict[str, Fact] = {"user": user, "object": made[0].id}
            self.recorder.record_within(sql, self._event(connection, "sso.account-made", request, facts=facts))

        shown = " ".join("".join(one if one.isprintable() else " " for one in word.name or "").split())[:120]
        # The password is nobody's: it is dropped here, and not "issued", so that it never counts as to be changed.
        new = NewUser(connection.tenant, address, shown or address, frozenset(), connection.id, issued=False)
        self.users.create(new, beside=beside)
        return made[0]

    def _open(self, connection: SsoConnection, link: Link, word: Word, request: Asking) -> SignedIn:
        digest = None if request.session is None else self.links.provider_session(connection, request.session)
        mapped = connection.rules.mapped(word.attributes)
        # Sealed before the transaction: a key that is due for its next generation is made in one of its own.
        opened = self._event(connection, "session.opened", request, actor=link.user)

        def witness(sql: Sql, session: str) -> None:
            require_same(sql, connection)  # it may have been withdrawn while the provider was asked
            if not linking.active(sql, link.user):  # read again where the session is written
                raise Unauthenticated("This account is disabled; ask your administrator.", code="sso-disabled")
            changed = self._map(sql, connection, link.user, mapped)
            if not linking.confirmed(sql, link.id):  # its person was given a deciding role meanwhile
                raise _waits()
            self.links.opening(sql, link.id, session, digest)
            facts: dict[str, Fact] = {"user": link.user, "session": session, "object": connection.id}
            if changed:
                facts["counts"] = changed
            self.recorder.record_within(sql, replace(opened, facts=facts))

        proof, seen = Proof(METHOD, connection.rules.level(word.levels)), self._proved_at(word)
        zone, until = request.channel.zone, request.until
        session = self.sessions.open(link.user, proof, zone, witness, until=until, proved_at=seen)
        device = self.devices.remember(link.user, request.device)
        missing = () if proof.assurance >= 2 else ("totp",)
        return SignedIn(link.user, connection.tenant, session, proof, device, missing)

    def _proved_at(self, word: Word) -> int:
        """When the person was there, as far as the provider says; what is long ago or unknown is fresh for nothing."""
        stale = epoch_ms(self.clock.now()) - STALE_MS
        return stale if word.seen_at is None else max(word.seen_at, stale)

    def _map(self, sql: Sql, connection: SsoConnection, user: str, mapped: frozenset[str]) -> dict[str, int]:
        """Give what the provider says and take what it does not say any more; grants by people stay as they are."""
        lock_tenant(sql, connection.tenant)
        mapped = mapped | self.pushed(sql, connection, user)
        rows = sql.execute(select(grants.c.role, grants.c.granted_by).where(grants.c.user == user))
        held = {row.role: row.granted_by for row in rows}
        ours = {role for role, giver in held.items() if giver == connection.id}
        lost = ours - mapped
        sql.execute(
            delete(grants).where(
                grants.c.user == user, grants.c.granted_by == connection.id, grants.c.role.in_(sorted(lost))
            )
        )
        gained = [role for role in sorted(mapped) if held.get(role, connection.id) == connection.id]
        now, withheld = epoch_ms(self.clock.now()), set[str]()
        for role in gained:
            if joins_duties(sql, connection.tenant, user, role, now):
                withheld.add(role)
            else:
                self.roles.grant(sql, user, role, connection.id, lasting_ms=ROLE_MS)
        fresh = set(gained) - ours - withheld
        said = {"gained": fresh, "lost": lost, "withheld": withheld}
        return {f"{how}:{role}": 1 for how, roles in said.items() for role in sorted(roles)}

    def _event(
        self,
        connection: SsoConnection,
        operation: str,
        request: Asking,
        *,
        actor: str = "anonymous",
        code: str | None = None,
        facts: dict[str, Fact] | None = None,
    ) -> Entry:
        entry = Entry(
            log=connection.tenant,
            operation=operation,
            phase="event",
            outcome=Outcome.REFUSED if code else Outcome.DONE,
            request=request.request,
            actor=actor,
            tenant=connection.tenant,
            time=epoch_ms(self.clock.now()),
            code=code,
            facts=facts or {"object": connection.id},
        )
        came = {name: getattr(request.channel.origin, name) for name in ("door", "address", "agent")}
        if actor == "anonymous" or not any(came.values()):
            return entry
        return replace(entry, sealed=self.details.seal((connection.tenant, actor), came))


def _address(connection: SsoConnection, email: str | None) -> str:
    """The address in its kept form. Raises `Unauthenticated` (`sso-address`)."""
    if email is None:
        raise Unauthenticated(
            "The provider does not vouch for an e-mail address of yours; ask your administrator.", code="sso-address"
        )
    address = normalised_email(email)
    if connection.domain_of(address) is None:
        raise Unauthenticated(
            "Your e-mail address is not of a domain that this connection is for; ask your administrator.",
            code="sso-address",
        )
    return address


def _waits() -> Unauthenticated:
    return Unauthenticated(
        "Your account does not open through this provider yet. An owner of your organisation confirms the link first;"
        " whoever decides about others confirms their own, signed in with a password or passkey.",
        code="sso-link-waits",
    )


def _no_account() -> Denied:
    return Denied("You have no account here; ask your administrator for one.", code="sso-no-account")
