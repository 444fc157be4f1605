"""Notices on their way to people who wrote by mail: sent by the relay, or shown to an officer to be sent by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from troth.kernel.errors import Gone, NotFound
from troth.vault.rights import store
from troth.vault.rights.closing import Farewell
from troth.vault.rights.notices import COPIES, Notice, subject_line, text_of
from troth.vault.rights.register import By, Register
from troth.vault.rights.requests import Request

MAX_ATTEMPTS = 8  # after which only a person may send it


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice ready to go. `address` and the texts are personal: never logged."""

    request: Request
    notice: Notice
    address: str
    title: str
    text: str
    automatic: bool
    closing: str | None = None
    """The id of a closing letter, which is none of the notices."""


class Outgoing:
    """What is to be sent."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def waiting(self, tenant: str | None = None) -> list[Letter]:
        """Letters that were not sent, oldest first and the closing ones last; of one tenant, or of all."""
        with self._register.ground.database.read() as connection:
            rows = store.unsent(connection, tenant)
        notices = [letter for row in rows if (letter := self._letter(row)) is not None]
        return notices + [self._farewell(one) for one in self._register.closings.waiting(tenant)]

    def tried(self, letter: Letter) -> None:
        """The relay did not take it; it is tried again, up to `MAX_ATTEMPTS` times."""
        if letter.closing is not None:
            self._register.closings.tried(letter.closing)
            return
        notices = store.notices.c
        mine = (notices.request == letter.request.id, notices.kind == letter.notice.value)
        with self._register.ground.database.write() as connection:
            connection.execute(update(store.notices).where(*mine).values(attempts=notices.attempts + 1))

    def went(self, by: By, letter: Letter) -> None:
        """The relay took it. Raises as `sent`."""
        if letter.closing is not None:
            self._register.closings.sent(by.tenant, letter.request.id, letter.closing)
        else:
            self.sent(by, letter.request.id, letter.notice)

    def sent(self, by: By, request: str, notice: Notice) -> None:
        """It is out. The first one is the confirmation of receipt (11 CCR 7021(a)). Idempotent.

        Raises `NotFound` when there is no such notice.
        """
        if notice is Notice.ERASED:
            if not self._register.closings.sent(by.tenant, request):
                raise _no_notice()
            return
        with self._register.ground.database.write() as connection:
            seen = store.of_row(store.found(connection, by.tenant, request, lock=True))
            if self._mark(connection, request, notice) and notice is Notice.RECEIPT and seen.open:
                now = self._register.ground.now()
                values = {} if seen.confirmed_at else {"confirmed_at": now}
                self._register.move(connection, request, "confirm", by=by, **values)

    def _mark(self, connection: Connection, request: str, notice: Notice) -> bool:
        notices = store.notices.c
        mine = (notices.request == request, notices.kind == notice.value)
        if connection.execute(select(notices.request).where(*mine)).first() is None:
            raise _no_notice()
        change = update(store.notices).where(*mine, notices.sent_at.is_(None))
        return bool(connection.execute(change.values(sent_at=self._register.ground.now())).rowcount)

    def _letter(self, row: Mapping[str, Any]) -> Letter | None:
        texts, request, notice = self._register.texts, store.of_row(row), Notice(row["notice"])
        try:
            address, written = texts.written(row).address, texts.answered(row) or ""
            if notice in COPIES.values():
                address = self._register.directory.address(request.tenant, request.subject or "")
        except Gone:  # forgotten meanwhile
            return None
        if address is None:
            return None
        text = text_of(notice, request, request.due(self._register.calendar), written)
        automatic = bool(row["automatic"]) and row["attempts"] < MAX_ATTEMPTS
        title = subject_line(notice, request.id)
        return Letter(request=request, notice=notice, address=address, title=title, text=text, automatic=automatic)

    def _farewell(self, one: Farewell) -> Letter:
        due = one.request.due(self._register.calendar)
        return Letter(
            request=one.request,
            notice=Notice.ERASED,
            address=one.address,
            title=subject_line(Notice.ERASED, one.request.id),
            text=text_of(Notice.ERASED, one.request, due),
            automatic=one.automatic and one.attempts < MAX_ATTEMPTS,
            closing=one.id,
        )


def _no_notice() -> NotFound:
    return NotFound("There is no such notice to be sent.", code="no-notice")
