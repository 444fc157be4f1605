"""The register: requests come in, people see and confirm their own, and what can act at once does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from troth.kernel.errors import Conflict, Invalid, NotFound, TooMany
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.record import Fact
from troth.vault.consent import Consents
from troth.vault.ground import Ground
from troth.vault.objections import SALE_AND_SHARING, Objections, fence_erased
from troth.vault.rights import store
from troth.vault.rights.clocks import Calendar, Kind, Law
from troth.vault.rights.closing import Closings
from troth.vault.rights.notices import Notice
from troth.vault.rights.people import Choices, Directory
from troth.vault.rights.requests import OPEN, Level, Request, State, identity_not_shown, moved
from troth.vault.rights.sealed import SealedTexts, Written
from troth.vault.tables import insert_missing

MAX_OPEN = 20  # requests that one person or one address may have open
_PRIVATE = {"training": "off", "analytics": "off", "sharing": "off"}  # the privacy setting that goes with a purpose
_EVENTS = {
    "confirm": "request.confirmed",
    "verify": "request.verified",
    "sort": "request.sorted",
    "take": "request.taken",
    "extend": "request.extended",
    "answer": "request.answered",
    "refuse": "request.refused",
    "withdraw": "request.withdrawn",
    "act": "request.answered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who makes a move, in which tenant and which call."""

    tenant: str
    actor: str
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker(By):
    """A person who acts for themselves: through which door, and how sure we are of them."""

    subject: str
    channel: str  # portal | api
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for."""

    kind: Kind
    text: str = ""
    purpose: str | None = None
    law: Law | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A request with its texts."""

    request: Request
    written: Written
    answer: str | None
    means: str | None


class Register:
    """All requests of all tenants."""

    def __init__(
        self,
        ground: Ground,
        fields: PersonalFields,
        consents: Consents,
        choices: Choices,
        directory: Directory,
        *,
        law: Law,
        calendar: Calendar,
    ) -> None:
        self.ground = ground
        self.directory = directory
        self.texts = SealedTexts(fields)
        self.closings = Closings(ground, self.texts, directory)
        self.objections = Objections(ground)
        self.law = law
        self.calendar = calendar
        self._consents = consents
        self._choices = choices

    def file(self, asker: Asker, wish: Wish) -> Request:
        """A signed-in person asks. What can act at once does, and is answered with it.

        What a program with a key objects to ends the use alone: the consent and what was kept by it stay.

        Raises `Invalid` for an objection without a purpose, `TooMany`, `Gone` for an erased person.
        """
        purposes = purposes_of(wish)
        body = self.texts.body(asker.tenant, asker.subject, Written(text=wish.text))
        if purposes:
            self._make_private(asker.subject, purposes)
        now = self.ground.now()
        with self.ground.database.write() as connection:
            fence_erased(connection, asker.tenant, asker.subject)
            self._bound(connection, asker)
            verified = asker.level >= Level.HIGH
            row = fresh(asker.tenant, wish, self.law, now) | {
                "subject": asker.subject,
                "channel": asker.channel,
                "state": State.VERIFIED if verified else State.CONFIRMED,
                "level": asker.level,
                "confirmed_at": now,
                "verified_at": now if verified else None,
                "body": body,
            }
            store.add(connection, row)
            self.note(connection, "request.received", store.of_row(row), asker)
            if purposes:
                self.stop(connection, asker, purposes, source=asker.channel, proven=asker.level >= Level.HIGH)
                self.move(connection, row["id"], "act", by=asker)
            made = store.found(connection, asker.tenant, row["id"])
        self.closings.prepare(made)
        return store.of_row(made)

    def _bound(self, connection: Connection, asker: Asker) -> None:
        """Raises `TooMany`. Unconfirmed mails do not count: whoever forges some must not shut anybody out."""
        mine = map(store.of_row, store.of_person(connection, asker.tenant, asker.subject))
        if sum(one.open and (one.channel != "mail" or one.level >= Level.HIGH) for one in mine) >= MAX_OPEN:
            raise TooMany("You have many open requests; wait for an answer or withdraw one.", code="many-requests")

    def listed(self, tenant: str, subject: str) -> list[Request]:
        """A person's requests, newest first."""
        with self.ground.database.read() as connection:
            return [store.of_row(row) for row in store.of_person(connection, tenant, subject)]

    def own(self, tenant: str, subject: str, request: str) -> Opened:
        """One of a person's requests. Raises `NotFound` for another's."""
        with self.ground.database.read() as connection:
            return self.opened(self._mine(connection, tenant, subject, request))

    def confirm(self, asker: Asker, request: str) -> Request:
        """The person says, signed in, that a request is theirs. Raises `NotFound`, `Conflict`."""
        with self.ground.database.write() as connection:
            row = self._mine(connection, asker.tenant, asker.subject, request)
            if asker.level < Level.HIGH:
                raise Conflict("Sign in with your second factor to confirm a request.", code="identity-not-shown")
            now = self.ground.now()  # who confirms it sees that it arrived, and by when it is answered
            seen = {"verified_at": row["verified_at"] or now, "confirmed_at": row["confirmed_at"] or now}
            values = {"level": Level.HIGH} | seen
            self.move(connection, row["id"], "verify", by=asker, **values)
            after = store.found(connection, asker.tenant, request)
        self.closings.prepare(after)
        return store.of_row(after)

    def withdraw(self, asker: Asker, request: str) -> Request:
        """The person takes a request back. Raises `NotFound`, `Conflict` when it is closed."""
        with self.ground.database.write() as connection:
            self._mine(connection, asker.tenant, asker.subject, request)
            return self.move(connection, request, "withdraw", by=asker)

    def signal(self, tenant: str, subject: str, call: str) -> bool:
        """Honour a browser's opt-out signal (Sec-GPC: 1) once; True when it was new (11 CCR 7025).

        It stops sale and sharing and takes nothing away: a signal proves nobody's identity, and need not.
        """
        if self.objections.standing(tenant, subject) >= frozenset(SALE_AND_SHARING):
            return False
        self._make_private(subject, SALE_AND_SHARING)
        asker = Asker(tenant=tenant, actor=subject, call=call, subject=subject, channel="gpc", level=Level.LOW)
        with self.ground.database.write() as connection:
            return bool(self.stop(connection, asker, SALE_AND_SHARING, source="gpc", proven=False))

    def stop(
        self, connection: Connection, asker: Asker, purposes: tuple[str, ...], *, source: str, proven: bool
    ) -> list[str]:
        """End uses now, in the caller's transaction: objections stand, no consent counts. The new purposes.

        `proven`: it was shown who objects. Only then consents are withdrawn, which ends what is kept by them.
        """
        whose = asker.tenant, asker.subject
        raised = self.objections.insert(connection, *whose, purposes, source=source, request=asker.call)
        for purpose in purposes if proven else ():
            self._consents.withdraw_within(connection, *whose, purpose, request=asker.call)
        return [one.purpose for one in raised]

    def require_proven(self, tenant: str, subject: str, kind: Kind) -> None:
        """Raises `Conflict` (identity-not-shown) when a person seems to ask for this and it was never shown who asks.

        For what an officer does on request. Nothing is refused that nobody asked for by an address alone.
        """
        asked = [one for one in self.listed(tenant, subject) if one.open and one.kind is kind]
        if asked and not any(one.proven for one in asked):
            raise identity_not_shown()

    def move(self, connection: Connection, request: str, move: str, *, by: By, **values: Any) -> Request:
        """Make a move with its record. Raises `NotFound`, `Conflict` (code "request-state")."""
        row = store.found(connection, by.tenant, request, lock=True)
        state = moved(store.of_row(row), move)
        closed = {} if state in OPEN else {"closed_at": self.ground.now()}
        store.change(connection, request, **({"state": state} | closed | values))
        after = store.of_row(store.found(connection, by.tenant, request))
        if not after.open:
            self.closings.drop(connection, after)
        self.note(connection, _EVENTS[move], after, by)
        return after

    def note(self, connection: Connection, event: str, request: Request, by: By) -> None:
        """One event of the tenant's log."""
        facts: dict[str, Fact] = {
            "object": request.id,
            "state": request.state.value,
            "kinds": {request.kind.value: 1},
            "policy": request.law.value,
        }
        if request.reason:
            facts["reason"] = request.reason
        if by.actor == request.subject and not isinstance(by, Asker):
            facts["role"] = "sole-officer"  # handles what they asked for themselves, as the settings permit
        self.ground.event(connection, self.ground.entry(event, request.tenant, by.call, by.actor, facts))

    def opened(self, row: Mapping[str, Any]) -> Opened:
        """A row with its texts."""
        written, answer = self.texts.written(row), self.texts.answered(row)
        return Opened(request=store.of_row(row), written=written, answer=answer, means=row["means"])

    def asked_elsewhere(self, row: Mapping[str, Any], written: Written) -> bool:
        """True when a mail speaks for an account and came from another address than the account's."""
        own = self.directory.address(row["tenant"], row["subject"]) if row["subject"] and written.address else None
        return own is not None and own.casefold() != (written.address or "").casefold()

    def tell(self, connection: Connection, request: Request, notice: Notice, *, automatic: bool = True) -> None:
        """Put a notice among those to be sent. Idempotent."""
        values = {"tenant": request.tenant, "request": request.id, "kind": notice.value, "automatic": automatic}
        counted = {"created_at": self.ground.now(), "sent_at": None, "attempts": 0}
        insert_missing(connection, store.notices, values | counted)

    def make_private(self, subject: str, wish: Wish) -> tuple[str, ...]:
        """Close the privacy settings that a stop concerns; the purposes it stops."""
        purposes = purposes_of(wish)
        self._make_private(subject, purposes)
        return purposes

    def _make_private(self, subject: str, purposes: tuple[str, ...]) -> None:
        for purpose in purposes:
            if purpose in _PRIVATE:
                self._choices.change(subject, purpose, _PRIVATE[purpose])

    def _mine(self, connection: Connection, tenant: str, subject: str, request: str) -> Mapping[str, Any]:
        row = store.found(connection, tenant, request)
        if row["subject"] != subject:
            raise NotFound("There is no such request; list the requests to see their ids.", code="request-not-found")
        return row


def purposes_of(wish: Wish) -> tuple[str, ...]:
    """What a wish stops at once; nothing for other kinds. Raises `Invalid` for an objection that names no purpose."""
    if wish.kind is Kind.OPT_OUT:
        return SALE_AND_SHARING
    if wish.kind is Kind.OBJECTION:
        if wish.purpose is None:
            raise Invalid("Say to which purpose you object.", code="no-purpose", field="purpose")
        return (wish.purpose,)
    return ()


def fresh(tenant: str, wish: Wish, law: Law, now: int) -> dict[str, Any]:
    """The row of a request that just arrived."""
    row: dict[str, Any] = dict.fromkeys(column.name for column in store.requests.columns)
    return row | {
        "id": new_id("rgt"),
        "tenant": tenant,
        "kind": wish.kind,
        "purpose": wish.purpose,
        "law": wish.law or law,
        "level": Level.NONE,
        "received_at": now,
        "escalated": 0,
        "own_key": False,
    }
