"""A tenant with SAML connections on a database of the identity tests: setting up, signing in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sso_world import LOOPBACK
from troth.identity.sign_in import SignedIn
from troth.identity.sso.admission import Admission, Asking
from troth.identity.sso.attempts import Attempts
from troth.identity.sso.connections import Connections, SsoConnection
from troth.identity.sso.rules import Rules
from troth.identity.sso.saml import messages as m
from troth.identity.sso.saml.door import Answer, SamlDoor
from troth.identity.sso.saml.settings import Reading
from troth.identity.sso.saml.setup import SamlSetup
from troth.kernel.clock import Clock
from troth.kernel.errors import Conflict
from unit.identity.world import TLS, World
from worlds import PlainSealer

BASE = "https://troth.example"
ASKING = Asking(request="req_1", channel=TLS)


@dataclass
class SamlTown:
    """Everything of SAML on one world, by a clock of its own when real providers are asked."""

    world: World
    clock: Clock
    tenant: str = field(init=False)
    serial: int = 0  # of assertions

    def __post_init__(self) -> None:
        world, clock = self.world, self.clock
        self.tenant = world.tenants.create("Customer", "eu").id
        self.connections = Connections(world.database, world.fields, clock)
        self.attempts = Attempts(world.database, world.fields, clock)
        admission = Admission(
            database=world.database,
            users=world.users,
            roles=world.roles,
            sessions=world.sessions.by(clock),
            devices=world.devices,
            links=world.links,
            recorder=world.recorder,
            details=PlainSealer(),
            clock=clock,
            domain_verified=self.connections.domain_verified,
        )
        self.door = SamlDoor(
            connections=self.connections, attempts=self.attempts, admission=admission, clock=clock, base=BASE
        )
        self.setup = SamlSetup(connections=self.connections, door=self.door, clock=clock, reach=LOOPBACK)

    def connect(self, metadata: str, **changes: Any) -> SsoConnection:
        """A connection that makes accounts just in time and maps the groups `staff` and `lab`."""
        usual: dict[str, Any] = {
            "name": "Customer's provider",
            "metadata": metadata,
            "domains": ("customer.example",),
            "rules": Rules(role_claim="groups", roles={"staff": "member"}, assurance=2),
            "reading": Reading(email_attribute="mail", name_attribute="cn"),
            "just_in_time": True,
        }
        made = self.setup.connect(self.tenant, m.SamlConnect(**usual | changes))
        with suppress(Conflict):  # another connection of the tenant has it
            made = self.connections.verify_domain(made.id, "customer.example")
        return made

    def finish(self, connection: str, response: str, state: str, browser: str | None) -> SignedIn:
        """Come back with a Response."""
        answer = Answer(connection=connection, response=response, state=state, browser=browser)
        return self.door.finish(answer, ASKING)
