"""Promises about time: synthetic objects with a deadline, before and after the sweep that everything goes through."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from sqlalchemy import and_, func, or_, select

from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, ground, probe, refused
from troth.promises.system import System
from troth.vault.deadlines import CLASS_DAYS, DAY_MS, Deadlines
from troth.vault.store import LIVE
from troth.vault.store import objects as object_table

_LIFE_MS = 1_000  # long enough to be read once on a busy machine
_WAIT = 1.05  # seconds
_LONG_MS = 3_600_000
_AGES = {"hour": _LONG_MS, "day": DAY_MS, "week": 7 * DAY_MS, "month": 30 * DAY_MS}
Sweep = Callable[[System], object]


def _swept(system: System) -> object:
    return system.vault.retention.sweep()


def _not_swept(_system: System) -> object:
    """The known-bad housekeeping: the deadline passes and nobody comes."""
    return None


def _now(system: System) -> int:
    return epoch_ms(system.base.clock.now())


def _short_lived(person: Probe, life: int = _LIFE_MS) -> str:
    return person.keep(b"short-lived", kind="prompt", expires_at=_now(person.system) + life).id


def _past_deadline(system: System, sweep: Sweep) -> Facts:
    """An object past its deadline: out of the index, its key destroyed, its bytes deleted, nothing else overdue."""
    with probe(system) as person:
        objects = [_short_lived(person) for _ in range(2)]
        lasting = person.keep(b"lasting").id
        time.sleep(_WAIT)
        units = [bytes.fromhex(person.row(one)["unit"]) for one in objects]
        blobs = [person.row(one)["blob"] for one in objects]
        sweep(system)
        outcomes = [refused(lambda one=one: person.open(one), Gone) for one in objects]  # type: ignore[misc]
        outcomes += [person.row(one)["state"] != LIVE for one in objects]
        outcomes += [refused(lambda unit=unit: system.base.tree.key(unit), Gone) for unit in units]  # type: ignore[misc]
        outcomes += [refused(lambda blob=blob: system.base.objects.get(blob), NotFound) for blob in blobs]  # type: ignore[misc]
        outcomes += [not _overdue_free(system), person.open(lasting) == b"lasting"]
    return counted(outcomes + _on_schedule(system))


def _on_schedule(system: System) -> list[bool]:
    """While a server runs: what must repeat does, with the real work, and none of it is late."""
    if system.door.listener is None and not system.schedule:
        return []
    vault = system.vault
    wanted = (vault.retention.sweep, vault.erasures.resume, vault.erasures.tidy)
    return [any(one.work == work and not one.late() for one in system.schedule) for work in wanted]


def _overdue_free(system: System) -> set[str]:
    """Overdue objects that neither a hold nor a restriction keeps."""
    return set(system.vault.retention.neglected())


def _by_class(system: System, days: Callable[[DataClass], int | None]) -> Facts:
    """Each class has a limit; fresh objects carry it, and after a sweep nothing is older than it."""
    system.vault.retention.sweep()
    with probe(system) as person:
        outcomes = []
        for data_class in (DataClass.USER_GENERATED, DataClass.SYSTEM):
            info, limit = person.keep(data_class=data_class), days(data_class)
            outcomes.append(limit is not None and info.expires_at == info.created_at + limit * DAY_MS)
        account = person.keep(data_class=DataClass.ACCOUNT)
        system.vault.retention.account_closed(person.tenant, person.subject)
        outcomes.append(account.expires_at is None and person.row(account.id)["expires_at"] is not None)
        asked = person.keep(expires_at=_now(system) + 400 * DAY_MS)  # a wish can only shorten
        outcomes.append(asked.expires_at is not None and asked.expires_at <= asked.created_at + 30 * DAY_MS)
    return counted([*outcomes, _too_old(system, days) == 0, not _overdue_free(system)])


def _too_old(system: System, days: Callable[[DataClass], int | None]) -> int:
    """Live objects older than their class permits and not held back, or without the deadline that their class needs."""
    now, limits = _now(system), {one: days(one) for one in DataClass}
    wrong = [
        and_(
            object_table.c.data_class == one.value,
            or_(object_table.c.expires_at.is_(None), object_table.c.created_at < now - limit * DAY_MS),
        )
        for one, limit in limits.items()
        if limit is not None
    ]
    old = select(object_table.c.id).where(object_table.c.state == LIVE, or_(*wrong))
    with system.base.database.read() as connection:
        found = set(connection.execute(old).scalars())
    return len(found - (set(system.vault.retention.overdue()) - _overdue_free(system)))


def _limits(system: System) -> dict[DataClass, int]:
    return {DataClass.USER_GENERATED: system.base.settings.retention.user_generated_days}


def _promised(system: System) -> Callable[[DataClass], int | None]:
    """What the settings of this installation say, and the class defaults where they are silent."""
    return lambda one: _limits(system).get(one, CLASS_DAYS[one])


def _for_ever(system: System) -> Callable[[DataClass], int | None]:
    """The known-bad rule: system data would never end."""
    return lambda one: None if one is DataClass.SYSTEM else _promised(system)(one)


def _transient(system: System, life: int) -> Facts:
    """A body past its deadline does not open; the log still tells that it was there. With the ages of all bodies."""
    with probe(system) as person:
        passing = person.keep(kind="prompt", transient=True)
        ceiling = Deadlines(ground(system), _limits(system)).transient_minutes * 60_000
        body = _short_lived(person, life)
        readable = person.open(body) == b"short-lived"
        time.sleep(_WAIT)
        outcomes = [readable, refused(lambda: person.open(body), Gone)]
        outcomes.append(0 < (passing.expires_at or 0) - passing.created_at <= ceiling)
        system.vault.retention.sweep()
        unit = bytes.fromhex(person.row(body)["unit"])
        outcomes.append(refused(lambda: system.base.tree.key(unit), Gone))
        system.base.sequencer.flush(person.tenant)
        outcomes.append(bool(system.base.prover.locate(person.tenant, body)))
        days = Deadlines(ground(system), _limits(system)).days(person.tenant, DataClass.USER_GENERATED)
        outcomes.append(days is not None and days <= 30)
    return replace(counted(outcomes), details=_ages(system))


def _ages(system: System) -> dict[str, int]:
    """How many bodies of people lie here, by age, and the age of the oldest in hours."""
    now = _now(system)
    bodies = (object_table.c.state == LIVE) & (object_table.c.data_class == DataClass.USER_GENERATED.value)
    age = now - object_table.c.created_at
    below = [func.count().filter(age < limit) for limit in _AGES.values()]
    with system.base.database.read() as connection:
        query = select(func.count(), func.min(object_table.c.created_at), *below).where(bodies)
        total, oldest, *counts = connection.execute(query).one()
    told = dict(zip(_AGES, (after - before for before, after in pairwise([0, *counts])), strict=True))
    return told | {"older": total - counts[-1], "oldest-hours": 0 if oldest is None else (now - oldest) // _LONG_MS}


CHECKS = (
    Check(
        "gone-after-deadline",
        ("DEL-01",),
        "Two synthetic objects pass their deadline and a sweep runs: they must be out of the index, their keys "
        "destroyed, their bytes deleted, a third untouched, and nothing overdue but what is held. While a server runs "
        "its own sweeps must be scheduled and none late.",
        lambda system: _past_deadline(system, _swept),
        lambda system: _past_deadline(system, _not_swept),
        every=6 * 3600,
        scope="synthetic objects past their deadline, and what is overdue",
        population="objects, keys, bytes, what is overdue, and jobs",
    ),
    Check(
        "limit-of-each-class",
        ("CLS-03",),
        "Fresh synthetic objects of each class must carry the deadline of their class, account data from the closing "
        "of the account on; after a sweep no live object may be older than its class permits. Tables other than the "
        "vault's objects are not looked at.",
        lambda system: _by_class(system, _promised(system)),
        lambda system: _by_class(system, _for_ever(system)),
        every=6 * 3600,
        scope="deadlines of synthetic objects and of all live ones",
        population="deadlines by class, and counts over all live objects",
    ),
    Check(
        "bodies-are-transient",
        ("CLS-05",),
        "A synthetic prompt passes its deadline: it must not open and its key must be destroyed, while the log still "
        "shows that it was kept. The entry of the run states how old the bodies are that lie here. Memory of workers "
        "is not looked at.",
        lambda system: _transient(system, _LIFE_MS),
        lambda system: _transient(system, _LONG_MS),
        every=6 * 3600,
        scope="one synthetic prompt past its deadline",
        population="duties after the deadline of a body",
    ),
)
