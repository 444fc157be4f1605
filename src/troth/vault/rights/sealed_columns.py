"""Where rights keep sealed fields: for whoever must move them to fresh keys."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from troth.keys.field_moving import SealedColumn
from troth.vault.rights.sealed import ANSWER, BODY, CLOSING, STATEMENT
from troth.vault.rights.store import closings, requests, statements


def _request(tenant: str, holder: str) -> ColumnElement[bool]:
    """Requests of a person, or one that nobody has claimed yet and that holds its own key (`sealed.holder_of`)."""
    unclaimed = and_(requests.c.subject.is_(None), requests.c.id == holder)
    return and_(requests.c.tenant == tenant, or_(requests.c.subject == holder, unclaimed))


def _statement(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(statements.c.tenant == tenant, statements.c.subject == subject)


def _closing(tenant: str, letter: str) -> ColumnElement[bool]:
    return and_(closings.c.tenant == tenant, closings.c.id == letter)


SEALED = (
    SealedColumn(requests, "body", BODY, _request),
    SealedColumn(requests, "answer", ANSWER, _request),
    SealedColumn(closings, "letter", CLOSING, _closing),
    SealedColumn(statements, "text", STATEMENT, _statement),
)
