"""Rights on a real vault: the register, its handling and upkeep, with a small directory of people."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from troth.identity.privacy import PrivacySettings
from troth.vault.rights.clocks import Calendar, Kind, Law
from troth.vault.rights.handling import Handling
from troth.vault.rights.holder import RightsHolder
from troth.vault.rights.intake import Intake, Message
from troth.vault.rights.outgoing import Outgoing
from troth.vault.rights.register import Asker, By, Register, Wish
from troth.vault.rights.requests import Level, Request
from troth.vault.rights.statements import Statements
from troth.vault.rights.upkeep import Upkeep
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld

ADDRESSES = {(TENANT, "ann@example.org"): ANN, (TENANT, "bob@example.org"): BOB, (OTHER, "eve@example.org"): "usr_eve"}
OFFICER = By(tenant=TENANT, actor="usr_officer", call="req_officer")


@dataclass
class Addresses:
    """Who has an account."""

    known: dict[tuple[str, str], str] = field(default_factory=lambda: dict(ADDRESSES))
    officers: set[str] = field(default_factory=lambda: {OFFICER.actor})

    def find(self, tenant: str, address: str) -> str | None:
        return self.known.get((tenant, address))

    def belongs(self, tenant: str, subject: str) -> bool:
        return any(one == subject and place[0] == tenant for place, one in self.known.items())

    def address(self, tenant: str, subject: str) -> str | None:
        return next((place[1] for place, one in self.known.items() if (place[0], one) == (tenant, subject)), None)

    def other_officers(self, tenant: str, subject: str) -> bool:
        return bool(self.officers - {subject}) and tenant == TENANT


class RightsWorld:
    """The rights of the people of a vault."""

    def __init__(self, vault: VaultWorld, *, law: Law = Law.GDPR, calendar: Calendar | None = None) -> None:
        self.vault = vault
        self.clock = vault.clock
        self.people = Addresses()
        self.choices = PrivacySettings(vault.database)
        self.calendar = calendar or Calendar()
        self.register = Register(
            vault.ground, vault.fields, vault.consents, self.choices, self.people, law=law, calendar=self.calendar
        )
        self.intake = Intake(self.register)
        self.outgoing = Outgoing(self.register)
        self.handling = Handling(self.register, self.intake, self.outgoing)
        self.upkeep = Upkeep(self.register, vault.tree)
        self.statements = Statements(vault.ground, self.register.texts)
        self.holder = RightsHolder(self.register, self.statements)

    def file(self, kind: Kind = Kind.ACCESS, by: Asker | None = None, **wish: object) -> Request:
        """Ask for something as Ann."""
        return self.register.file(by or asker(), Wish(kind=kind, **wish))  # type: ignore[arg-type]

    def mail(self, sender: str = "stranger@example.org", text: str = "Please erase me.", **members: object) -> Request:
        """A message to the desk."""
        raw = f"{sender}\0{text}\0{members}".encode()
        values: dict[str, object] = {"sender": sender, "title": "My data", "text": text, "raw": raw}
        return self.intake.receive(TENANT, Message(**(values | members)))  # type: ignore[arg-type]

    def events(self, log: str = TENANT) -> list[str]:
        """Operations in a log, oldest first."""
        return [entry["op"] for entry in self.entries(log)]

    def entries(self, log: str = TENANT) -> list[dict[str, Any]]:
        """Entries of a log, oldest first."""
        self.vault.sequencer.integrate()
        return [json.loads(entry.leaf) for entry in self.vault.log.entries(log, 0, 1000)]


def asker(subject: str = ANN, tenant: str = TENANT, level: Level = Level.HIGH) -> Asker:
    """A person at the portal, or a program with their key."""
    channel = "portal" if level is Level.HIGH else "api"
    return Asker(tenant=tenant, actor=subject, call="req_own", subject=subject, channel=channel, level=level)
