"""One installation behind its HTTPS door: what `serve`, `demo` and the flow tests run."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import Request
from starlette.types import ASGIApp

from troth.http.app import create_app
from troth.http.authenticate import Authenticator, connection_of
from troth.http.limits import RateLimit
from troth.http.routes import Door
from troth.http.serve import certificate_files, listen, run
from troth.identity.bootstrap import OperatorCredentials
from troth.kernel.caller import Caller, anonymous
from troth.kernel.errors import Conflict
from troth.kernel.ids import new_id
from troth.kernel.journal import route_libraries
from troth.kernel.periodic import Periodic
from troth.kernel.scope import Scope, within
from troth.portal.desk import Desk
from troth.portal.routes import pages
from troth.promises.system import Listener
from troth.settings.load import Settings
from troth.vault.rights.register import Register
from troth.wiring import Troth, build

_HOUSEKEEPING_SECONDS = 600.0
_ERASURE_SECONDS = 60.0  # what became due, was released by a hold, or waited for a key domain
_DAY_SECONDS = 86_400.0
_SHIPPING_SECONDS = 15.0  # between looks whether an epoch ended
_DRILL_SECONDS = 3600.0  # between looks whether a drill is due
_NOTICE_SECONDS = 30.0


@dataclass(slots=True)
class Installation:
    """A built installation and its application. `periodic` work begins and ends with the application."""

    troth: Troth
    app: ASGIApp
    periodic: list[Periodic] = field(default_factory=list)


def install(settings: Settings, *, checks: bool = True) -> Installation:
    """Build everything and put the door in front."""
    troth = build(settings)
    system = troth.system
    door = Door(
        dispatcher=system.dispatcher,
        authenticator=Authenticator(system.identity.sessions, system.identity.keys),
        rate=RateLimit(settings.server.requests_per_minute, settings.server.anonymous_per_minute),
        claims=troth.claims,
        max_body_bytes=settings.server.max_body_bytes,
        signal=partial(_signal, system.vault.rights.register),
    )
    work = _work(troth, checks=checks)
    system.schedule.extend(work)

    def start() -> None:
        troth.start()
        if system.mail.listener is not None:
            system.mail.listener.start()
        for one in work:
            one.start()

    def stop() -> None:
        if system.mail.listener is not None:
            system.mail.listener.stop()
        troth.runner.stop()
        for one in work:
            one.stop()
        troth.stop()

    app = create_app(
        door,
        ready=troth.ready,
        start=start,
        stop=stop,
        close=system.gateway.ports.close,
        pages=pages(_desk(door), troth.published, settings.server.security_contact),
    )
    return Installation(troth, app, work)


def _desk(door: Door) -> Desk:
    return Desk(
        dispatcher=door.dispatcher,
        identify=door.authenticator.visitor,
        anonymous=lambda request: anonymous(connection_of(request)),
        admit=door.rate.check,
        signal=door.signal,
    )


def _signal(register: Register, request: Request, caller: Caller) -> None:
    """Global Privacy Control: `Sec-GPC: 1` opts whoever is signed in out of sale and sharing, once (11 CCR 7025)."""
    if request.headers.get("sec-gpc") == "1" and caller.tenant and caller.subject:
        with within(Scope.of(caller)):
            register.signal(caller.tenant, caller.subject, new_id("req"))


def operator(installation: Installation, email: str) -> OperatorCredentials | None:
    """The first operator's credentials, or None when there is an operator already."""
    identity = installation.troth.system.identity
    try:
        return identity.bootstrap.operator(email, installation.troth.system.base.settings.data.jurisdiction)
    except Conflict:
        return None


def open_door(installation: Installation, settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Listen and serve until a signal; `on_ready` gets the address."""
    installation.troth.start()  # before the listener, so that a refusal such as a second server is said plainly
    authority, certificate, private_key = certificate_files(settings.data, settings.server)
    listener = listen(settings.server)
    port = _port(listener)
    host = _reachable(settings.server.host)
    installation.troth.system.door.listener = Listener(
        host, port, settings.server.name, authority, certificate, private_key
    )
    route_libraries(installation.troth.system.base.journal)
    run(
        installation.app,
        listener,
        certificate,
        private_key,
        lambda: on_ready(f"https://{settings.server.name}:{port}"),
        connections_per_address=settings.server.connections_per_address,
    )


def _reachable(host: str) -> str:
    """Where a client on this machine finds a listener on `host`."""
    try:
        return "127.0.0.1" if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _backups(troth: Troth) -> list[Periodic]:
    """The newest key tree travels at once, everything else each hour or so; a drill shows that it comes back."""
    backups, wish = troth.system.backups, troth.system.base.settings.backup
    faults, pace = troth.system.base.journal, wish.every_minutes * 60.0
    return [
        Periodic("key-tree", backups.ship, seconds=_SHIPPING_SECONDS, delay=_SHIPPING_SECONDS, faults=faults),
        Periodic("backup", backups.run, seconds=pace, delay=wish.first_after_seconds, faults=faults),
        Periodic("drill", backups.drill_when_due, seconds=_DRILL_SECONDS, delay=_DRILL_SECONDS, faults=faults),
    ]


def _work(troth: Troth, *, checks: bool) -> list[Periodic]:
    vault, identity = troth.system.vault, troth.system.identity
    tree, faults = troth.system.base.tree, troth.system.base.journal
    work = [
        Periodic("retention", vault.retention.sweep, seconds=_HOUSEKEEPING_SECONDS, delay=30.0, faults=faults),
        Periodic("key-pages", tree.sweep, seconds=_DAY_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults),
        Periodic("key-domains", tree.finish, seconds=_ERASURE_SECONDS, delay=_ERASURE_SECONDS, faults=faults),
        Periodic("key-roots", tree.rotate_due, seconds=_DAY_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults),
        Periodic("certificates", vault.erasures.tidy, seconds=_DAY_SECONDS, delay=120.0, faults=faults),
        Periodic("sign-in", identity.sweep, seconds=_HOUSEKEEPING_SECONDS, delay=60.0, faults=faults),
        Periodic("erasures", vault.erasures.resume, seconds=_ERASURE_SECONDS, delay=_ERASURE_SECONDS, faults=faults),
    ]
    upkeep, deliver = vault.rights.upkeep.run, troth.system.mail.desk.deliver
    work += [
        Periodic("requests", upkeep, seconds=_HOUSEKEEPING_SECONDS, delay=45.0, faults=faults),
        Periodic("notices", deliver, seconds=_NOTICE_SECONDS, delay=15.0, faults=faults),
    ]
    work += _backups(troth)
    tally = troth.system.dispatcher.tally
    work.append(
        Periodic("public-reads", tally, seconds=_HOUSEKEEPING_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults)
    )
    if checks:
        run_all, wish = troth.runner.run_all, troth.system.base.settings.promises
        pace = {"seconds": wish.every_seconds, "delay": wish.first_after_seconds}
        work.append(Periodic("checks", run_all, **pace, faults=faults))
    return work
