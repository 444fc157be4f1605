"""Rows of suspensions: which owners and units may not be used for now, and why. Few rows, whatever they cover."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict
from troth.keys.lifecycle import Reason
from troth.keys.store import groups, key_suspension, unit
from troth.keys.units import ACCOUNT_PERIOD, Owner

_EVERY = ""  # subject of a suspended tenant, unit of a suspended subject
# The account unit stays usable when its owner is suspended: without signing in nobody could ask, object or resume.
_account = and_(unit.c.data_class == DataClass.ACCOUNT.value, unit.c.period == ACCOUNT_PERIOD)
_owners = and_(key_suspension.c.unit == _EVERY, key_suspension.c.subject.in_((unit.c.subject, _EVERY)), ~_account)
HELD = (
    select(func.count())
    .select_from(key_suspension)
    .where(
        key_suspension.c.jurisdiction == unit.c.jurisdiction,
        key_suspension.c.tenant == unit.c.tenant,
        or_(key_suspension.c.unit == unit.c.id, _owners),
    )
    .correlate(unit)
    .scalar_subquery()
    .label("held")
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is suspended: a tenant (subject and unit ""), a subject (unit "") or a unit (its id in hex)."""

    tenant: str
    subject: str = _EVERY
    unit: str = _EVERY

    def overlaps(self, other: Place) -> bool:
        """True when one of them lies in the other."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return all(mine == theirs or _EVERY in (mine, theirs) for mine, theirs in pairs)

    def within(self, other: Place) -> bool:
        """True when this lies in the other, or is the same."""
        return all(theirs in (mine, _EVERY) for mine, theirs in zip(astuple(self), astuple(other), strict=True))


class SuspensionRows:
    """Statements over one jurisdiction's suspensions; every method works in the caller's connection."""

    def __init__(self, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction
        self._here = key_suspension.c.jurisdiction == jurisdiction

    def add(self, connection: Connection, places: Sequence[Place], reason: str, at: int) -> int:
        """Suspend; how many were not suspended for that reason before. Idempotent."""
        known = {place for place, why in self._of(connection, places) if why == reason}
        same = {"jurisdiction": self._jurisdiction, "reason": reason, "since": at}
        fresh = [place for place in dict.fromkeys(places) if place not in known]
        if fresh:
            rows = [same | {"tenant": one.tenant, "subject": one.subject, "unit": one.unit} for one in fresh]
            connection.execute(insert(key_suspension), rows)
        return len(fresh)

    def drop(self, connection: Connection, places: Sequence[Place], reason: str) -> int:
        """End suspensions of that reason; how many there were. Idempotent."""
        same = key_suspension.c.reason == reason
        return sum(
            connection.execute(delete(key_suspension).where(_is(one), self._here, same)).rowcount for one in places
        )

    def overtake(self, connection: Connection, places: Sequence[Place]) -> None:
        """Drop what an erasure ends. Raises `Conflict` (code `key-on-hold`) for what a legal hold covers."""
        among = self._of(connection, places)
        for place, reason in among:
            if reason == Reason.LEGAL_HOLD and any(place.overlaps(one) for one in places):
                raise Conflict(
                    "A legal hold covers part of this; lift the hold before it can be erased.", code="key-on-hold"
                )
        for place, _ in among:
            if any(place.within(one) for one in places):
                connection.execute(delete(key_suspension).where(_is(place), self._here))

    def owners(self, connection: Connection, owners: Collection[Owner]) -> set[Owner]:
        """Those that are suspended, themselves or by their tenant."""
        places = {Place(*owner): owner for owner in owners}
        found = [place for place, _ in self._of(connection, places) if place.unit == _EVERY]
        return {owner for place, owner in places.items() if any(place.within(one) for one in found)}

    def count(self, connection: Connection) -> dict[str, int]:
        """How many suspensions there are, by reason."""
        statement = select(key_suspension.c.reason, func.count()).where(self._here).group_by(key_suspension.c.reason)
        return {str(reason): int(number) for reason, number in connection.execute(statement)}

    def _of(self, connection: Connection, places: Iterable[Place]) -> list[tuple[Place, str]]:
        """All suspensions at the tenants of `places`, with their reasons."""
        columns = (key_suspension.c.tenant, key_suspension.c.subject, key_suspension.c.unit, key_suspension.c.reason)
        return [
            (Place(row.tenant, row.subject, row.unit), str(row.reason))
            for tenants in groups(sorted({one.tenant for one in places}))
            for row in connection.execute(select(*columns).where(self._here, key_suspension.c.tenant.in_(tenants)))
        ]


def _is(place: Place) -> ColumnElement[bool]:
    return and_(
        key_suspension.c.tenant == place.tenant,
        key_suspension.c.subject == place.subject,
        key_suspension.c.unit == place.unit,
    )
