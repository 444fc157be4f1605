"""Passkeys of people: credential and public key sealed under the person's key, found by a hash of the credential's id.

Sealed, because whoever can write into the database could otherwise put a public key of their own in place.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.mfa.challenges import Challenges, Purpose
from troth.identity.mfa.relying_party import Assertion, Registered, RelyingParty, challenge_in, refusal
from troth.identity.store import passkeys, totp, users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Gone, NotFound, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation

MOST_PASSKEYS = 20  # of one person
CREDENTIAL, PUBLIC_KEY, NAME = "passkey-credential", "passkey-public-key", "passkey-name"  # labels of sealed fields
_HANDLE = "passkey-handle"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose passkeys."""

    tenant: str
    user: str


@dataclass(frozen=True, slots=True)
class PasskeyInfo:
    """A passkey as its owner sees it. `backed_up`: the device keeps copies elsewhere. Times in epoch milliseconds."""

    id: str
    name: str
    backed_up: bool
    created_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A passkey that an answer names, not yet judged; `public_key` is sealed."""

    id: str
    owner: Owner
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkeys:
    """All passkeys of all people, and what it takes to trust one."""

    database: Database
    fields: PersonalFields
    clock: Clock
    challenges: Challenges
    party: RelyingParty

    def handle(self, user: str) -> bytes:
        """What a device keeps to tell whose passkey it is: 32 bytes that name the person to nobody else."""
        return self.fields.blind_index(_HANDLE, user)

    def add(self, owner: Owner, made: Registered, name: str) -> str:
        """Keep a new passkey; its id. Raises `Conflict`: `passkey-known`, or `too-many-passkeys` beyond 20."""
        row = {
            "id": new_id("psk"),
            "user": owner.user,
            "digest": _digest(made.credential),
            "credential": self._sealed(owner, CREDENTIAL, made.credential),
            "public_key": self._sealed(owner, PUBLIC_KEY, made.public_key),
            "name": self._sealed(owner, NAME, name.encode()),
            "sign_count": made.sign_count,
            "backed_up": made.backed_up,
            "created_at": self._now(),
        }
        try:
            with self.database.write() as connection:
                if connection.execute(_count(owner.user)).scalar_one() >= MOST_PASSKEYS:
                    advice = f"You have {MOST_PASSKEYS} passkeys; remove one that you do not use."
                    raise Conflict(advice, code="too-many-passkeys")
                connection.execute(insert(passkeys), row)
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise Conflict("This passkey is kept here already.", code="passkey-known") from error
        return str(row["id"])

    def list(self, owner: Owner) -> Sequence[PasskeyInfo]:
        """The passkeys of one person, oldest first."""
        columns = [passkeys.c[name] for name in PasskeyInfo.__dataclass_fields__]
        mine = select(*columns).where(passkeys.c.user == owner.user)
        with self.database.read() as connection:
            rows = connection.execute(mine.order_by(passkeys.c.created_at, passkeys.c.id)).all()
        return [
            PasskeyInfo(
                row.id, self._opened(owner, NAME, row.name).decode(), row.backed_up, row.created_at, row.used_at
            )
            for row in rows
        ]

    def credentials(self, owner: Owner) -> Sequence[bytes]:
        """The ids by which devices know them."""
        mine = select(passkeys.c.credential).where(passkeys.c.user == owner.user)
        with self.database.read() as connection:
            sealed = connection.execute(mine).scalars().all()
        return [self._opened(owner, CREDENTIAL, one) for one in sealed]

    def count(self, user: str) -> int:
        """How many a person has."""
        with self.database.read() as connection:
            return int(connection.execute(_count(user)).scalar_one())

    def rename(self, owner: Owner, passkey: str, name: str) -> None:
        """Call a passkey otherwise. Raises `NotFound`."""
        mine = update(passkeys).where(passkeys.c.id == passkey, passkeys.c.user == owner.user)
        sealed = self._sealed(owner, NAME, name.encode())  # before the transaction: a fresh key is one of its own
        with self.database.write() as connection:
            if not connection.execute(mine.values(name=sealed)).rowcount:
                raise _no_such_passkey()

    def remove(self, owner: Owner, passkey: str) -> None:
        """Forget a passkey. Raises `NotFound`, `Conflict` (`last-second-factor`)."""
        mine = passkeys.c.user == owner.user
        with self.database.write() as connection:
            # Held to the end: of two passkeys that go at the same time, one finds itself the last.
            connection.execute(select(users.c.id).where(users.c.id == owner.user).with_for_update())
            if not connection.execute(delete(passkeys).where(passkeys.c.id == passkey, mine)).rowcount:
                raise _no_such_passkey()
            codes = select(totp.c.user).where(totp.c.user == owner.user, totp.c.secret.is_not(None))
            left = connection.execute(_count(owner.user)).scalar_one()
            if not left and connection.execute(codes).first() is None:
                raise Conflict(
                    "This is your last second factor; set up another passkey or an authenticator app first.",
                    code="last-second-factor",
                )

    @as_system  # whose it is shows only now
    def find(self, credential: bytes) -> Found | None:
        """The passkey that an answer names, or None."""
        columns = (passkeys.c.id, users.c.tenant, passkeys.c.user, passkeys.c.public_key)
        named = select(*columns).join(users, users.c.id == passkeys.c.user)
        with self.database.read() as connection:
            row = connection.execute(named.where(passkeys.c.digest == _digest(credential))).first()
        return None if row is None else Found(row.id, Owner(row.tenant, row.user), row.public_key)

    @as_system  # of a sign-in, nobody is known yet
    def verify(self, found: Found | None, answer: Assertion, purpose: Purpose, holder: str) -> None:
        """See that the device has the passkey, that its person was there, and that nobody copied it.

        The challenge is used up whatever comes of it. Raises `Unauthenticated`: `passkey-refused`, or `passkey-counter`
        for a genuine answer of a device whose counter did not move on: there are two of them.
        """
        challenge = challenge_in(answer.client_data)
        self.challenges.redeem(purpose, holder, challenge)
        if found is None or not hmac.compare_digest(self.handle(found.owner.user), answer.user_handle):
            raise refusal()
        try:
            public_key = self._opened(found.owner, PUBLIC_KEY, found.public_key)
        except Gone as error:
            raise refusal() from error
        self._used(found.id, self.party.asserted(answer, challenge, public_key))

    def _used(self, passkey: str, counter: int) -> None:
        """One statement decides, so that of two answers with the same counter one passes (section 6.1.1)."""
        still = passkeys.c.sign_count < counter
        if counter == 0:  # devices that do not count say zero for ever
            still = or_(still, passkeys.c.sign_count == 0)
        moved = update(passkeys).where(passkeys.c.id == passkey, still)
        with self.database.write() as connection:
            if not connection.execute(moved.values(sign_count=counter, used_at=self._now())).rowcount:
                raise Unauthenticated(
                    "This passkey's counter went backwards, so there may be a copy of it; sign in another way and"
                    " remove it.",
                    code="passkey-counter",
                )

    def _sealed(self, owner: Owner, label: str, plain: bytes) -> bytes:
        return self.fields.seal(owner.tenant, owner.user, label, plain)

    def _opened(self, owner: Owner, label: str, sealed: bytes) -> bytes:
        return self.fields.open(owner.tenant, owner.user, label, sealed)

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def _count(user: str) -> Select[int]:
    return select(func.count()).select_from(passkeys).where(passkeys.c.user == user)


def _digest(credential: bytes) -> bytes:
    return hashlib.sha256(b"troth passkey\0" + credential).digest()


def _no_such_passkey() -> NotFound:
    return NotFound("You have no such passkey; list your passkeys to see their ids.", code="passkey-not-found")
