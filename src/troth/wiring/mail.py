"""Builds the e-mail desk."""

from __future__ import annotations

from dataclasses import dataclass

from troth.gateway.limits.alerts import Alerts, Letter
from troth.governance.alarming import SecondChannel
from troth.identity.governing.emergency import Emergencies
from troth.identity.users import Users
from troth.kernel.errors import NotFound
from troth.mail.alarms import Alarm, Alarms
from troth.mail.desk import MailDesk
from troth.mail.listener import Listener
from troth.mail.relay import SmtpRelay
from troth.promises.system import Base, Identity, Mailroom, Vault
from troth.wiring.identity import relying_party
from troth.wiring.limits import build_alerts


@dataclass(frozen=True, slots=True)
class EmergencyBell:
    """Implements `mail.alarms.Bell` on uses of emergency access."""

    emergencies: Emergencies
    users: Users
    page: str  # https address of the page that shows it

    def waiting(self) -> list[Alarm]:
        """Uses of which owners were not told by mail."""
        title, text = (
            "Emergency access was taken",
            (
                "Somebody whom an owner designated took emergency access in your organisation.\n"
                f"Look at who, why and until when, and end it if it is wrong: {self.page}\n"
                "Somebody else than that person must judge it afterwards.\n"
            ),
        )
        return [Alarm(one.use.id, one.use.tenant, one.owners, title, text) for one in self.emergencies.notices()]

    def address(self, person: str) -> str:
        """The address of an account. Raises `NotFound`, `Gone`."""
        return self.users.get(person).email

    def rung(self, alarm: Alarm) -> None:
        """Owners were told."""
        self.emergencies.told(alarm.id)


@dataclass(frozen=True, slots=True)
class BudgetBell:
    """Implements `mail.alarms.Bell` on budgets that reached 50, 80 or 100 percent."""

    alerts: Alerts
    users: Users
    page: str  # https address of the page that shows it

    def waiting(self) -> list[Alarm]:
        """Alerts that nobody was written to about yet."""
        return [self._alarm(one) for one in self.alerts.letters() if one.people]

    def address(self, person: str) -> str:
        """The address of an account. Raises `NotFound`, `Gone`."""
        return self.users.get(person).email

    def rung(self, alarm: Alarm) -> None:
        """Everybody was told."""
        budget, began, percent = alarm.id.split(".")
        self.alerts.told((budget, int(began), int(percent)))

    def _alarm(self, one: Letter) -> Alarm:
        over = one.percent == 100
        comes = (
            "Requests that cost money are refused until its time is over or somebody raises it.\n"
            if over
            else ("At 100 percent requests that cost money are refused.\n")
        )
        text = (
            f"A budget for the use of models in your organisation reached {one.percent} percent.\n"
            f"{comes if one.stops else ''}Look at which and change it here: {self.page}\n"
        )
        title = f"A budget reached {one.percent} percent"
        return Alarm(".".join(map(str, one.place)), one.tenant, one.people, title, text)


def build_mail(
    base: Base, identity: Identity, vault: Vault, emergencies: Emergencies, second: SecondChannel
) -> Mailroom:
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
    origin = relying_party(base.settings).origins[0]
    bells = (
        EmergencyBell(emergencies, identity.users, f"{origin}/access"),
        BudgetBell(build_alerts(base), identity.users, f"{origin}/limits"),
    )
    alarms = Alarms(bells=bells, poster=relay, sender=f"alarm@{settings.domain}", second=second.tell)
    if settings.listen is None:
        return Mailroom(desk, None, alarms)
    listener = Listener(desk, settings.listen, max_bytes=settings.max_bytes, faults=base.journal)
    return Mailroom(desk, listener, alarms)
