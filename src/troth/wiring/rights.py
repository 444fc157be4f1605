"""Builds the rights of people."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.privacy import PrivacySettings
from troth.identity.roles import Roles
from troth.identity.users import Users, normalised_email
from troth.kernel.errors import Gone, Invalid, NotFound
from troth.promises.system import Base, Identity, Rights
from troth.vault.consent import Consents
from troth.vault.ground import Ground
from troth.vault.rights.clocks import calendar_of, law_of
from troth.vault.rights.handling import Handling
from troth.vault.rights.holder import RightsHolder
from troth.vault.rights.intake import Intake
from troth.vault.rights.officer_operations import OfficerOperations
from troth.vault.rights.operations import RequestOperations, StandingOperations
from troth.vault.rights.outgoing import Outgoing
from troth.vault.rights.register import Register
from troth.vault.rights.statements import Statements
from troth.vault.rights.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class People:
    """Implements `rights.people.Directory` on the accounts."""

    users: Users
    roles: Roles

    def find(self, tenant: str, address: str) -> str | None:
        """The person of a tenant with this e-mail address; nobody for one who was shut out."""
        try:
            account = self.users.account(self.users.email_index(normalised_email(address)))
        except Invalid:
            return None
        return account.id if account and account.active and account.tenant == tenant else None

    def belongs(self, tenant: str, subject: str) -> bool:
        """Whether there is such a person in the tenant."""
        try:
            return self.users.get(subject).tenant == tenant
        except (NotFound, Gone):
            return False

    def address(self, tenant: str, subject: str) -> str | None:
        """The address of an account; None for nobody, or for one who is forgotten."""
        try:
            found = self.users.get(subject)
        except (NotFound, Gone):
            return None
        return found.email if found.tenant == tenant else None

    def other_officers(self, tenant: str, subject: str) -> bool:
        """Whether anybody else of the tenant may handle requests."""
        return bool(self.roles.deciding(tenant) - {subject})


def build_rights(base: Base, identity: Identity, ground: Ground, consents: Consents) -> Rights:
    settings = base.settings
    calendar = calendar_of(settings.data.jurisdiction, frozenset(settings.rights.holidays))
    choices, law = PrivacySettings(base.database), law_of(settings.data.jurisdiction)
    people = People(identity.users, identity.roles)
    register = Register(ground, base.fields, consents, choices, people, law=law, calendar=calendar)
    intake, outgoing = Intake(register), Outgoing(register)
    handling = Handling(register, intake, outgoing, sole_officer=settings.rights.sole_officer)
    statements = Statements(ground, register.texts)
    relayed = settings.mail.relay_host is not None
    return Rights(
        register=register,
        intake=intake,
        handling=handling,
        outgoing=outgoing,
        upkeep=Upkeep(register, base.tree),
        statements=statements,
        holder=RightsHolder(register, statements),
        operations=(
            RequestOperations(register=register),
            StandingOperations(register=register, statements=statements),
            OfficerOperations(register=register, handling=handling, outgoing=outgoing, relayed=relayed),
        ),
    )
