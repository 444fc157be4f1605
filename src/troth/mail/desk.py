"""The desk between the mail server and the register: one message in, one SMTP answer out; notices to the relay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from troth.kernel.errors import Malformed, NotFound, TooLarge, TooMany, TrothError, Unavailable
from troth.kernel.scope import SYSTEM, Scope, within
from troth.mail.reading import read_mail
from troth.vault.rights.intake import ACTOR, Intake, Message
from troth.vault.rights.outgoing import Letter, Outgoing
from troth.vault.rights.register import By

NAME: Final = "privacy"
_LOCAL = re.compile(rf"{NAME}\+(ten_[a-z0-9]{{26}})\Z", re.IGNORECASE)
_TAKEN = "250 2.0.0 OK"
# Refusal -> SMTP reply (RFC 5321 section 4.2, RFC 3463). Nothing of ours stands in it.
_REPLIES: Final[Mapping[type[TrothError], str]] = MappingProxyType(
    {
        TooLarge: "552 5.3.4 The message is too large or too deeply nested",
        Malformed: "554 5.6.0 The message cannot be read, or has not one sender",
        TooMany: "451 4.7.1 Too many open requests of this sender; try again later",
        NotFound: "550 5.1.1 No such address",
    }
)
LATER: Final = "451 4.3.0 Not available now; try again later"


class Relay(Protocol):
    """What takes mail to the world."""

    def send(self, letter: Letter, sender: str) -> None:
        """Send one. Raises `Unavailable` when it was not taken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDesk:
    """Takes messages in and sends notices."""

    intake: Intake
    outgoing: Outgoing
    domain: str
    known: Callable[[str], bool]
    """Whether there is a tenant of this id."""
    relay: Relay | None = None
    replies: Mapping[type[TrothError], str] = field(default_factory=lambda: _REPLIES)

    def address(self, tenant: str) -> str:
        """The desk's address for a tenant."""
        return f"{NAME}+{tenant}@{self.domain}"

    def tenant_of(self, address: str) -> str | None:
        """The tenant that an address belongs to; None when it is not one of the desk's."""
        local, _, domain = address.rpartition("@")
        found = _LOCAL.match(local)
        if found is None or domain.lower() != self.domain:
            return None
        tenant = found[1].lower()
        with within(SYSTEM):
            return tenant if self.known(tenant) else None

    def take(self, tenant: str, return_path: str, raw: bytes) -> str:
        """Register a message; the SMTP reply. A 4xx reply means that the mail server keeps it and tries again."""
        try:
            mail = read_mail(raw)
            if mail.automatic or not return_path or self.tenant_of(mail.sender):
                return _TAKEN  # a bounce, an absence note or our own notice: no request, and never answered
            message = Message(sender=mail.sender, title=mail.title, text=mail.text, raw=raw, answerable=mail.answerable)
            with within(Scope(tenant)):
                self.intake.receive(tenant, message)
        except TrothError as error:
            return next((reply for kind, reply in self.replies.items() if isinstance(error, kind)), LATER)
        return _TAKEN

    def deliver(self) -> int:
        """Send the notices that wait, if there is a relay; how many went. For a background round."""
        if self.relay is None:
            return 0
        sent = 0
        for letter in self.outgoing.waiting():
            if not letter.automatic:
                continue
            request = letter.request
            try:
                self.relay.send(letter, self.address(request.tenant))
            except Unavailable:
                self.outgoing.tried(letter)
                continue
            sent += 1
            with suppress(NotFound):  # forgotten while it was sent
                self.outgoing.went(By(tenant=request.tenant, actor=ACTOR, call=request.id), letter)
        return sent
