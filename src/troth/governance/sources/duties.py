"""Reviews of access, legal holds, rights requests and appeals of a tenant, from the tables of their rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, select

from troth.gateway.moderation.cases import APPEALED
from troth.gateway.moderation.tables import cases
from troth.governance.sources.port import Kept, day, written
from troth.identity.governing.campaigns import CLOSED, OPEN, REMOVE
from troth.identity.governing.store import campaigns, items
from troth.storage.database import Database
from troth.vault.holds import holds
from troth.vault.rights import store as rights
from troth.vault.rights.clocks import Calendar
from troth.vault.rights.requests import Request

_MOST: Final = 20_000  # as of a register that is kept here; what is open comes first, so that it is never left out
_TAKEN: Final = frozenset({"removed", "ended"})  # what became of a grant that was to be taken away


@dataclass(frozen=True, slots=True)
class AccessReviews:
    """Each review of who has what. A grant that nobody judged lapsed, and was not judged."""

    database: Database
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Every review of the tenant."""
        newest = campaigns.c.closed_at.is_not(None), campaigns.c.opened_at.desc()
        mine = select(campaigns).where(campaigns.c.tenant == tenant).order_by(*newest).limit(_MOST)
        judged = select(items).where(items.c.tenant == tenant)
        grants: dict[str, list[Row[Any]]] = {}
        with self.database.read() as connection:
            found = connection.execute(mine).all()
            for one in connection.execute(judged):
                grants.setdefault(one.campaign, []).append(one)
        return [_review(one, grants.get(one.id, []), home) for one in found]


@dataclass(frozen=True, slots=True)
class LegalHolds:
    """Each hold; its end is when it is looked at again, since it binds no longer then."""

    database: Database
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:
        """Every hold of the tenant, also those that are over."""
        newest = holds.c.lifted_at.is_not(None), holds.c.placed_at.desc()
        mine = select(holds).where(holds.c.tenant == tenant).order_by(*newest).limit(_MOST)
        with self.database.read() as connection:
            found = connection.execute(mine).all()
        return [
            Kept(
                one.id,
                "in-force" if one.lifted_at is None and one.ends_at > now else "lifted",
                one.placed_at,
                {
                    "ground": one.basis,
                    "placed_by": one.approver,
                    "placed_on": day(one.placed_at, home),
                    "review_by": day(one.ends_at, home),
                },
                one.lifted_at,
            )
            for one in found
        ]


@dataclass(frozen=True, slots=True)
class RightsRequests:
    """What people asked for about their data, by the strictest of the terms that it stands under."""

    database: Database
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Every open request and the newest that were closed."""
        told = select(rights.notices.c.request).where(
            rights.notices.c.tenant == tenant,
            rights.notices.c.kind == "extension",
            rights.notices.c.sent_at.is_not(None),
        )
        with self.database.read() as connection:
            found = rights.of_tenant(connection, tenant, closed=_MOST)
            known = frozenset(connection.execute(told).scalars())
        return [_request(one, one.id in known, home) for one in found]


@dataclass(frozen=True, slots=True)
class Appeals:
    """Each objection to a decision about content. Whoever objected was told how: the statement of reasons says it."""

    database: Database
    of_service: bool = False

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Every case of the tenant that was appealed."""
        appealed = select(cases).where(cases.c.tenant == tenant, cases.c.appealed_at.is_not(None))
        mine = appealed.order_by(cases.c.answered_at.is_not(None), cases.c.appealed_at.desc()).limit(_MOST)
        with self.database.read() as connection:
            found = connection.execute(mine).all()
        return [_appeal(one, home) for one in found]


def _review(one: Row[Any], grants: Sequence[Row[Any]], home: Calendar) -> Kept:
    revoked = [each for each in grants if each.verdict == REMOVE]
    return Kept(
        one.id,
        CLOSED if one.state == CLOSED else OPEN,
        one.opened_at,
        {
            "opened_on": day(one.opened_at, home),
            "due_on": day(one.due_at, home),
            "reviewer": one.closed_by or one.opened_by,
            "grants": one.grants,
            "judged": sum(each.verdict is not None for each in grants),
            "revoked": len(revoked),
            "ended": sum(each.outcome in _TAKEN for each in revoked),
            "own": sum(each.decided_by == each.user for each in grants),
            "closed_on": day(one.closed_at, home),
        },
        one.closed_at,
    )


def _request(one: Request, told: bool, home: Calendar) -> Kept:
    closed = None if one.closed_at is None else datetime.fromtimestamp(one.closed_at / 1000, UTC)
    return Kept(
        one.id,
        "open" if one.open else "closed",
        one.received_at,
        {
            "kind": one.kind.value,
            "received_on": day(one.received_at, home),
            "answer_by": written(one.due(home)),
            "extended": one.extended_at is not None,
            "extension_told": told if one.extended_at is not None else None,
            "answered_on": written(None if closed is None else (closed + home.east).date()),
        },
        one.closed_at,
    )


def _appeal(one: Row[Any], home: Calendar) -> Kept:
    return Kept(
        one.id,
        "open" if one.state == APPEALED else "answered",
        one.appealed_at,
        {
            "decided_by": one.decided_by,
            "ground": one.reason or one.category,
            "automated": one.decided_by is None,
            "redress": True,
            "received_on": day(one.appealed_at, home),
            "answered_by": one.answered_by,
            "answered_on": day(one.answered_at, home),
        },
        one.answered_at,
    )
