"""Promises about requests: answered in time, by whoever was shown to ask, and also when they come by e-mail."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from troth.identity.privacy import PrivacySettings
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.ids import new_id
from troth.mail.desk import MailDesk
from troth.mail.listener import Listener
from troth.promises.account import Account, account
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Ahead, ground, probe, refused
from troth.promises.system import System
from troth.vault.consent import TRAINING
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind, Urgency
from troth.vault.rights.handling import Handling
from troth.vault.rights.intake import Message
from troth.vault.rights.messages import Nothing, RequestFile
from troth.vault.rights.register import By, Register, Wish
from troth.vault.rights.upkeep import Upkeep

_DAY_MS = 86_400_000
_LOOK_BACK_DAYS = 30
_OVERDUE = "request.overdue"


def _in_time(system: System, *, ahead: timedelta) -> Facts:
    """Every real request is in time; and a synthetic one that is not would have been seen."""
    register = system.vault.rights.register
    now, calendar = system.base.clock.now(), register.calendar
    with system.base.database.read() as connection:
        waiting = store.all_open(connection)
        closed = store.closed_since(connection, epoch_ms(now) - _LOOK_BACK_DAYS * _DAY_MS)
    late = [one for one in (*waiting, *closed) if one.urgency(now, calendar) is Urgency.OVERDUE]
    seen = _clocks_work(system, Ahead(system.base.clock, ahead))
    outcomes = [one not in late for one in (*waiting, *closed)] + seen
    details = {"open": len(waiting), "closed": len(closed), "late": len(late)}
    facts = counted(outcomes)
    return Facts(facts.population, facts.tested, facts.broken, details=details)


def _clocks_work(system: System, later: Clock) -> list[bool]:
    """A synthetic request: overdue by the later clock and on record as such, extended once and never twice."""
    rights, officer = system.vault.rights, new_id("usr")
    with probe(system) as person:
        made = person.run("request.file", RequestFile(kind="access", text="self-check"))
        by = By(tenant=person.tenant, actor=officer, call=new_id("run"))
        told = Upkeep(_register(system, later), system.base.tree).escalate(person.tenant)
        rights.handling.extend(by, made.id, "complexity")
        longer = person.run("request.list", Nothing()).requests[0]
        return [
            told.get(_OVERDUE, 0) > 0,
            longer.due > made.due,
            refused(lambda: rights.handling.extend(by, made.id, "complexity"), Conflict, code="extended-already"),
        ]


def _register(system: System, clock: Clock) -> Register:
    """The register of this installation by another clock."""
    real, base = system.vault.rights.register, system.base
    choices = PrivacySettings(base.database)
    return Register(
        replace(ground(system), clock=clock),
        base.fields,
        system.vault.consents,
        choices,
        real.directory,
        law=real.law,
        calendar=real.calendar,
    )


class _Answering(Protocol):
    """Handles requests, as `Handling` does."""

    def answer(self, officer: By, request: str, text: str) -> object: ...


class _Trusting:
    """The known-bad officer: whoever asks gets the answer."""

    def __init__(self, handling: Handling) -> None:
        self._handling = handling

    def answer(self, officer: By, request: str, text: str) -> object:
        self._handling.verify(officer, request, "known-channel", None)
        return self._handling.answer(officer, request, text)


def _identity_checked(system: System, handling: _Answering) -> Facts:
    """A key alone, or a mail from the right address, is not enough for what shows or takes data away."""
    outcomes = []
    with probe(system) as around:
        someone = account(system, around.tenant)
        try:
            for kind in ("access", "portability", "erasure", "rectification", "restriction"):
                outcomes.append(_unknown_is_refused(someone, handling, kind))
            outcomes.append(_unknown_ends_nothing(someone, handling))
        finally:
            someone.person.erase()
    return counted(outcomes)


def _unknown_is_refused(someone: Account, handling: _Answering, kind: str) -> bool:
    by, made = _by_address(someone, Wish(kind=Kind(kind)))
    return refused(lambda: handling.answer(by, made, "self-check"), Conflict, code="identity-not-shown")


def _unknown_ends_nothing(someone: Account, handling: _Answering) -> bool:
    """An objection by the address alone stops the use, and what is kept by the consent is still there."""
    person, vault = someone.person, someone.person.system.vault
    vault.consents.grant(person.tenant, person.subject, TRAINING, notice="self-check-1")
    kept = person.keep(b"by consent", purpose=TRAINING).id
    by, made = _by_address(someone, Wish(kind=Kind.OBJECTION, purpose=TRAINING))
    handling.answer(by, made, "self-check")
    stopped = vault.consents.valid(person.tenant, person.subject, TRAINING) is None
    return stopped and not refused(lambda: person.open(kept))


def _by_address(someone: Account, wish: Wish) -> tuple[By, str]:
    """A message from the address of an account, sorted and taken; who handles it, and its id."""
    person, rights = someone.person, someone.person.system.vault.rights
    raw = new_id("msg").encode()
    message = Message(sender=someone.email, title="self-check", text=wish.kind, raw=raw, answerable=False)
    made = rights.intake.receive(person.tenant, message)
    by = By(tenant=person.tenant, actor=SERVICE, call=new_id("run"))
    rights.handling.sort(by, made.id, wish)
    rights.handling.take(by, made.id)
    return by, made.id


class _Forgetful(MailDesk):
    """The known-bad desk: it thanks everybody and writes nothing down."""

    def take(self, tenant: str, return_path: str, raw: bytes) -> str:  # noqa: ARG002 - the shape of a desk
        """Forget it."""
        return "250 2.0.0 OK"


def _by_mail(system: System, listener: Listener | None) -> Facts:
    """A mail over LMTP becomes a request with a day, an acknowledgement waits, and nothing was deleted."""
    if listener is None:
        return Facts(0, 0, 0, configured=False)
    rights, desk = system.vault.rights, system.mail.desk
    with probe(system) as around:
        someone = account(system, around.tenant)
        person = someone.person
        try:
            kept = person.keep(b"still here").id
            _send(listener, someone, desk.address(person.tenant))
            found = person.run("request.list", Nothing()).requests
            letters = [one for one in rights.outgoing.waiting(person.tenant) if one.address == someone.email]
            outcomes = [len(found) == 1 and bool(found[0].due), len(letters) == 1, person.open(kept) == b"still here"]
            outcomes.append(bool(found) and found[0].state == "received" and found[0].level < found[0].level_needed)
        finally:
            person.erase()
    return counted(outcomes)


def _send(listener: Listener, someone: Account, to: str) -> None:
    # A list's mail is never answered by a machine: no relay is asked to write to a synthetic address.
    text = f"From: {someone.email}\r\nSubject: self-check\r\nPrecedence: bulk\r\n\r\nPlease erase me.\r\n"
    try:
        with smtplib.LMTP(*_place(listener), timeout=20) as client:
            client.sendmail(someone.email, [to], text)
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable("The e-mail desk does not answer.", code="mail-listen") from error


def _place(listener: Listener) -> tuple[str, int]:
    return (listener.bound, 0) if isinstance(listener.bound, str) else tuple(listener.bound[:2])


@contextmanager
def _forgetful(system: System) -> Iterator[Listener]:
    real = system.mail.desk
    desk = _Forgetful(intake=real.intake, outgoing=real.outgoing, domain=real.domain, known=real.known)
    made = Listener(desk, "127.0.0.1:0", max_bytes=system.base.settings.mail.max_bytes, faults=system.base.journal)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _forgotten(system: System) -> Facts:
    if system.mail.listener is None:
        return Facts(0, 0, 0, configured=False)
    with _forgetful(system) as listener:
        return _by_mail(system, listener)


CHECKS = (
    Check(
        "requests-in-time",
        ("RGT-03",),
        "No request of anybody may be overdue, and none of the last 30 days may have been answered late. A synthetic "
        "request must be on record as overdue by a clock that runs ahead, be extended once with a later day, and not "
        "twice. Whether an answer was right is not looked at.",
        lambda system: _in_time(system, ahead=timedelta(days=60)),
        lambda system: _in_time(system, ahead=timedelta()),
        scope="all open requests, and those closed within 30 days",
        population="requests of people, and steps of a synthetic one",
    ),
    Check(
        "requester-identified",
        ("RGT-03", "DEL-06"),
        "Synthetic messages from the address of a synthetic account ask for a copy, erasure, correction, restriction: "
        "without a confirmation by signing in, or an officer's word on how they saw it, none may be answered. One that "
        "objects must stop the use and leave what is kept by the consent where it is.",
        lambda system: _identity_checked(system, system.vault.rights.handling),
        lambda system: _identity_checked(system, _Trusting(system.vault.rights.handling)),
        every=6 * 3600,
        scope="messages from the address of one synthetic account",
        population="kinds of requests without a shown identity",
    ),
    Check(
        "requests-by-mail",
        ("DEL-06",),
        "A mail over LMTP to the privacy address of the probe tenant must become a request with a day to answer by, "
        "with an acknowledgement that waits to be sent, and must delete nothing. How your mail server reaches the desk "
        "from outside is not looked at.",
        lambda system: _by_mail(system, system.mail.listener),
        _forgotten,
        every=6 * 3600,
        scope="the mail desk, with one synthetic letter",
        population="duties after a letter",
    ),
)
