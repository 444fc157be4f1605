"""Governed access over the identity tests' world: an owner, a member, and everything that decides about roles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from troth.identity.governing.campaigns import Campaigns, Plan
from troth.identity.governing.custom_roles import CustomRoles
from troth.identity.governing.elevations import Elevations
from troth.identity.governing.emergency import Emergencies
from troth.identity.governing.having import Having
from troth.identity.governing.leaving import ENDS, Leaving
from troth.identity.sessions import Proof
from troth.kernel.caller import Authentication, Caller
from troth.kernel.journal import Journal
from troth.kernel.record import Entry
from unit.identity.world import Person, World

DUE_DAYS = 7


@dataclass
class Office:
    """A tenant with an owner and a member who signed in."""

    world: World
    spared: set[str] = field(default_factory=set)
    left: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world, journal = self.world, Journal(strict=True)
        self.tenant = world.tenant().id
        self.owner, self.ada = world.person(self.tenant, "owner"), world.person(self.tenant, "member")
        self.custom = CustomRoles(world.database, world.clock)
        self.ledger = Elevations(world.database, world.roles, world.reasons, world.recorder, world.clock)
        self.emergencies = Emergencies(self.ledger, journal, DUE_DAYS)
        self.having = Having(world.database, world.reasons, world.clock)
        self.campaigns = Campaigns(
            world.database,
            world.recorder,
            world.clock,
            Plan(),
            journal=journal,
            spared=lambda: frozenset(self.spared),
        )
        self.leaving = Leaving(ledger=self.ledger, remains=lambda _tenant, _user: self.left, ends=ENDS)
        world.clock.forward(minutes=1)  # who is here was here before what follows

    def as_(self, person: Person, method: str = "password+totp", age: int = 5, *, assurance: int = 2) -> Caller:
        """The person as they stand now, signed in by a method."""
        opened = self.world.sessions.open(person.id, Proof(method, assurance), "public")
        caller = self.world.at_device(opened.token)
        proof = Authentication(method, assurance, age, opened.id)
        return replace(caller, authentication=proof)

    def roles(self, person: Person) -> set[str]:
        """The roles by which the person's next request is judged."""
        return set(self.as_(person).roles)

    def said(self, *names: str) -> list[Entry]:
        """The entries of these names so far."""
        return [one for one in self.world.recorder.entries if one.operation in names]
