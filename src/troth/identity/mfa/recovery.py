"""Recovery codes: ten, each good once, for the day the authenticator is lost (SP 800-63B-4 section 4.2)."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, func, insert, select

from troth.identity.store import recovery_codes
from troth.kernel.errors import Unauthenticated
from troth.storage.database import Database

COUNT = 10
_SYMBOLS = "abcdefghijkmnopqrstuvwxyz2345678"  # 32, so each symbol carries 5 bits
_LENGTH = 16  # 80 random bits: a plain hash is safe against guessing offline


class RecoveryCodes:
    """The codes of all people, as hashes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def renew(self, user: str) -> tuple[str, ...]:
        """Ten fresh codes, shown once; earlier ones stop working."""
        codes = tuple("".join(secrets.choice(_SYMBOLS) for _ in range(_LENGTH)) for _ in range(COUNT))
        with self._database.write() as connection:
            connection.execute(delete(recovery_codes).where(recovery_codes.c.user == user))
            connection.execute(
                insert(recovery_codes), [{"digest": _digest(user, code), "user": user} for code in codes]
            )
        return tuple("-".join(code[at : at + 4] for at in range(0, _LENGTH, 4)) for code in codes)

    def use(self, user: str, code: str) -> None:
        """Use one code up. Raises `Unauthenticated` with code `recovery-wrong`."""
        plain = code.replace("-", "").replace(" ", "").lower()
        mine = delete(recovery_codes).where(
            recovery_codes.c.digest == _digest(user, plain), recovery_codes.c.user == user
        )
        with self._database.write() as connection:
            if not connection.execute(mine).rowcount:
                raise Unauthenticated("The recovery code is not right or was used before.", code="recovery-wrong")

    def left(self, user: str) -> int:
        """How many codes still work."""
        count = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user == user)
        with self._database.read() as connection:
            return int(connection.execute(count).scalar_one())


def _digest(user: str, code: str) -> bytes:
    return hashlib.sha256(f"troth recovery code\0{user}\0{code}".encode()).digest()
