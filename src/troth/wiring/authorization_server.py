"""Builds the authorization server."""

from __future__ import annotations

from collections.abc import Callable

from troth.identity.devices.shown import Devices
from troth.identity.oauth.device_codes import DeviceCodes
from troth.identity.oauth.endpoint import TokenEndpoint
from troth.identity.oauth.families import Families
from troth.identity.oauth.once import Once
from troth.identity.oauth.operations import DeviceCodeOperations, OAuthOperations, ServiceOperations
from troth.identity.oauth.parts import AuthorizationServer, BoundTokens
from troth.identity.oauth.service_accounts import ServiceAccounts
from troth.identity.oauth.service_tokens import ServiceTokens
from troth.identity.own_account import OwnAccount
from troth.kernel.caller import Connection
from troth.promises.system import Base


def build_authorization_server(
    base: Base, own: OwnAccount, devices: Devices, issuer: str, certified: Callable[[Connection], str | None]
) -> AuthorizationServer:
    """`issuer`: https address of the portal, by which clients know the server. `certified`: `TokenEndpoint` has it."""
    database, clock = base.database, base.clock
    codes, services = DeviceCodes(database, clock), ServiceAccounts(database, clock)
    endpoint = TokenEndpoint(
        issuer=issuer,
        codes=codes,
        families=Families(database, clock, own.sessions),
        services=services,
        tokens=ServiceTokens(database, devices, clock, certified),
        sessions=own.sessions,
        once=Once(database, clock),
        throttle=own.throttle,
        recorder=base.outbox,
        details=base.details,
        clock=clock,
        certified=certified,
    )
    operations = (
        OAuthOperations(endpoint=endpoint),
        DeviceCodeOperations(codes=codes, own=own),
        ServiceOperations(services=services, own=own),
    )
    return AuthorizationServer(endpoint, BoundTokens(own.sessions, endpoint.tokens), operations)
