"""Single sign-on on a real database, with a relying party that may reach loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sqlalchemy import event

from conformance.identity.faulty_provider import Provider
from database_world import opened
from troth.identity.sign_in import SignedIn
from troth.identity.sso.admission import Admission, Asking
from troth.identity.sso.attempts import Attempts
from troth.identity.sso.connections import Connections, SsoConnection, Wish
from troth.identity.sso.discovery import Directory
from troth.identity.sso.fetching import Fetcher, Reach
from troth.identity.sso.oidc import RelyingParty, Response
from troth.identity.sso.rules import Rules
from troth.kernel.errors import Conflict
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import metadata
from unit.identity.world import TLS, World
from worlds import PlainSealer

LOOPBACK = Reach((ip_network("127.0.0.0/8"),), plain=True)
SETTINGS: dict[str, Any] = {"algorithms": ["RS256", "ES256"], "client_auth": "basic", "scopes": ["email"]}
ASKING = Asking(request="req_sso", channel=TLS)


class SsoWorld:
    """One tenant with one connection."""

    def __init__(self, world: World, reach: Reach = LOOPBACK, seconds: float = 2.0) -> None:
        self.world = world
        self.connections = Connections(world.database, world.fields, world.clock)
        self.attempts = Attempts(world.database, world.fields, world.clock)
        self.fetcher = Fetcher(reach, seconds=seconds)
        self.admission = Admission(
            database=world.database,
            users=world.users,
            roles=world.roles,
            sessions=world.sessions,
            devices=world.devices,
            links=world.links,
            recorder=world.recorder,
            details=PlainSealer(),
            clock=world.clock,
            domain_verified=self.connections.domain_verified,
        )
        self.directory = Directory(self.fetcher, world.clock)
        self.party = RelyingParty(
            origin="https://troth.example.org",
            database=world.database,
            connections=self.connections,
            attempts=self.attempts,
            directory=self.directory,
            fetcher=self.fetcher,
            admission=self.admission,
            clock=world.clock,
        )

    def connect(self, tenant: str, issuer: str, *, verified: bool = True, **changes: Any) -> SsoConnection:
        wish: dict[str, Any] = {
            "name": "Acme's directory",
            "issuer": issuer,
            "client_id": "troth",
            "secret": "a secret of the client",
            "rules": Rules(role_claim="groups", roles={"x": "member"}, levels={"mfa": 2}),
            "settings": SETTINGS,
            "domains": ("acme.example.org",),
            "just_in_time": True,
        }
        with within(SYSTEM):
            made = self.connections.create(tenant, "oidc", Wish(**{**wish, **changes}))
            return self.verified(made) if verified else made

    def verified(self, connection: SsoConnection) -> SsoConnection:
        """As an operator says of every domain that no other connection has."""
        for one in connection.domains:
            with suppress(Conflict):
                connection = self.connections.verify_domain(connection.id, one.name)
        return connection

    def sign_in(
        self,
        connection: str,
        provider: Provider,
        change: Callable[[dict[str, Any]], None] = lambda _: None,
        *,
        fresh: bool = False,
    ) -> SignedIn:
        """The whole flow; `change` may bend what comes back (members of `Response`)."""
        return asyncio.run(self.flow(connection, provider, change, fresh=fresh))

    async def flow(
        self, connection: str, provider: Provider, change: Callable[[dict[str, Any]], None], *, fresh: bool = False
    ) -> SignedIn:
        started = await self.party.begin(connection, fresh=fresh)
        said = provider.authorize(started.location)
        back = {
            "connection": connection,
            "browser": started.browser,
            "state": said.get("state", ""),
            "code": said.get("code"),
            "issuer": said.get("iss"),
            "error": said.get("error"),
        }
        change(back)
        return await self.party.finish(Response(**back), ASKING)


@contextmanager
def sso_world(folder: Path, *, clock: Any = None, **options: Any) -> Iterator[SsoWorld]:
    """A world on SQLite."""
    with opened("sqlite", folder, list(metadata.sorted_tables)) as database:
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        with within(SYSTEM):
            yield SsoWorld(World(database, *([clock] if clock else [])), **options)
