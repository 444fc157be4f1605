"""Consents in numbers, preserved evidence, and reviews of the administrators' log, from the tables of their rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, and_, case, func, or_, select

from troth.audit.leaf import read_leaf
from troth.audit.log import LogReader
from troth.audit.review import store as reviews
from troth.audit.review.store import Review
from troth.gateway.moderation.preserved import EXPIRED, RELEASED, REPORTED
from troth.gateway.moderation.tables import evidence
from troth.governance.looking import DAY_MS
from troth.governance.sources.port import Kept, day, moment, named
from troth.kernel.errors import NotFound
from troth.storage.database import Database
from troth.vault.consent import consents
from troth.vault.holds import holds
from troth.vault.rights.clocks import Calendar
from troth.vault.tables import objects

_MOST: Final = 20_000
_NEWEST: Final = 100  # reviews of a log whose ends are looked up


@dataclass(frozen=True, slots=True)
class Consents:
    """How many people agreed to what, purpose by purpose; nobody is listed."""

    database: Database
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """A row for each purpose. A use is an object that was kept under a consent after it was taken back or over."""
        mine = consents.c.tenant == tenant
        told = and_(consents.c.notice != "", consents.c.method != "")
        counted = select(
            consents.c.purpose, func.min(consents.c.granted_at).label("since"), func.count().label("given"),
            func.count(consents.c.withdrawn_at).label("withdrawn"),
            func.sum(case((told, 1), else_=0)).label("proofs"),
        ).where(mine).group_by(consents.c.purpose).order_by(consents.c.purpose)  # fmt: skip
        over = or_(objects.c.created_at > consents.c.withdrawn_at, objects.c.created_at > consents.c.expires_at)
        late = (
            select(consents.c.purpose, func.count().label("uses"))
            .join(objects, objects.c.consent == consents.c.id)
            .where(mine, objects.c.tenant == tenant, over)
            .group_by(consents.c.purpose)
        )
        with self.database.read() as connection:
            used = {row.purpose: int(row.uses) for row in connection.execute(late)}
            found = connection.execute(counted).all()
        return [_counted(one, tenant, used.get(one.purpose, 0)) for one in found]


@dataclass(frozen=True, slots=True)
class PreservedEvidence:
    """Illegal imagery that was found, kept under a hold and reported. There is no preview of any."""

    database: Database
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Every piece of the tenant, what is open first."""
        ended = evidence.c.state.in_((RELEASED, EXPIRED))
        mine = select(evidence, holds.c.lifted_at, holds.c.ends_at.label("held_until")).outerjoin(
            holds, and_(holds.c.id == evidence.c.hold, holds.c.tenant == evidence.c.tenant)
        )
        newest = mine.where(evidence.c.tenant == tenant).order_by(ended, evidence.c.preserved_at.desc()).limit(_MOST)
        with self.database.read() as connection:
            return [_piece(one, now) for one in connection.execute(newest)]


@dataclass(frozen=True, slots=True)
class LogReviews:
    """Reviews of what administrators did. `due_days`: within which a review is finished."""

    database: Database
    due_days: int
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """The newest hundred of the tenant's log, with the times of the entries at which their ranges end."""
        with self.database.read() as connection:
            known = reviews.all_of(connection, tenant)[-_NEWEST:]
            table = reviews.drawn
            acts = select(
                table.c.review, func.count().label("drawn"), func.count(table.c.verdict).label("judged"),
                func.sum(case((table.c.judged_by == table.c.actor, 1), else_=0)).label("own"),
            ).where(table.c.tenant == tenant).group_by(table.c.review)  # fmt: skip
            drawn = {row.review: row for row in connection.execute(acts)}
        times = self._times(tenant, [at for one in known for at in (one.first, one.last + 1, one.last)])
        return [self._review(one, drawn.get(one.id), times, home) for one in known]

    def _review(self, one: Review, acts: Row[Any] | None, times: Mapping[int, int], home: Calendar) -> Kept:
        end = times.get(one.last + 1, times.get(one.last))  # up to the entry that follows, so that ranges join
        return Kept(
            one.id,
            one.state,
            one.opened_at,
            {
                "range_from": moment(times.get(one.first)),
                "range_to": moment(end),
                "reviewer": one.closed_by or one.opened_by,
                "entries": acts.drawn if acts else 0,
                "read_entries": acts.judged if acts else 0,
                "own": acts.own if acts else 0,
                "due_on": day(one.opened_at + self.due_days * DAY_MS, home),
            },
            one.closed_at,
        )

    def _times(self, log: str, wanted: Sequence[int]) -> dict[int, int]:
        """When the entries of these numbers were written; those that the log does not keep any more are left out."""
        reader, found = LogReader(self.database), dict[int, int]()
        for index in sorted(set(wanted)):
            try:
                at = read_leaf(reader.entry(log, index)).get("time")
            except NotFound:
                continue
            if isinstance(at, int):
                found[index] = at
        return found


def _counted(one: Row[Any], tenant: str, uses: int) -> Kept:
    values = {"purpose": one.purpose, "given": one.given, "withdrawn": one.withdrawn, "used_after": uses,
              "proofs": int(one.proofs or 0)}  # fmt: skip
    return Kept(named("cns", tenant, one.purpose), "counted", one.since, values)


def _piece(one: Row[Any], now: int) -> Kept:
    held = one.lifted_at is None and one.held_until is not None and one.held_until > now
    return Kept(
        one.id,
        {REPORTED: "reported", RELEASED: "released", EXPIRED: "released"}.get(one.state, "open"),
        one.preserved_at,
        {
            "found": moment(one.preserved_at),
            "held": held,
            "authority": one.authority,
            "reported": moment(one.reported_at),
            "reference": one.reference,
        },
        one.reported_at,
    )
