"""Builds the e-mail desk."""

from __future__ import annotations

from troth.kernel.errors import NotFound
from troth.mail.desk import MailDesk
from troth.mail.listener import Listener
from troth.mail.relay import SmtpRelay
from troth.promises.system import Base, Identity, Mailroom, Vault


def build_mail(base: Base, identity: Identity, vault: Vault) -> Mailroom:
    settings = base.settings.mail

    def known(tenant: str) -> bool:
        try:
            return identity.tenants.get(tenant).id == tenant
        except NotFound:
            return False

    relay = None
    if settings.relay_host is not None:
        relay = SmtpRelay(
            host=settings.relay_host,
            port=settings.relay_port,
            clock=base.clock,
            implicit=settings.relay_tls == "implicit",
            authority=settings.relay_authority,
            user=settings.relay_user,
            password=settings.relay_password,
        )
    rights = vault.rights
    desk = MailDesk(intake=rights.intake, outgoing=rights.outgoing, domain=settings.domain, known=known, relay=relay)
    if settings.listen is None:
        return Mailroom(desk, None)
    return Mailroom(desk, Listener(desk, settings.listen, max_bytes=settings.max_bytes, faults=base.journal))
