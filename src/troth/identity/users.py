"""People: found by a keyed hash of their address, shown from sealed fields, disabled with everything they hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity import keys, sessions
from troth.identity.passwords import Passwords
from troth.identity.provisioned import people as provisioned
from troth.identity.roles import GRANT_MS, Roles, check_givable, check_other_owner, lock_member
from troth.identity.store import OPERATORS, grants, tenants, users
from troth.identity.tenants import Tenant
from troth.identity.tenants import write as write_tenant
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Gone, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation

ISSUED_PASSWORD_MS = 7 * 24 * 3600 * 1000  # a password chosen by somebody else lapses when it is not changed
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,189}\Z")
_WORD = re.compile(r"\w+")
EMAIL, NAME, PASSWORD = "email", "display-name", "password"  # labels of the sealed fields
_NOBODY = "operator", "svc_nobody"  # under whose key the hash is sealed that is verified when there is no account


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person to be created. `issued`: the password must be changed by its holder before it gives full strength.

    `giver`: whose own roles bound how long these last.
    """

    tenant: str
    email: str
    display_name: str
    roles: frozenset[str]
    created_by: str
    issued: bool = True
    giver: Caller | None = None


@dataclass(frozen=True, slots=True)
class IssuedUser:
    """A fresh person and the password, which is shown this once."""

    id: str
    password: str


@dataclass(frozen=True, slots=True)
class User:
    """A person. `created_at` in epoch milliseconds."""

    id: str
    tenant: str
    email: str
    display_name: str
    active: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Account:
    """What a sign-in needs to know of a person. `password` is sealed; `Users.password` opens it."""

    id: str
    tenant: str
    password: bytes
    password_at: int
    password_issued: bool
    active: bool

    def usable(self, now: int) -> bool:
        """False for a disabled person, and when an issued password was not changed in a week."""
        return self.active and not (self.password_issued and now >= self.password_at + ISSUED_PASSWORD_MS)


class Users:
    """All people of all tenants."""

    def __init__(self, database: Database, fields: PersonalFields, passwords: Passwords, clock: Clock) -> None:
        self._database = database
        self._fields = fields
        self._passwords = passwords
        self._roles = Roles(database, clock)
        self._nobody: bytes | None = None
        self._clock = clock

    def create(
        self, new: NewUser, founding: Tenant | None = None, beside: Callable[[Sql, str], None] | None = None
    ) -> IssuedUser:
        """A fresh person with a random password; `founding` is a fresh tenant to write in the same transaction.

        `beside` is called with the open transaction and the person's id: what it writes stands with the person.
        Raises `Invalid` for an address that is none, `Conflict` for one that has an account.
        """
        email = normalised_email(new.email)
        if self.account(self.email_index(email)) is not None:
            raise taken()
        user, now = new_id("usr"), self._now()
        password, phc = self._passwords.issue()
        row = {
            "id": user,
            "tenant": new.tenant,
            "email_index": self.email_index(email),
            "email": self._fields.seal(new.tenant, user, EMAIL, email.encode()),
            "display_name": self._fields.seal(new.tenant, user, NAME, new.display_name.encode()),
            "password": self._fields.seal(new.tenant, user, PASSWORD, phc.encode()),
            "password_at": now,
            "password_issued": new.issued,
            "active": True,
            "created_at": now,
        }
        try:
            with self._database.write() as connection:
                if founding is not None:
                    write_tenant(connection, founding)
                connection.execute(insert(users), row)
                for role in sorted(new.roles):
                    lasting = self._roles.longest(connection, new.giver, role) if new.giver else GRANT_MS
                    self._roles.grant(connection, user, role, new.created_by, lasting_ms=lasting)
                if beside is not None:
                    beside(connection, user)
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise taken() from error
        return IssuedUser(user, password)

    def get(self, user: str) -> User:
        """One person. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.id == user)).first()
        if row is None:
            raise NotFound("There is no such person here; list the people to see their ids.", code="user-not-found")
        return self._opened(row)

    def list(self, tenant: str) -> list[User]:
        """The people of one tenant, oldest first."""
        people = select(users).where(users.c.tenant == tenant).order_by(users.c.created_at, users.c.id)
        with self._database.read() as connection:
            rows = connection.execute(people).all()
        return [self._opened(row) for row in rows]

    def any_active(self, tenant: str, role: str) -> bool:
        """True when an active person of a tenant holds a role that has not lapsed."""
        held = select(users.c.id).join(grants, grants.c.user == users.c.id)
        lasting = held.where(grants.c.role == role, grants.c.expires_at > self._now())
        with self._database.read() as connection:
            return (
                connection.execute(lasting.where(users.c.tenant == tenant, users.c.active.is_(True))).first()
                is not None
            )

    @as_system  # an address has one account in all tenants
    def account(self, email_index: bytes) -> Account | None:
        """The person of an address's index, for a sign-in; None when there is nobody."""
        columns = [users.c[name] for name in Account.__dataclass_fields__]
        with self._database.read() as connection:
            row = connection.execute(select(*columns).where(users.c.email_index == email_index)).first()
        return None if row is None else Account(*row)

    @as_system  # of a sign-in, nobody is known yet
    def account_of(self, user: str) -> Account | None:
        """The person of an id, for a sign-in that showed the id in another way than by an address."""
        columns = [users.c[name] for name in Account.__dataclass_fields__]
        with self._database.read() as connection:
            row = connection.execute(select(*columns).where(users.c.id == user)).first()
        return None if row is None else Account(*row)

    def password(self, account: Account | None) -> str | None:
        """The PHC string of an account, for `Passwords.verify`; None for nobody, and for the keys of an erased person.

        Nobody costs as much as somebody: a sealed hash is opened either way.
        """
        try:
            if account is not None:
                return self._fields.open(account.tenant, account.id, PASSWORD, account.password).decode()
            if self._nobody is None:
                self._nobody = self._fields.seal(*_NOBODY, PASSWORD, self._passwords.nobody.encode())
            self._fields.open(*_NOBODY, PASSWORD, self._nobody)
        except Gone:
            pass
        return None

    def email_index(self, email: str) -> bytes:
        """The keyed hash under which an address is found."""
        return self._fields.blind_index(EMAIL, email)

    def change_password(self, user: str, current: str, new: str, *, alone: bool = False) -> None:
        """Replace the password; `alone` when no second factor stands beside it yet.

        Raises `Unauthenticated` for a wrong current one, `Invalid` for a weak new one.
        """
        person, tenant_name, stored = self._with_password(user)
        self._passwords.verify(self._fields.open(person.tenant, user, PASSWORD, stored).decode(), current)
        if new == current:
            raise Invalid("Choose a password other than the present one.", code="password-unchanged", field="new")
        words = context_words(person.email, person.display_name, tenant_name, "troth")
        phc = self._passwords.accept(new, words, alone=alone)
        sealed = self._fields.seal(person.tenant, user, PASSWORD, phc.encode())
        changed = update(users).where(users.c.id == user, users.c.password == stored)
        with self._database.write() as connection:
            values = {"password": sealed, "password_at": self._now(), "password_issued": False}
            if not connection.execute(changed.values(values)).rowcount:
                raise Conflict("The password was changed meanwhile; sign in again.", code="changed")

    def rehashed(self, account: Account, phc: str) -> None:
        """Keep a hash with today's parameters in place of the one that was verified."""
        sealed = self._fields.seal(account.tenant, account.id, PASSWORD, phc.encode())
        same = update(users).where(users.c.id == account.id, users.c.password == account.password)
        with self._database.write() as connection:
            connection.execute(same.values(password=sealed))

    def disable(self, by: Caller, user: str) -> None:
        """Shut a person out: sessions and keys end in the same transaction. Idempotent.

        Raises `NotFound`, `Denied` (yourself, or somebody whose roles are not yours to take), `Conflict` (last owner).
        """
        if by.subject == user:
            raise Denied("Nobody disables themselves; ask another administrator.", code="own-account")
        with self._database.write() as connection:
            lock_member(connection, by.tenant, user)
            held = connection.execute(select(grants.c.role).where(grants.c.user == user)).scalars()
            check_givable(by, frozenset(held))
            check_other_owner(connection, by.tenant, user, self._now())
            shut_out(connection, user)
            connection.execute(update(provisioned).where(provisioned.c.user == user).values(off_at=None))

    def disable_operator(self, by: Caller, operator: str) -> None:
        """Shut an operator out. Raises `Denied` for yourself, `NotFound` for somebody who is none."""
        if operator in (by.subject, by.actor):
            raise Denied("Nobody disables themselves; ask another operator.", code="own-account")
        with self._database.write() as connection:
            lock_member(connection, OPERATORS, operator)
            shut_out(connection, operator)

    def _with_password(self, user: str) -> tuple[User, str, bytes]:
        person = self.get(user)
        known = select(tenants.c.name, users.c.password).join(users, users.c.tenant == tenants.c.id)
        with self._database.read() as connection:
            tenant_name, stored = connection.execute(known.where(users.c.id == user)).one()
        return person, tenant_name, stored

    def _opened(self, row: Row[Any]) -> User:
        email = self._fields.open(row.tenant, row.id, EMAIL, row.email).decode()
        display_name = self._fields.open(row.tenant, row.id, NAME, row.display_name).decode()
        return User(row.id, row.tenant, email, display_name, bool(row.active), row.created_at)

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def taken() -> Conflict:
    """The refusal of an address that has an account."""
    return Conflict("An account with this e-mail address exists already.", code="email-taken")


def normalised_email(email: str) -> str:
    """The form that is indexed and kept: NFKC, no space around, case folded. Raises `Invalid`."""
    normal = unicodedata.normalize("NFKC", email).strip().casefold()
    if not _EMAIL.match(normal):
        raise Invalid("Give an e-mail address such as name@example.org.", code="bad-email", field="email")
    return normal


def context_words(*texts: str) -> Iterable[str]:
    """The words of names and addresses, which do not count towards a password."""
    return {word for text in texts for word in _WORD.findall(text)}


def shut_out(connection: Sql, user: str) -> None:
    """Disable somebody and end what they hold, in the caller's transaction."""
    connection.execute(update(users).where(users.c.id == user).values(active=False))
    sessions.end_all(connection, user)
    keys.end_all(connection, user)
