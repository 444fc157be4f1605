"""What a privacy officer does with the requests of their tenant: take, sort, verify, extend, answer, refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from troth.kernel.errors import Conflict, Denied, NotFound
from troth.vault import ledger
from troth.vault.ground import subject_digest
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.intake import Intake
from troth.vault.rights.notices import COPIES, Notice
from troth.vault.rights.outgoing import Outgoing
from troth.vault.rights.register import Asker, By, Opened, Register, Wish, purposes_of
from troth.vault.rights.requests import Level, Request, require_extendable, require_known
from troth.vault.rights.sealed import holder_of

_CLOSED_SHOWN = 50


class Handling:
    """The officer's moves. Each raises `NotFound` for another tenant's request, `Conflict` when it comes too late.

    Nobody handles what they asked for themselves: `Denied` (own-request), unless the settings permit it
    (`sole_officer`) and the tenant has nobody else who may; the log then says so.
    """

    def __init__(self, register: Register, intake: Intake, outgoing: Outgoing, *, sole_officer: bool = False) -> None:
        self._register = register
        self._intake = intake
        self._outgoing = outgoing
        self._sole_officer = sole_officer

    def queue(self, tenant: str) -> list[Request]:
        """The open requests, the most urgent first, then the newest closed ones."""
        calendar, now = self._register.calendar, self._register.ground.clock.now()
        with self._register.ground.database.read() as connection:
            listed = store.of_tenant(connection, tenant, closed=_CLOSED_SHOWN)
        ranks = ("overdue", "due-soon", "on-time", "none")

        def order(one: Request) -> tuple[Any, ...]:
            return not one.open, ranks.index(one.urgency(now, calendar)), one.due(calendar)

        return sorted(listed, key=order)

    def opened(self, tenant: str, request: str) -> Opened:
        """One request with its texts."""
        with self._register.ground.database.read() as connection:
            return self._register.opened(store.found(connection, tenant, request))

    def take(self, officer: By, request: str) -> Request:
        """Begin: whoever takes it is who answers for it."""
        return self._move(officer, request, "take", officer=officer.actor)

    def sort(self, officer: By, request: str, wish: Wish) -> Request:
        """Say what is asked for; the clock is that of the kind, still from receipt.

        A term that was in force stays when it is stricter: sorting anew never buys time.
        """
        if wish.kind is Kind.UNSORTED:
            raise Conflict("Say which right it is about.", code="unsorted")
        purposes_of(wish)
        calendar, clock = self._register.calendar, self._register.ground.clock
        with self._register.ground.database.write() as connection:
            seen = store.of_row(self._theirs(connection, officer, request, lock=True))
            after = seen.sorted_as(wish.law or seen.law, wish.kind, wish.purpose, clock.now(), calendar)
            values = {name: getattr(after, name) for name in ("kind", "law", "purpose", "escalated")}
            values["earlier"] = store.pairs_of(after.earlier)
            done = self._register.move(connection, request, "sort", by=officer, **values)
        self._prepare(officer, request)
        return done

    def verify(self, officer: By, request: str, means: str, subject: str | None) -> Request:
        """Say how it was seen who asks, and which account is theirs when it came from elsewhere."""
        if subject == officer.actor:
            self._require_alone(officer)
        with self._register.ground.database.read() as connection:
            self._theirs(connection, officer, request)
        if subject is not None and not self._intake.adopt(officer.tenant, request, subject):
            raise NotFound("There is no such person here; list the people to see their ids.", code="user-not-found")
        values = {"level": Level.HIGH, "means": means, "verified_at": self._register.ground.now()}
        done = self._move(officer, request, "verify", **values)
        self._prepare(officer, request)
        return done

    def acknowledge(self, officer: By, request: str, notice: Notice) -> Request:
        """Say that a notice was sent by hand."""
        with self._register.ground.database.read() as connection:
            self._theirs(connection, officer, request)
        self._outgoing.sent(officer, request, notice)
        return self.opened(officer.tenant, request).request

    def extend(self, officer: By, request: str, reason: str) -> Request:
        """Take the longer term, once, with a reason that the person is told before the first term ends."""
        calendar, clock = self._register.calendar, self._register.ground.clock
        with self._register.ground.database.read() as connection:
            copied = self._copied(self._theirs(connection, officer, request))
        with self._register.ground.database.write() as connection:
            row = store.of_row(self._theirs(connection, officer, request, lock=True))
            require_extendable(row, clock.now(), calendar)
            values = {"extended_at": self._register.ground.now(), "reason": reason, "escalated": 0}
            return self._told(connection, officer, request, ("extend", Notice.EXTENSION), copied, **values)

    def answer(self, officer: By, request: str, text: str) -> Request:
        """Answer. What stops a use stops it now, when it is known whose data it is.

        It takes something away only when it was shown who asks. Raises `Conflict` (identity-not-shown) for what gives
        data out or takes it away, `Conflict` (not-erased) for a wish to be erased while no erasure of that person has
        begun.
        """
        register = self._register
        with register.ground.database.read() as connection:
            row = self._theirs(connection, officer, request)
        seen = store.of_row(row)
        if seen.kind is Kind.UNSORTED:
            raise Conflict("Sort the request first: say which right it is about.", code="unsorted")
        require_known(seen)
        self._require_erased(seen)
        wish = Wish(kind=seen.kind, purpose=seen.purpose)
        purposes = register.make_private(seen.subject, wish) if seen.subject else ()
        sealed, copied = register.texts.answer(officer.tenant, holder_of(row), text), self._copied(row)
        with register.ground.database.write() as connection:
            if purposes and seen.subject:
                proven = store.of_row(store.found(connection, officer.tenant, request, lock=True)).proven
                register.stop(connection, _for(seen.subject, officer), purposes, source=seen.channel, proven=proven)
            values = {"answer": sealed, "reason": None}
            return self._told(connection, officer, request, ("answer", Notice.ANSWER), copied, **values)

    def refuse(self, officer: By, request: str, reason: str, text: str) -> Request:
        """Refuse with a reason, which the person is told with their ways to complain (GDPR Art. 12(4))."""
        register = self._register
        with register.ground.database.read() as connection:
            row = self._theirs(connection, officer, request)
        sealed = register.texts.answer(officer.tenant, holder_of(row), text) if text else None
        copied = self._copied(row)
        with register.ground.database.write() as connection:
            values = {"reason": reason, "answer": sealed}
            return self._told(connection, officer, request, ("refuse", Notice.REFUSAL), copied, **values)

    def _require_erased(self, request: Request) -> None:
        if request.kind is not Kind.ERASURE:
            return
        digest = subject_digest(request.tenant, request.subject) if request.subject else ""
        with self._register.ground.database.read() as connection:
            if not ledger.begun_for(connection, request.tenant, digest, since=request.received_at):
                raise Conflict(
                    "Nothing of this person was erased on this request; ask for the erasure first, or refuse with the "
                    "reason, such as that nothing is held.",
                    code="not-erased",
                )

    def _copied(self, row: Mapping[str, Any]) -> bool:
        """Whether the account's own address is told as well."""
        return self._register.asked_elsewhere(row, self._register.texts.written(row))

    def _told(
        self, connection: Connection, by: By, request: str, told: tuple[str, Notice], copied: bool, **values: Any
    ) -> Request:
        """A move that the person is told of by mail when they wrote one; in the portal they see it anyway."""
        move, notice = told
        after = self._register.move(connection, request, move, by=by, **values)
        if after.channel == "mail":
            self._register.tell(connection, after, notice)
            if copied:
                self._register.tell(connection, after, COPIES[notice])
        return after

    def _move(self, by: By, request: str, move: str, **values: Any) -> Request:
        with self._register.ground.database.write() as connection:
            self._theirs(connection, by, request)
            return self._register.move(connection, request, move, by=by, **values)

    def _prepare(self, officer: By, request: str) -> None:
        with self._register.ground.database.read() as connection:
            row = store.found(connection, officer.tenant, request)
        self._register.closings.prepare(row)

    def _theirs(self, connection: Connection, officer: By, request: str, *, lock: bool = False) -> dict[str, Any]:
        """The row of somebody else's request. Raises `NotFound`, `Denied` (own-request)."""
        row = store.found(connection, officer.tenant, request, lock=lock)
        if row["subject"] == officer.actor:
            self._require_alone(officer)
        return row

    def _require_alone(self, officer: By) -> None:
        if not self._sole_officer or self._register.directory.other_officers(officer.tenant, officer.actor):
            raise Denied(
                "Nobody handles their own request; ask another officer, or an owner to appoint one. Where there can be "
                "one only, the operator says so in the settings (TROTH_RIGHTS__SOLE_OFFICER).",
                code="own-request",
            )


def _for(subject: str, officer: By) -> Asker:
    """The person, in the officer's call."""
    names = {"tenant": officer.tenant, "actor": officer.actor, "call": officer.call}
    return Asker(**names, subject=subject, channel="portal", level=Level.NONE)
