"""Who is known by what name at a provider: (connection, issuer, subject) -> account. E-mail addresses never link.

A link to an account that was there before opens nothing until it is confirmed: at once where an operator verified the
address's domain, the account decides about nobody and nobody ever had a way into it, else by a person (`confirm`). It
waits again when its person is given a role that decides (`ending.promoted`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.roles import DECIDING, lock_member
from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.ending import end, own_way
from troth.identity.sso.store import connections, links, opened
from troth.identity.sso.subjects import Subject
from troth.identity.store import api_keys, grants, sessions, totp, users
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Gone, NotFound
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database, is_unique_violation

SUBJECT = "sso-subject"  # label of the sealed field
_OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Link:
    """One link. Times in epoch milliseconds."""

    id: str
    user: str
    connection: str
    confirmed: bool
    created_at: int
    used_at: int | None


class Links:
    """All links of all people, and which sessions they opened."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock

    def digest(self, connection: SsoConnection, subject: Subject) -> bytes:
        """The keyed hash under which a link is found; another issuer or another kind of name gives another one."""
        kind = (subject.kind,) if subject.kind else ()
        named = "\0".join((connection.id, connection.issuer, *kind, subject.name))
        return self._fields.blind_index("sso-link", named)

    def provider_session(self, connection: SsoConnection, identifier: str) -> bytes:
        """The keyed hash of a provider's own session (`sid`, SessionIndex)."""
        return self._fields.blind_index("sso-session", f"{connection.id}\0{connection.issuer}\0{identifier}")

    def find(self, digest: bytes) -> Link | None:
        """The link under a digest."""
        columns = [links.c[name] for name in Link.__dataclass_fields__]
        with self._database.read() as sql:
            row = sql.execute(select(*columns).where(links.c.digest == digest)).first()
        return None if row is None else Link(*row)

    def sealed(self, connection: SsoConnection, user: str, subject: Subject) -> bytes:
        """The subject as `add` keeps it. Keys may have to be asked for, so not within a transaction."""
        return self._fields.seal(connection.tenant, user, SUBJECT, subject.name.encode())

    def add(
        self,
        sql: Sql,
        connection: SsoConnection,
        user: str,
        subject: Subject,
        *,
        confirmed: bool,
        sealed: bytes | None = None,
    ) -> Link:
        """Link in the caller's transaction. Without `sealed` the person's key must be at hand, as of a fresh one."""
        link = Link(new_id("lnk"), user, connection.id, confirmed, epoch_ms(self._clock.now()), None)
        row = {name: getattr(link, name) for name in Link.__dataclass_fields__} | {
            "digest": self.digest(connection, subject),
            "tenant": connection.tenant,
            "subject": sealed or self.sealed(connection, user, subject),
        }
        sql.execute(insert(links), row)
        return link

    def opening(self, sql: Sql, link: str, session: str, sid: bytes | None) -> None:
        """Note in the caller's transaction that a link opened a session."""
        now = epoch_ms(self._clock.now())
        sql.execute(delete(opened).where(opened.c.expires_at <= now))
        sql.execute(update(links).where(links.c.id == link).values(used_at=now))
        found = select(links.c.tenant, links.c.user, sessions.c.expires_at).where(
            links.c.id == link, sessions.c.id == session, links.c.user == sessions.c.user
        )
        row = {"session": session, "link": link, "provider_session": sid, **sql.execute(found).mappings().one()}
        sql.execute(insert(opened), row)

    def of_tenant(self, tenant: str) -> list[Link]:
        """The links of a tenant's people, newest first."""
        columns = [links.c[name] for name in Link.__dataclass_fields__]
        mine = select(*columns).where(links.c.tenant == tenant).order_by(links.c.created_at.desc(), links.c.id)
        with self._database.read() as sql:
            return [Link(*row) for row in sql.execute(mine)]

    def of_person(self, user: str) -> list[Link]:
        """The links of one person, newest first."""
        columns = [links.c[name] for name in Link.__dataclass_fields__]
        mine = select(*columns).where(links.c.user == user).order_by(links.c.created_at.desc(), links.c.id)
        with self._database.read() as sql:
            return [Link(*row) for row in sql.execute(mine)]

    def confirm(self, by: Caller, link: str) -> Link:
        """Let a link open its account. Who decides about others confirms their own; an owner those of everybody else.

        Nobody does so through a provider for themselves. Raises `NotFound`, `Denied` (`link-not-yours`).
        """
        with self._database.write() as sql:
            user = self._named(sql, by.tenant, link).user
            if not _may_confirm(sql, by, user):
                raise Denied(
                    "Who decides about others confirms their own link, signed in with a password or passkey; an owner"
                    " confirms everybody else's.",
                    code="link-not-yours",
                )
            sql.execute(update(links).where(links.c.id == link).values(confirmed=True))
            row = self._named(sql, by.tenant, link)
        return Link(*(getattr(row, name) for name in Link.__dataclass_fields__))

    def link(self, by: Caller, connection: SsoConnection, user: str, subject: Subject) -> Link:
        """Link an account by hand, for providers that vouch for no address; of who decides it waits for them.

        The operation asks for an owner before. Raises `NotFound`, `Conflict` (`link-taken`).
        """
        with self._database.write() as sql:  # before a key is made for whoever was named
            lock_member(sql, by.tenant, user)
        sealed = self.sealed(connection, user, subject)
        try:
            with self._database.write() as sql:
                sure = _may_confirm(sql, by, user)
                return self.add(sql, connection, user, subject, confirmed=sure, sealed=sealed)
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise Conflict("This subject is linked already; take that link away first.", code="link-taken") from error

    def remove(self, by: Caller, link: str) -> int:
        """Take a link away and end what it opened; how many sessions there were. Of who decides only an owner does.

        Raises `NotFound`, `Denied` (`link-not-yours`).
        """
        with self._database.write() as sql:
            if decides(sql, self._named(sql, by.tenant, link).user) and _OWNER not in by.roles:
                raise Denied("An owner takes this person's link away; ask one.", code="link-not-yours")
            ended = end(sql, opened.c.link == link)
            sql.execute(delete(links).where(links.c.id == link))
        return ended

    def holdings(self, tenant: str, user: str) -> list[dict[str, Any]]:
        """A person's links as their export shows them: connection's name, what the provider calls them, times."""
        mine = select(links, connections.c.name).join(connections, connections.c.id == links.c.connection)
        with self._database.read() as sql:
            rows = sql.execute(mine.where(links.c.tenant == tenant, links.c.user == user)).all()
        return [self._shown(tenant, user, row) for row in rows]

    def _shown(self, tenant: str, user: str, row: Row[Any]) -> dict[str, Any]:
        try:
            subject = self._fields.open(tenant, user, SUBJECT, row.subject).decode()
        except Gone:
            subject = ""
        times = {"created_at": row.created_at, "used_at": row.used_at}
        return {"id": row.id, "provider": row.name, "subject": subject, "confirmed": bool(row.confirmed), **times}

    def _named(self, sql: Sql, tenant: str | None, link: str) -> Row[Any]:
        row = sql.execute(select(links).where(links.c.id == link, links.c.tenant == tenant)).first()
        if row is None:
            raise NotFound("There is no such link; list the links to see their ids.", code="link-not-found")
        return row


def forget(sql: Sql, user: str) -> list[str]:
    """Drop a person's links in the caller's transaction; their ids."""
    gone = list(sql.execute(select(links.c.id).where(links.c.user == user)).scalars())
    for table in (opened, links):
        sql.execute(delete(table).where(table.c.user == user))
    return gone


def decides(sql: Sql, user: str) -> bool:
    """True for somebody who decides about others: nothing links such an account but a person."""
    held = select(grants.c.role).where(grants.c.user == user, grants.c.role.in_(DECIDING))
    return sql.execute(held.limit(1)).first() is not None


def _may_confirm(sql: Sql, by: Caller, user: str) -> bool:
    if decides(sql, user):  # an owner who runs the provider must not become each privacy officer
        session = select(opened.c.session).where(opened.c.session == by.authentication.credential)
        return by.subject == user and sql.execute(session).first() is None
    return _OWNER in by.roles  # an administrator not even for themselves: a colleague's roles would come along


def unclaimed(sql: Sql, user: str) -> bool:
    """True while nobody ever had a way into the account: no password that anybody saw, nothing enrolled, no link."""
    sql.execute(select(users.c.id).where(users.c.id == user).with_for_update())
    ways = (links, totp, api_keys)
    return not own_way(sql, user) and all(
        sql.execute(select(one.c.user).where(one.c.user == user).limit(1)).first() is None for one in ways
    )


def confirmed(sql: Sql, link: str) -> bool:
    """True while the link opens its account."""
    return bool(sql.execute(select(links.c.confirmed).where(links.c.id == link)).scalar())


def active(sql: Sql, user: str) -> bool:
    """True for an account that is not disabled."""
    return bool(sql.execute(select(users.c.active).where(users.c.id == user)).scalar())
