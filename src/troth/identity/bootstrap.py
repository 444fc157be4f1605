"""The first operator, made on the machine itself: whoever the operating system lets run `troth init`."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.store import OPERATORS
from troth.identity.tenants import Tenants
from troth.identity.users import NewUser, Users
from troth.kernel.errors import Conflict
from troth.kernel.scope import as_system

ROLE = "operator"


@dataclass(frozen=True, slots=True)
class OperatorCredentials:
    """Everything the operator needs to sign in, shown this once. Both factors are in force."""

    user: str
    email: str
    password: str
    totp_secret: str
    totp_uri: str
    recovery_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """The parts that the making of an operator asks."""

    tenants: Tenants
    users: Users
    totp: Totp
    recovery: RecoveryCodes

    @as_system
    def needed(self) -> bool:
        """True while no active operator holds the role."""
        return not self.users.any_active(OPERATORS, ROLE)

    @as_system
    def operator(self, email: str, jurisdiction: str) -> OperatorCredentials:
        """The first operator. Raises `Conflict` when an active one exists, `Invalid` for an address that is none."""
        tenant = self.tenants.ensure_operators(jurisdiction)
        if not self.needed():
            raise Conflict("There is an operator already; sign in as that person.", code="operator-exists")
        new = NewUser(tenant, email, "Operator", frozenset({ROLE}), created_by="bootstrap", issued=False)
        made = self.users.create(new)
        offer = self.totp.install(tenant, made.id, email)
        codes = self.recovery.renew(made.id)
        return OperatorCredentials(made.id, email, made.password, offer.secret, offer.uri, codes)
