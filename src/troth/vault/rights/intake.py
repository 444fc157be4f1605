"""Messages from outside become requests. The sender is sealed; whether it is really them is not believed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from troth.kernel.errors import Gone, TooMany
from troth.vault.objections import fence_erased
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.notices import Notice
from troth.vault.rights.register import MAX_OPEN, By, Register, Wish, fresh
from troth.vault.rights.requests import Level, Request, State
from troth.vault.rights.sealed import Written

ACTOR = "svc_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What came by mail. `raw` is hashed and dropped; `answerable`: an automatic reply may be sent (RFC 3834)."""

    sender: str
    title: str
    text: str
    raw: bytes
    answerable: bool = True


class Intake:
    """Takes messages in."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._directory = register.directory

    def receive(self, tenant: str, message: Message) -> Request:
        """The request that a message became; the same message twice is one request.

        An account with the sender's address makes it that person's, to be confirmed by signing in. Raises `TooMany`
        when this address has many open, `Unavailable`.
        """
        register, now = self._register, self._register.ground.now()
        sender = message.sender.casefold()
        row = fresh(tenant, Wish(kind=Kind.UNSORTED), register.law, now)
        subject = self._directory.find(tenant, sender)
        holder = subject or row["id"]
        written = Written(text=message.text, title=message.title, address=message.sender)
        row |= {
            "subject": subject,
            "channel": "mail",
            "state": State.RECEIVED,
            "level": Level.LOW if subject else Level.NONE,
            "body": register.texts.body(tenant, holder, written),
            "mark": register.texts.index("request-message", hashlib.sha256(message.raw).hexdigest()),
            "sender": register.texts.index("request-sender", sender),
            "own_key": subject is None,
        }
        with register.ground.database.write() as connection:
            known = store.known_message(connection, tenant, row["mark"])
            if known is not None:
                return store.of_row(store.found(connection, tenant, known))
            if subject is not None:
                fence_erased(connection, tenant, subject)
            if store.open_of_sender(connection, tenant, row["sender"]) >= MAX_OPEN:
                raise TooMany("This sender has many open requests; wait for an answer.", code="many-requests")
            store.add(connection, row)
            request = store.of_row(row)
            register.note(connection, "request.received", request, By(tenant=tenant, actor=ACTOR, call=request.id))
            register.tell(connection, request, Notice.RECEIPT, automatic=message.answerable)
        return request

    def adopt(self, tenant: str, request: str, subject: str) -> bool:
        """Make a request a person's: its texts are sealed anew, its own key goes with the next round of upkeep.

        The address of their account is told, when another one asked: nobody acts for a person unseen. False
        when there is no such person. Raises `Gone` for an erased one.
        """
        register = self._register
        if not self._directory.belongs(tenant, subject):
            return False
        with register.ground.database.read() as connection:
            row = store.found(connection, tenant, request)
        if row["subject"] is not None or row["body"] is None:
            raise _adopted()
        written = register.texts.written(row)
        body = register.texts.body(tenant, subject, written)
        elsewhere = register.asked_elsewhere(row | {"subject": subject}, written)
        with register.ground.database.write() as connection:
            fence_erased(connection, tenant, subject)
            if store.found(connection, tenant, request, lock=True)["subject"] is not None:
                raise _adopted()  # another officer was first, maybe with somebody else
            store.change(connection, request, subject=subject, body=body)
            if elsewhere:
                register.tell(connection, store.of_row(row), Notice.RECEIPT_COPY)
        return True


def _adopted() -> Gone:
    return Gone("This request belongs to somebody already, or was forgotten.", code="request-adopted")
