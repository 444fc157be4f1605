"""One installation behind its HTTPS door: what `serve`, `demo` and the flow tests run."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import Request
from starlette.types import ASGIApp

from troth.cli.mutual import mutual_door
from troth.governance.room.rooms import lasting
from troth.http.app import create_app
from troth.http.authenticate import Authenticator, connection_of
from troth.http.bearers import Bearers
from troth.http.guard import DoorGuard, rate_of, room_of
from troth.http.routes import Door
from troth.http.serve import certificate_files, listen, server
from troth.http.watching import Watching
from troth.identity.bootstrap import OperatorCredentials
from troth.identity.certificates.holding import KeysOfDevices
from troth.identity.devices.bindings import Bindings
from troth.identity.governing.emergency import Emergencies
from troth.kernel.caller import Caller, anonymous
from troth.kernel.ids import new_id
from troth.kernel.periodic import Periodic
from troth.kernel.scope import Scope, within
from troth.kernel.watch import UNWATCHED
from troth.portal.desk import Desk
from troth.portal.routes import pages
from troth.promises.system import Listener
from troth.settings.load import Settings
from troth.telemetry.readiness import Readiness
from troth.telemetry.routing import routed
from troth.telemetry.standard_streams import OUTPUT, captured
from troth.vault.rights.register import Register
from troth.wiring import Troth, build
from troth.wiring.beside import recorded
from troth.wiring.log_pruning import believed_time
from troth.wiring.starting import announce
from troth.wiring.telemetry import DEGRADED, readings, ready_parts

_HOUSEKEEPING_SECONDS = 600.0
_ERASURE_SECONDS = 60.0  # what became due, was released by a hold, or waited for a key domain
_REPLACING_SECONDS = 3.0  # between looks whether exposed keys are to be replaced
_DAY_SECONDS = 86_400.0
_SHIPPING_SECONDS = 2.0  # between looks whether an epoch ended, an erasure was certified, or a tail is due
_DRILL_SECONDS = 3600.0  # between looks whether a drill is due
_NOTICE_SECONDS = 30.0
_DELIVERY_SECONDS = 5.0  # the first pause after a message that was not taken
_SCRUB_SECONDS = 60.0  # what is read in one is a setting
_VIDEO_SECONDS = 1.5
_CHECK_SECONDS = 5.0  # between looks whether a check is due
_REVIEW_SECONDS = 3600.0  # between looks whether a review of administrators is overdue


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
    identity = system.identity
    keys = KeysOfDevices(Bearers(identity.keys, identity.provisioning), identity.certificates.holding)
    door = Door(
        dispatcher=system.dispatcher,
        authenticator=Authenticator(identity.device_sessions, keys),
        rate=rate_of(settings.server),
        claims=troth.claims,
        max_body_bytes=settings.server.max_body_bytes,
        room=room_of(settings.server),
        signal=partial(_signal, system.vault.rights.register),
    )
    system.door.guard = partial(DoorGuard, settings.server)
    work = _work(troth, checks=checks)
    system.schedule.extend(work)
    readiness, instruments = Readiness(ready_parts(system)), system.base.instruments

    def ready() -> tuple[dict[str, bool], bool]:
        parts = readiness()
        return parts, all(works for name, works in parts.items() if name not in DEGRADED)

    def start() -> None:
        troth.start()
        announce(system.base)
        system.gateway.detector.require()
        if system.mail.listener is not None:
            system.mail.listener.start()
        instruments.start(readings(system, readiness), ready)
        for one in work:
            one.start()

    def stop() -> None:
        if system.mail.listener is not None:
            system.mail.listener.stop()
        troth.runner.stop()
        for one in work:
            one.stop()
        troth.send_last()
        instruments.stop()
        readiness.close()
        troth.stop()

    app = create_app(
        door,
        ready=ready,
        start=start,
        stop=stop,
        close=system.gateway.ports.close,
        pages=pages(
            _desk(door, system.identity.bindings, partial(_alarms, system.governing.emergencies)),
            troth.published,
            settings.server.security_contact,
        ),
        watching=_watching(troth),
    )
    return Installation(troth, app, work)


def _watching(troth: Troth) -> Watching | None:
    """What looks at each exchange; nothing does unless a setting asks for it."""
    base = troth.system.base
    access = base.journal if base.settings.telemetry.access_log else None
    if access is None and base.instruments.watch is UNWATCHED:
        return None

    def learn(templates: frozenset[str]) -> None:
        base.journal.know_routes(templates)
        base.instruments.know(routes=templates, operations=[one.name for one in troth.system.dispatcher.registry])

    return Watching(base.instruments.watch, access, learn)


def _desk(door: Door, bindings: Bindings, alarms: Callable[[Caller], int]) -> Desk:
    return Desk(
        dispatcher=door.dispatcher,
        identify=door.authenticator.visitor,
        anonymous=lambda request: anonymous(connection_of(request, "portal")),
        admit=door.rate.check,
        bindings=bindings,
        signal=door.signal,
        alarms=alarms,
    )


def _alarms(emergencies: Emergencies, caller: Caller) -> int:
    """How many uses of emergency access run in the caller's tenant, or wait to be judged."""
    with within(Scope.of(caller)):
        return emergencies.waiting(caller.tenant) if caller.tenant else 0


def _signal(register: Register, request: Request, caller: Caller) -> None:
    """Global Privacy Control: `Sec-GPC: 1` opts whoever is signed in out of sale and sharing, once (11 CCR 7025)."""
    if request.headers.get("sec-gpc") == "1" and caller.tenant and caller.subject:
        with within(Scope.of(caller)):
            register.signal(caller.tenant, caller.subject, new_id("req"))


def operator(installation: Installation, email: str) -> OperatorCredentials | None:
    """The first operator's credentials, or None when there is an operator already."""
    bootstrap, base = installation.troth.system.identity.bootstrap, installation.troth.system.base
    if not bootstrap.needed():
        return None
    with recorded(base.outbox, base.clock, "operator.founded") as noted:
        made = bootstrap.operator(email, base.settings.data.jurisdiction)
        noted["user"] = made.user
    return made


def open_door(installation: Installation, settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Listen and serve until a signal; `on_ready` gets the address."""
    detector = installation.troth.system.gateway.detector
    detector.begin()
    installation.troth.start()  # before the listener, so that a refusal such as a second server is said plainly
    authority, certificate, private_key = certificate_files(settings.data, settings.server)
    listener = listen(settings.server)
    mutual, learning = mutual_door(installation.troth.system, certificate, private_key)
    installation.periodic.extend(learning)
    port, second = _port(listener), _port(mutual.listener) if mutual is not None else None
    host = _reachable(settings.server.host)
    installation.troth.system.door.listener = Listener(
        host, port, settings.server.name, authority, certificate, private_key, second
    )
    journal = installation.troth.system.base.journal
    with ExitStack() as stack:
        stack.enter_context(routed(journal))

        def announce() -> None:
            on_ready(f"https://{settings.server.name}:{port}")
            stack.enter_context(captured(journal, OUTPUT))  # all is said that belongs there

        detector.require()  # nothing may leave unread, so without it the door stays shut
        server(
            installation.app,
            certificate,
            private_key,
            announce,
            connections_per_address=settings.server.connections_per_address,
            mutual=mutual,
        ).run(sockets=[listener])


def _reachable(host: str) -> str:
    """Where a client on this machine finds a listener on `host`."""
    try:
        return "127.0.0.1" if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _backups(troth: Troth) -> list[Periodic]:
    """Key tree and log's tail travel at once, everything else each hour or so; a drill shows that it comes back."""
    backups, wish = troth.system.backups, troth.system.base.settings.backup
    faults, pace = troth.system.base.journal, wish.every_minutes * 60.0
    return [
        Periodic("key-tree", backups.keep_up, seconds=_SHIPPING_SECONDS, delay=_SHIPPING_SECONDS, faults=faults),
        Periodic("backup", backups.run, seconds=pace, delay=wish.first_after_seconds, faults=faults),
        Periodic("drill", backups.drill_when_due, seconds=_DRILL_SECONDS, delay=_DRILL_SECONDS, faults=faults),
    ]


def _availability(troth: Troth) -> list[Periodic]:
    """Looks at the own door, and the figures of past days into the log."""
    faults, pace = troth.system.base.journal, troth.system.base.settings.telemetry.probe_seconds
    signing = Periodic("status-days", troth.availability.days.sign, seconds=3600.0, delay=90.0, faults=faults)
    if pace == 0:
        return [signing]
    look = troth.availability.probe.run
    return [signing, Periodic("door-probe", look, seconds=float(pace), delay=min(30.0, pace), faults=faults)]


def _rooms(troth: Troth) -> Periodic:
    """Ends the roles of auditors whose last room is over."""
    end = partial(troth.system.identity.auditors.end_with_rooms, partial(lasting, troth.system.governance.registers))
    return Periodic("rooms", end, seconds=_HOUSEKEEPING_SECONDS, delay=65.0, faults=troth.system.base.journal)


def _prepared(troth: Troth) -> Periodic:
    """Says each quarter what is set, for people to judge, and each day in the log who has to do what."""
    governance, faults = troth.system.governance, troth.system.base.journal

    def prepare() -> None:
        governance.populations.run()
        governance.reviews.run()

    return Periodic("config-reviews", prepare, seconds=_HOUSEKEEPING_SECONDS, delay=75.0, faults=faults)


def _work(troth: Troth, *, checks: bool) -> list[Periodic]:
    vault, identity = troth.system.vault, troth.system.identity
    tree, faults = troth.system.base.tree, troth.system.base.journal

    def replaced() -> None:
        if troth.system.replacements.resume():
            troth.system.backups.run()  # older ones open nothing of what was replaced

    def expired() -> int:
        """Details beside the log whose time is over."""
        base = troth.system.base
        return base.details.expire(believed_time(base), base.settings.audit.details_days)

    work = [
        Periodic("retention", vault.retention.sweep, seconds=_HOUSEKEEPING_SECONDS, delay=30.0, faults=faults),
        Periodic("scrub", vault.scrub.run, seconds=_SCRUB_SECONDS, delay=_SCRUB_SECONDS, faults=faults),
        Periodic("key-pages", tree.sweep, seconds=_DAY_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults),
        Periodic("key-domains", tree.finish, seconds=_ERASURE_SECONDS, delay=_ERASURE_SECONDS, faults=faults),
        Periodic("key-roots", tree.rotate_due, seconds=_DAY_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults),
        Periodic("key-replacements", replaced, seconds=_REPLACING_SECONDS, delay=_REPLACING_SECONDS, faults=faults),
        Periodic("certificates", vault.erasures.tidy, seconds=_DAY_SECONDS, delay=120.0, faults=faults),
        Periodic("log-details", expired, seconds=_DAY_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults),
        Periodic("sign-in", identity.sweep, seconds=_HOUSEKEEPING_SECONDS, delay=60.0, faults=faults),
        Periodic("erasures", vault.erasures.resume, seconds=_ERASURE_SECONDS, delay=_ERASURE_SECONDS, faults=faults),
    ]
    upkeep, deliver = vault.rights.upkeep.run, troth.system.mail.desk.deliver
    work += [
        Periodic("requests", upkeep, seconds=_HOUSEKEEPING_SECONDS, delay=45.0, faults=faults),
        Periodic("alarms", troth.system.mail.alarms.ring, seconds=_NOTICE_SECONDS, delay=20.0, faults=faults),
        Periodic("notices", deliver, seconds=_NOTICE_SECONDS, delay=15.0, faults=faults),
    ]
    remind, send = troth.system.governance.remind, troth.system.governance.deliveries.run
    work += [
        Periodic("reminders", remind, seconds=_REVIEW_SECONDS, delay=70.0, faults=faults),
        Periodic("deliveries", send, seconds=_DELIVERY_SECONDS, delay=25.0, faults=faults),
    ]
    govern = troth.system.governing.round
    work.append(Periodic("access", govern, seconds=_HOUSEKEEPING_SECONDS, delay=50.0, faults=faults))
    watch = troth.system.reviewing.watch.run
    if (videos := troth.system.gateway.videos) is not None:
        work.append(Periodic("videos", videos.work, seconds=_VIDEO_SECONDS, delay=_VIDEO_SECONDS, faults=faults))
    work.append(Periodic("reviews", watch, seconds=_REVIEW_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults))
    if (usage := troth.system.gateway.usage) is not None:
        work.append(Periodic("usage", usage.age, seconds=_DAY_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults))
    office = troth.system.gateway.moderator
    work.append(Periodic("moderation", office.sweep, seconds=_HOUSEKEEPING_SECONDS, delay=55.0, faults=faults))
    work += _backups(troth)
    look, tally = troth.system.base.network_time.look, troth.system.dispatcher.tally
    work.append(Periodic("clock", look, seconds=_HOUSEKEEPING_SECONDS, delay=1.0, faults=faults))
    work.append(
        Periodic("public-reads", tally, seconds=_HOUSEKEEPING_SECONDS, delay=_HOUSEKEEPING_SECONDS, faults=faults)
    )
    work += [*_availability(troth), _rooms(troth), _prepared(troth)]
    if checks:
        tick, delay = troth.scheduler.tick, troth.system.base.settings.promises.first_after_seconds
        work.append(Periodic("checks", tick, seconds=_CHECK_SECONDS, delay=delay, faults=faults))
    return work
