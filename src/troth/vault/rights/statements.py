"""Statements: what a person says about data that cannot be changed stands beside it (GDPR Art. 16)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select

from troth.kernel.errors import TooMany
from troth.kernel.ids import new_id
from troth.vault.ground import Ground
from troth.vault.objections import fence_erased
from troth.vault.rights.sealed import SealedTexts
from troth.vault.rights.store import statements

MAX_STATEMENTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. `about` is the id of a thing, or a word such as "account"; time in epoch ms."""

    id: str
    about: str
    text: str
    created_at: int


class Statements:
    """The statements of people."""

    def __init__(self, ground: Ground, texts: SealedTexts) -> None:
        self._ground = ground
        self._texts = texts

    def add(self, tenant: str, subject: str, about: str, text: str, *, request: str) -> Statement:
        """Attach a statement; it is never changed. Raises `TooMany`, `Gone` for an erased person."""
        made = Statement(id=new_id("stm"), about=about, text=text, created_at=self._ground.now())
        sealed = self._texts.statement(tenant, subject, text)
        mine = (statements.c.tenant == tenant, statements.c.subject == subject)
        with self._ground.database.write() as connection:
            fence_erased(connection, tenant, subject)
            if (
                int(connection.execute(select(func.count()).select_from(statements).where(*mine)).scalar_one())
                >= MAX_STATEMENTS
            ):
                raise TooMany("You have made many statements; withdraw none, but write fewer.", code="many-statements")
            row = {"id": made.id, "tenant": tenant, "subject": subject, "about": about}
            connection.execute(insert(statements), row | {"text": sealed, "created_at": made.created_at})
            entry = self._ground.entry("statement.added", tenant, request, subject, {"object": made.id})
            self._ground.event(connection, entry)
        return made

    def of(self, tenant: str, subject: str) -> list[Statement]:
        """A person's statements, oldest first."""
        query = select(statements).where(statements.c.tenant == tenant, statements.c.subject == subject)
        with self._ground.database.read() as connection:
            rows = connection.execute(query.order_by(statements.c.created_at, statements.c.id)).mappings().all()
        return [
            Statement(
                id=row["id"], about=row["about"], text=self._texts.stated(dict(row)), created_at=row["created_at"]
            )
            for row in rows
        ]
