"""GOV-29: illegal imagery that is found is blocked, preserved under a hold, reported and shown to nobody alone."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from troth.gateway.moderation import hashes
from troth.gateway.moderation.office import Office
from troth.gateway.moderation.preserved import OPENING, OWNER, PRESERVED, RELEASE, REPORTED, Preserved
from troth.gateway.moderation.tables import cases, evidence
from troth.gateway.moderation.takedowns import Takedowns
from troth.kernel.errors import Conflict, Denied, TrothError, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Probe, ground, probe, refused
from troth.promises.system import System
from troth.storage.database import Database, metadata
from troth.vault.holds import Hold, Holds

_ONE, _TWO = "usr_selfcheck_one", "usr_selfcheck_two"  # officers
_REPORT = ("self-check", "made-up")
_ROLES = ("member", "admin", "auditor", "security-analyst")
_SAID = ("state", "authority", "reference", "reported_at", "reported_by", "ends_at")
Holding = Callable[[System], Holds]


class _Loose(Holds):
    """The known-bad hold: it is written down and binds nothing."""

    def place(self, tenant: str, **named: Any) -> Hold:
        return self.lift(tenant, super().place(tenant, **named).id, actor=SERVICE)


@contextmanager
def _listed(system: System, picture: bytes) -> Iterator[Takedowns]:
    """A list of take-downs of its own with this picture, which two operators put there."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'list.db'}")
        try:
            metadata.create_all(database.engine)
            listed = Takedowns(database, system.base.clock)
            (entry,) = listed.propose([(next(hashes.of_picture(picture))[0], True, "self-check", "made-up")], "usr_one")
            listed.approve(entry.id, "usr_two")
            yield listed
        finally:
            database.close()


def _evidence(system: System, holding: Holding) -> Facts:
    """A listed picture is sent: blocked, kept, and nobody can delete, see or release it as they like."""
    picture, real = files("troth.gateway.samples").joinpath("photo.jpg").read_bytes(), system.gateway.moderator
    base, days = system.base, real.cases.periods.evidence_days
    desk = Preserved(base.database, system.vault.objects, holding(system), base.clock, days)
    try:
        with _listed(system, picture) as listed, probe(system) as person:
            office = Office(real.policies, real.cases, listed, desk)
            call = Call(person.caller(), new_id("req"), base.clock.now())
            try:
                outcomes = [_stopped(system, office, call, picture), *_shown_to_nobody(person, call)]
                outcomes += [_true(look) for look in _looks(person, desk, call, picture)]
                outcomes += _all_held(system)
            finally:
                _cleared(person, call)
    except Unavailable as error:
        if error.code != "extra-missing":
            raise
        return Facts(0, 0, 0, configured=False)  # without the extra no picture is compared with a list
    return counted(outcomes)


def _stopped(system: System, office: Office, call: Call, picture: bytes) -> bool:
    """The request is refused; what its closing record would write, is written."""
    stopped = refused(lambda: office.of(call, "input").check_pictures([picture]), Denied, code="moderation-blocked")
    with system.base.database.write() as connection:
        for change in call.last:
            change(connection)
    return stopped


def _shown_to_nobody(person: Probe, call: Call) -> list[bool]:
    """The case waits without a preview, the sender has no such object, and ordinary roles may not ask for evidence."""
    system = person.system
    with system.base.database.read() as connection:
        found = connection.execute(select(cases).where(cases.c.request == call.request_id)).mappings().all()
    outcomes = [[(one["state"], one["content"]) for one in found] == [("open", None)]]
    outcomes.append(not system.vault.objects.list(person.tenant, person.subject))
    asked = [one for one in system.dispatcher.registry if one.name.startswith("preserved.")]
    outcomes.append(bool(asked))
    return outcomes + [not system.decider.decide(person.caller(role), one).allowed for one in asked for role in _ROLES]


def _looks(person: Probe, desk: Preserved, call: Call, picture: bytes) -> Iterator[Callable[[], bool]]:
    """One after the other; each is true when it is as promised."""
    system, tenant = person.system, person.tenant
    (row,) = _rows(person, call)
    objects, name = system.vault.objects, row["id"]

    def kept() -> bool:
        sealed = objects.open(tenant, OWNER, row["object"], duty=True)[1]
        return base64.b64encode(picture) in sealed and person.subject.encode() in sealed

    def held() -> bool:
        return refused(lambda: objects.delete(tenant, OWNER, row["object"]), Conflict, code="held") and kept()

    yield held
    yield lambda: refused(lambda: desk.open(tenant, name, _TWO), Conflict, code="not-waiting")
    yield lambda: desk.ask(tenant, name, _ONE, OPENING).asked_by == _ONE
    yield lambda: refused(lambda: desk.open(tenant, name, _ONE), Denied, code="own-proposal")
    yield lambda: base64.b64encode(picture) in desk.open(tenant, name, _TWO).content
    yield lambda: desk.report(tenant, name, _ONE, _REPORT).state == REPORTED
    told = _rows(person, call)[0]
    yield lambda: desk.ask(tenant, name, _ONE, RELEASE).asked_by == _ONE
    yield lambda: refused(lambda: desk.release(tenant, name, _TWO), Conflict, code="held")
    yield held
    person.erase()
    system.vault.retention.sweep()
    desk.sweep()
    yield held
    after = _rows(person, call)[0]
    yield lambda: all(after[one] == told[one] and told[one] for one in _SAID)


def _true(look: Callable[[], bool]) -> bool:
    """What is refused or gone is not as promised."""
    try:
        return look()
    except TrothError:
        return False


def _rows(person: Probe, call: Call) -> list[dict[str, Any]]:
    mine = select(evidence).join(cases, cases.c.id == evidence.c.case).where(cases.c.request == call.request_id)
    with person.system.base.database.read() as connection:
        return [dict(one) for one in connection.execute(mine).mappings()]


def _all_held(system: System) -> list[bool]:
    """Each piece that is kept here, of everybody, is under its hold."""
    standing = select(evidence).where(evidence.c.state.in_((PRESERVED, REPORTED)))
    with system.base.database.read() as connection:
        rows = connection.execute(standing.where(evidence.c.ends_at > ground(system).now())).mappings().all()
    holds = Holds(ground(system))
    active = {one.id for tenant in {row["tenant"] for row in rows} for one in holds.active(tenant)}
    return [row["hold"] in active for row in rows]


def _cleared(person: Probe, call: Call) -> None:
    system = person.system
    for row in _rows(person, call):
        with suppress(TrothError):
            Holds(ground(system)).lift(person.tenant, row["hold"], actor=SERVICE)
            system.vault.objects.delete(person.tenant, OWNER, row["object"])
        with system.base.database.write() as connection:
            connection.execute(delete(evidence).where(evidence.c.id == row["id"]))
    with system.base.database.write() as connection:
        connection.execute(delete(cases).where(cases.c.request == call.request_id))


CHECKS = (
    Check(
        "illegal-imagery-preserved",
        ("GOV-29",),
        "A sample picture on a list of its own is sent: it must be blocked, open a case without a preview, and be kept "
        "as evidence under a hold that refuses deletion, also after an erasure and a report; one person alone may "
        "neither open nor release it, ordinary roles may not ask. All evidence here must be under its hold. Whether "
        "people reported in time is not looked at.",
        lambda system: _evidence(system, lambda system: Holds(ground(system))),
        lambda system: _evidence(system, lambda system: _Loose(ground(system))),
        every=24 * 3600,
        scope="one synthetic piece of evidence, and holds of all evidence",
        population="acts on the piece, asked by roles, and pieces on file",
    ),
)
