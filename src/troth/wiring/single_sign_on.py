"""Builds single sign-on."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from troth.identity.roles import Roles
from troth.identity.scim.access import GroupRoles
from troth.identity.sign_in import SignIn
from troth.identity.sso.admission import Admission
from troth.identity.sso.attempts import Attempts
from troth.identity.sso.connections import Connections
from troth.identity.sso.discovery import Directory
from troth.identity.sso.fetching import Fetcher, Reach
from troth.identity.sso.link_operations import OwnLinkOperations, SsoLinkOperations
from troth.identity.sso.links import Links
from troth.identity.sso.oidc import RelyingParty
from troth.identity.sso.operations import SsoDomainOperations, SsoOperations, SsoSignInOperations
from troth.identity.sso.saml.door import SamlDoor
from troth.identity.sso.saml.operations import SamlOperations, SamlSignInOperations
from troth.identity.sso.saml.setup import SamlSetup
from troth.kernel.errors import Unavailable
from troth.promises.system import Base
from troth.settings.sections import Identity


def build_sso(base: Base, sign_in: SignIn, roles: Roles, links: Links, origin: str) -> tuple[object, ...]:
    """Its operations. `origin`: https address of the portal. Raises `Unavailable` (`bad-settings`)."""
    database, clock, fields = base.database, base.clock, base.fields
    connections, fetcher = Connections(database, fields, clock), Fetcher(reach_of(base.settings.identity))
    admission = Admission(
        database=database,
        users=sign_in.users,
        roles=roles,
        sessions=sign_in.sessions,
        devices=sign_in.devices,
        links=links,
        recorder=base.outbox,
        details=base.details,
        clock=clock,
        domain_verified=connections.domain_verified,
        pushed=GroupRoles(roles=roles, fields=fields, recorder=base.outbox, clock=clock).of,
    )
    attempts = Attempts(database, fields, clock)
    party = RelyingParty(
        origin=origin,
        database=database,
        connections=connections,
        attempts=attempts,
        directory=Directory(fetcher, clock),
        fetcher=fetcher,
        admission=admission,
        clock=clock,
    )
    door = SamlDoor(connections=connections, attempts=attempts, admission=admission, clock=clock, base=origin)
    return (
        SsoOperations(connections=connections, party=party),
        SsoLinkOperations(connections=connections, links=links),
        OwnLinkOperations(connections=connections, links=links),
        SsoDomainOperations(connections=connections),
        SsoSignInOperations(connections=connections, party=party, throttle=sign_in.throttle),
        SamlOperations(setup=SamlSetup(connections=connections, door=door, clock=clock, reach=fetcher.reach)),
        SamlSignInOperations(door=door, throttle=sign_in.throttle),
    )


def reach_of(settings: Identity) -> Reach:
    """Where identity providers may stand. Raises `Unavailable` (`bad-settings`) for a network that is none."""
    named = networks(settings.sso_private_networks, "TROTH_IDENTITY__SSO_PRIVATE_NETWORKS")
    return Reach(named, settings.sso_plain_loopback, settings.sso_authority)


def networks(several: Iterable[str], setting: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks that a setting names. Raises `Unavailable` (`bad-settings`)."""
    try:
        return tuple(ip_network(one) for one in several)
    except ValueError:
        advice = f"{setting} names what is no network; write such as 10.1.0.0/16."
        raise Unavailable(advice, code="bad-settings") from None
