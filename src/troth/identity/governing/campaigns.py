"""Access reviews: each quarter, who has what is laid before reviewers; what nobody keeps lapses when it is due.

The grants are written down as they stood when the campaign began, with a digest over them in the log. Nobody decides
about their own. The last owner of a tenant never lapses: then the log and the journal say so instead.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select, update

from troth.identity.governing.elevations import ACTOR
from troth.identity.governing.having import Held, held
from troth.identity.governing.lasting import ending, extended
from troth.identity.governing.store import campaigns, items
from troth.identity.roles import OWNER, check_other_owner, lock_tenant
from troth.identity.store import OPERATORS, grants, tenants, users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.ids import new_id
from troth.kernel.journal import Journal
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.storage.database import Database

OPEN, CLOSED = "open", "closed"
KEEP, REMOVE = "keep", "remove"
_DAY_MS = 24 * 3600 * 1000
_OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Plan:
    """How often access is reviewed, and how long a review may take, in days."""

    every_days: int = 91
    due_days: int = 14


@dataclass(frozen=True, slots=True)
class Campaign:
    """One review of a tenant's access. Times in epoch milliseconds; `digest` is over the grants as they stood."""

    id: str
    tenant: str
    state: str
    opened_by: str
    opened_at: int
    due_at: int
    digest: str
    grants: int
    closed_by: str | None = None
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One grant under review."""

    campaign: str
    user: str
    role: str
    granted_by: str
    granted_at: int
    expires_at: int
    used_at: int | None
    verdict: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    outcome: str | None = None


_CAMPAIGN = [campaigns.c[name] for name in Campaign.__dataclass_fields__]
_ITEM = [items.c[name] for name in Item.__dataclass_fields__]


class Campaigns:
    """All campaigns of all tenants, and of the operators. `spared` are tenants of nobody, such as of self-checks."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        plan: Plan,
        *,
        journal: Journal,
        spared: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self.plan = plan
        self._journal = journal
        self._spared = spared

    def open(self, tenant: str, actor: str) -> Campaign:
        """Write down who has what now. Raises `Conflict` (`review-open`, `nothing-to-review`)."""
        now = self._now()
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            running = select(campaigns.c.id).where(campaigns.c.tenant == tenant, campaigns.c.state == OPEN)
            if connection.execute(running).first() is not None:
                raise Conflict("A review of access is open; finish it first.", code="review-open")
            found = held(connection, tenant, now)
            if not found:
                raise Conflict("Nobody has a role here.", code="nothing-to-review")
            due = now + self.plan.due_days * _DAY_MS
            made = Campaign(new_id("acr"), tenant, OPEN, actor, now, due, digest_of(found), len(found))
            connection.execute(insert(campaigns), {name: getattr(made, name) for name in Campaign.__dataclass_fields__})
            connection.execute(insert(items), [_row(made, one) for one in found])
            facts: dict[str, Fact] = {"review": made.id, "digest": made.digest, "count": made.grants, "until": due}
            self._recorder.record_within(connection, self._event(tenant, "access-review.opened", actor, facts))
        return made

    def judge(self, tenant: str, actor: str, which: tuple[str, str, str], verdict: str, reason: str) -> Item:
        """Keep or remove one grant, named by campaign, person and role; removing counts from the next request on.

        Raises `NotFound`, `Denied` (`own-grant`), `Conflict` (`review-closed`, `judged`, `last-owner`).
        """
        campaign, user, role = which
        if actor == user:
            raise Denied("Nobody reviews what they have themselves; another reviewer does.", code="own-grant")
        now = self._now()
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            if self._one(connection, tenant, campaign).state != OPEN:
                raise Conflict("This review is closed; what it decided stands.", code="review-closed")
            item = _item(connection, campaign, user, role)
            if item.verdict is not None:
                raise Conflict("This grant was judged already, and a verdict stands.", code="judged")
            outcome = "kept" if verdict == KEEP else self._remove(connection, tenant, item, actor)
            values = {"verdict": verdict, "reason": reason, "decided_by": actor, "decided_at": now, "outcome": outcome}
            _change(connection, item, **values)
            return _item(connection, campaign, user, role)

    def close(self, tenant: str, actor: str, campaign: str) -> Campaign:
        """Close what was judged whole. Raises `NotFound`, `Conflict` (`review-closed`, `not-judged`)."""
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            found = self._one(connection, tenant, campaign)
            if found.state != OPEN:
                raise Conflict("This review is closed; what it decided stands.", code="review-closed")
            waiting = select(func.count()).where(items.c.campaign == campaign, items.c.verdict.is_(None))
            if connection.execute(waiting).scalar_one():
                raise Conflict("Some grants wait for a verdict; what nobody keeps lapses when due.", code="not-judged")
            self._end(connection, found, actor)
            return self._one(connection, tenant, campaign)

    def all_of(self, tenant: str) -> list[tuple[Campaign, dict[str, int]]]:
        """The campaigns of a tenant, newest first, with how often each outcome; "open" counts what waits."""
        mine = select(*_CAMPAIGN).where(campaigns.c.tenant == tenant).order_by(campaigns.c.opened_at.desc())
        with self._database.read() as connection:
            found = [Campaign(*row) for row in connection.execute(mine.limit(40))]
            return [(one, _tally(connection, one.id)) for one in found]

    def show(self, tenant: str, campaign: str) -> tuple[Campaign, Sequence[Item]]:
        """One with its grants. Raises `NotFound`."""
        with self._database.read() as connection:
            found = self._one(connection, tenant, campaign)
            rows = connection.execute(_items_of(campaign)).all()
        return found, [Item(*row) for row in rows]

    @as_system
    def run(self) -> int:
        """One round: open what is due, close what is overdue; how many campaigns changed. For a job.

        Before, the last owners and operators whose time runs out are extended.
        """
        self._extend()
        changed = 0
        for tenant in self._tenants():
            try:
                changed += self._round(tenant)
            except Conflict:  # somebody opened or ended it meanwhile; the other tenants are not kept waiting for that
                self._journal.event("access-review-passed-over", log=tenant, count=1)
        return changed

    def _round(self, tenant: str) -> bool:
        newest = self._newest(tenant)
        if newest and newest.state == OPEN:
            return self.close_due(tenant)
        if not self._due(tenant, newest, self._now()):
            return False
        self.open(tenant, ACTOR)
        return True

    def close_due(self, tenant: str) -> bool:
        """Close the open review of a tenant when it is due: what nobody kept lapses."""
        newest = self._newest(tenant)
        if newest is None or newest.state != OPEN or newest.due_at > self._now():
            return False
        self._lapse(newest)
        return True

    def _extend(self) -> None:
        now = self._now()
        with self._database.read() as connection:
            found = ending(connection, self._spared(), now)
        for one in found:
            with self._database.write() as connection:
                lock_tenant(connection, one.tenant)
                if one not in ending(connection, (), now):
                    continue
                until = extended(connection, one, now)
                facts: dict[str, Fact] = {"user": one.user, "role": one.role, "expires": until}
                self._recorder.record_within(connection, self._event(one.tenant, "role.extended", ACTOR, facts))
                self._journal.event("last-owner-extended", log=one.tenant, count=1)

    def _newest(self, tenant: str) -> Campaign | None:
        mine = select(*_CAMPAIGN).where(campaigns.c.tenant == tenant).order_by(campaigns.c.opened_at.desc())
        with self._database.read() as connection:
            row = connection.execute(mine.limit(1)).first()
        return None if row is None else Campaign(*row)

    def _tenants(self) -> list[str]:
        spared = self._spared()
        with_roles = select(users.c.tenant).join(grants, grants.c.user == users.c.id).distinct()
        lasting = with_roles.where(users.c.active.is_(True), grants.c.expires_at > self._now())
        with self._database.read() as connection:
            return [one for one in sorted(connection.execute(lasting).scalars()) if one not in spared]

    def _due(self, tenant: str, last: Campaign | None, now: int) -> bool:
        begun = select(tenants.c.created_at).where(tenants.c.id == tenant)
        with self._database.read() as connection:
            since = last.opened_at if last else int(connection.execute(begun).scalar_one())
        return since + self.plan.every_days * _DAY_MS <= now

    def _lapse(self, campaign: Campaign) -> None:
        with self._database.write() as connection:
            lock_tenant(connection, campaign.tenant)
            if self._one(connection, campaign.tenant, campaign.id).state != OPEN:
                return
            # The oldest grant last: of several owners whom nobody reviewed, the first one stays.
            waiting = _items_of(campaign.id).where(items.c.verdict.is_(None))
            for row in connection.execute(waiting.order_by(None).order_by(items.c.granted_at.desc())).all():
                item = Item(*row)
                _change(connection, item, outcome=self._unreviewed(connection, campaign, item))
            self._end(connection, campaign, ACTOR)

    def _unreviewed(self, connection: Sql, campaign: Campaign, item: Item) -> str:
        try:
            return self._remove(connection, campaign.tenant, item, ACTOR, gone="lapsed")
        except Conflict:
            facts: dict[str, Fact] = {"review": campaign.id, "user": item.user, "role": item.role}
            entry = self._event(campaign.tenant, "access-review.alarm", ACTOR, facts, code="last-owner")
            self._recorder.record_within(connection, entry)
            self._journal.event("last-owner-unreviewed", log=campaign.tenant, count=1)
            return "last-owner"

    def _remove(self, connection: Sql, tenant: str, item: Item, actor: str, *, gone: str = "removed") -> str:
        """Drop the grant that was written down, if it is still that one; what became of it. Raises `Conflict`."""
        now = self._now()
        mine = grants.c.user == item.user, grants.c.role == item.role
        row = connection.execute(select(grants.c.granted_at, grants.c.expires_at).where(*mine)).first()
        if row is None or row.expires_at <= now:
            return "ended"
        if row.granted_at != item.granted_at and gone == "lapsed":
            return "renewed"  # somebody gave it anew since, and answers for that
        if item.role == OWNER:
            check_other_owner(connection, tenant, item.user, now)
        if tenant == OPERATORS:
            _check_other_operator(connection, item.user, now)
        connection.execute(delete(grants).where(*mine))
        facts: dict[str, Fact] = {"review": item.campaign, "user": item.user, "role": item.role, "state": gone}
        self._recorder.record_within(connection, self._event(tenant, "role.lapsed", actor, facts))
        return gone

    def _end(self, connection: Sql, campaign: Campaign, actor: str) -> None:
        values = {"state": CLOSED, "closed_by": actor, "closed_at": self._now()}
        connection.execute(update(campaigns).where(campaigns.c.id == campaign.id).values(values))
        counts = _tally(connection, campaign.id)
        facts: dict[str, Fact] = {"review": campaign.id, "digest": campaign.digest, "counts": counts}
        self._recorder.record_within(connection, self._event(campaign.tenant, "access-review.closed", actor, facts))

    def _one(self, connection: Sql, tenant: str, campaign: str) -> Campaign:
        mine = select(*_CAMPAIGN).where(campaigns.c.id == campaign, campaigns.c.tenant == tenant)
        row = connection.execute(mine).first()
        if row is None:
            raise NotFound("There is no such review of access; list them to see their ids.", code="review-not-found")
        return Campaign(*row)

    def _event(self, tenant: str, name: str, actor: str, facts: dict[str, Fact], code: str | None = None) -> Entry:
        outcome, of = Outcome.FAILED if code else Outcome.DONE, None if tenant == OPERATORS else tenant
        log = _OPERATOR if tenant == OPERATORS else tenant
        return Entry(log, name, "event", outcome, new_id("req"), actor, of, self._now(), code, facts=facts)

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def digest_of(found: Iterable[Held]) -> str:
    """SHA-256 in hex over the canonical JSON (RFC 8785) of the grants, by person and role."""
    ordered = sorted(found, key=lambda one: (one.user, one.role))
    rows: list[Any] = [[one.user, one.role, one.granted_by, one.granted_at, one.expires_at] for one in ordered]
    return hashlib.sha256(rfc8785.dumps(rows)).hexdigest()


def _row(campaign: Campaign, one: Held) -> dict[str, Any]:
    kept = ("user", "role", "granted_by", "granted_at", "expires_at", "used_at")
    return {"campaign": campaign.id, "tenant": campaign.tenant} | {name: getattr(one, name) for name in kept}


def _items_of(campaign: str) -> Any:
    return select(*_ITEM).where(items.c.campaign == campaign).order_by(items.c.user, items.c.role)


def _item(connection: Sql, campaign: str, user: str, role: str) -> Item:
    row = connection.execute(_items_of(campaign).where(items.c.user == user, items.c.role == role)).first()
    if row is None:
        raise NotFound("This grant is not among those under review.", code="grant-not-found")
    return Item(*row)


def _change(connection: Sql, item: Item, **values: Any) -> None:
    mine = items.c.campaign == item.campaign, items.c.user == item.user, items.c.role == item.role
    connection.execute(update(items).where(*mine).values(values))


def _tally(connection: Sql, campaign: str) -> dict[str, int]:
    rows = connection.execute(select(items.c.outcome).where(items.c.campaign == campaign)).scalars()
    return dict(sorted(Counter(one or OPEN for one in rows).items()))


def _check_other_operator(connection: Sql, user: str, now: int) -> None:
    """Raises `Conflict` for the last operator."""
    others = (
        select(func.count())
        .select_from(grants.join(users, grants.c.user == users.c.id))
        .where(users.c.tenant == OPERATORS, users.c.active.is_(True), grants.c.expires_at > now, users.c.id != user)
    )
    if not connection.execute(others).scalar_one():
        raise Conflict("This is the last operator; create another one first.", code="last-operator")
