"""Sends notices through an SMTP server (RFC 5321), always over verified TLS (RFC 3207, RFC 8314)."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from troth.kernel.clock import Clock
from troth.kernel.errors import Unavailable
from troth.mail.alarms import Message
from troth.vault.rights.outgoing import Letter

_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpRelay:
    """One SMTP server. `implicit`: TLS from the first byte; otherwise STARTTLS, which must succeed."""

    host: str
    port: int
    clock: Clock
    implicit: bool = False
    authority: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def send(self, letter: Letter, sender: str) -> None:
        """Send one notice as an automatic answer: empty return path, marked as RFC 3834 asks.

        Raises `Unavailable` when it was not taken; the reason may hold an address and is not told.
        """
        self._taken(composed(letter, sender, self.clock), letter.address)

    def post(self, message: Message, sender: str) -> None:
        """Send one message that nobody asked for. Raises `Unavailable` as `send`."""
        made = EmailMessage(policy=SMTP)
        made["From"], made["To"], made["Subject"] = sender, message.address, message.title
        made["Date"] = format_datetime(self.clock.now())
        made["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(message.text)
        self._taken(made, message.address)

    def _taken(self, message: EmailMessage, address: str) -> None:
        try:
            with self._connected() as server:
                if self.user is not None:
                    server.login(self.user, self.password or "")
                server.send_message(message, from_addr="", to_addrs=[address])
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable("The mail relay did not take the message.", code="relay-failed") from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.implicit:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            server.starttls(context=context)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server


def composed(letter: Letter, sender: str, clock: Clock) -> EmailMessage:
    """The message. Raises ValueError for a line break in a header: nothing can be smuggled into one."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.address
    message["Subject"] = letter.title
    message["Date"] = format_datetime(clock.now())
    # The same each time it is tried, so that a copy that went out twice is seen as one.
    message["Message-ID"] = f"<{letter.closing or letter.request.id}.{letter.notice.value}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-replied"
    message.set_content(letter.text)
    return message
