"""Erasures that the log knows and no ledger has any more: found again where the log says enough, else shut in.

A sealed erasure says in the log how many objects it took and the digest over their ids. Where the restored rows have
exactly that set, it is dropped again. Where they do not, nobody can say what was erased: everything it may have taken
is shut, each object behind an erasure of its own that waits for an officer, who has the person asked. That much needs
two people and a reason. Nothing that may have been erased is readable before.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from troth.identity.roles import DECIDING
from troth.identity.store import grants, users
from troth.kernel.errors import Denied, IntegrityError, Invalid
from troth.kernel.ids import new_id
from troth.vault import endings, ledger
from troth.vault.certificate import listed
from troth.vault.ground import subject_digest, tenant_digest
from troth.vault.store import CLOSED, LIVE, Row, closure, objects, rows_of

SERVICE = "svc_backup"
_REASON = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}\Z")  # a token such as case-2026-17: it stands in the log
_OFFICERS = 2
_STANDING = (LIVE, CLOSED)
_BY_OBJECTS = frozenset({ledger.OBJECT, ledger.PERIOD, ledger.RETENTION})


@dataclass(frozen=True, slots=True)
class Accepted:
    """Two people of the restored installation who answer for going on without a part of the ledger, and why."""

    officers: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """An erasure of which only the log speaks. `objects` and `digest` are None when it was never sealed."""

    erasure: str
    tenant: str
    scope: str
    at: int
    objects: int | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Amends:
    """What was done about lost erasures: ids of those that were found again, of those that stay unknown, how many
    objects were shut because of the latter, and who took it upon them."""

    again: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    shut: int = 0
    accepted: Accepted | None = None


NOTHING = Amends()


def lost(
    begun: Mapping[str, Mapping[str, Any]], sealed: Mapping[str, Mapping[str, Any]], missing: Iterable[str]
) -> list[Lost]:
    """What the log says of missing erasures; `begun` and `sealed` are leaves by erasure."""
    found = []
    for erasure in sorted(missing):
        leaf, end = begun[erasure], sealed.get(erasure, {}).get("facts", {})
        scope = next(iter(leaf.get("facts", {}).get("kinds", {})), "")
        count, digest = end.get("objects"), end.get("digest")
        found.append(Lost(erasure, leaf.get("tenant", ""), scope, leaf.get("time", 0), count, digest))
    return found


def amend(connection: Connection, missing: list[Lost], accepted: Accepted | None, at: int) -> Amends:
    """Do again what can be found, and shut in what cannot; `at` in epoch ms.

    Raises `IntegrityError` (ledger-behind) for what cannot be found unless two people `accepted` that, and for a
    person or tenant whose erasure never reached the keys: of those too much is unknown. `Invalid` (bad-reason) and
    `Denied` (not-officers) for an acceptance that is none.
    """
    again, unknown = [], []
    for one in missing:
        if (taken := _again(connection, one)) is None:
            unknown.append(one)
            continue
        endings.mark_closure(connection, taken, "erased", None)
        _enter(connection, one, at)
        again.append(one.erasure)
    if not unknown:
        return Amends(tuple(again))
    if accepted is None or any(one.scope not in _BY_OBJECTS for one in unknown):
        raise _behind(unknown)
    _require_officers(connection, accepted, at)
    shut = sum(_shut(connection, one, at) for one in unknown)
    return Amends(tuple(again), tuple(one.erasure for one in unknown), shut, accepted)


def _again(connection: Connection, one: Lost) -> list[str] | None:
    """The objects that a sealed erasure took, when a set of them has the digest that the log signed."""
    if one.objects is None or one.digest is None or one.scope not in _BY_OBJECTS:
        return None
    if not one.objects:
        return []
    for taken in _sets(connection, one):
        if len(taken) == one.objects and listed(taken).digest == one.digest:
            return taken
    return None


def _sets(connection: Connection, one: Lost) -> Iterator[list[str]]:
    """Sets that it may have taken: an object, or the oldest of a class, each with all that derives from them."""
    rows = _before(connection, one)
    standing = {row.id for row in rows}
    roots: dict[str, list[list[str]]] = {}
    for row in rows:
        single = [row.id]
        if one.scope == ledger.OBJECT:
            yield [each for each in closure(connection, single) if each in standing]
        else:
            roots.setdefault(row.data_class, []).append(single)
    for oldest in roots.values():
        first = [single[0] for single in oldest[: one.objects]]
        yield [each for each in closure(connection, first) if each in standing]


def _before(connection: Connection, one: Lost) -> list[Row]:
    """What stands in the tenant and was there when it was erased, oldest first."""
    there = objects.c.tenant == one.tenant, objects.c.created_at <= one.at, objects.c.state.in_(_STANDING)
    return rows_of(connection, select(objects).where(*there).order_by(objects.c.created_at, objects.c.id))


def _shut(connection: Connection, one: Lost, at: int) -> int:
    """Everything that it may have taken and whose key lives on, each object behind an erasure that waits."""
    count = 0
    for row in _before(connection, one):
        if row.state != LIVE or (one.objects is not None and row.period is None):
            continue  # shut already; or a key of its own would have gone, and is there
        count += _shut_one(connection, row, at)
    _enter(connection, one, at)
    return count


def _shut_one(connection: Connection, row: Row, at: int) -> int:
    waiting = ledger.Erasure(
        id=(identifier := new_id("ers")),
        target=f"restored:{identifier}",
        tenant=row.tenant,
        scope=ledger.OBJECT,
        subject=row.subject,
        subject_digest=subject_digest(row.tenant, row.subject),
        object=row.id,
        state=ledger.WAITING,
        actor=SERVICE,
        request=new_id("req"),
        requested_at=at,
        people=1,
        salt=secrets.token_bytes(32),
    )
    ledger.add(connection, waiting)
    shut = update(objects).where(objects.c.id == row.id, objects.c.state == LIVE)
    return connection.execute(shut.values(state=CLOSED, erasure=waiting.id)).rowcount


def _enter(connection: Connection, one: Lost, at: int) -> None:
    """The ledger knows of it from now on; its certificate was given, or never will be."""
    row = {
        "id": one.erasure,
        "target": f"lost:{one.erasure}",
        "tenant": one.tenant,
        "scope": one.scope,
        "subject_digest": tenant_digest(one.tenant),
        "people": 0,
        "delay": 0,
        "state": ledger.CANCELLED if one.objects is None else ledger.DONE,
        "actor": SERVICE,
        "request": new_id("req"),
        "requested_at": one.at,
        "completed_at": at,
    }
    connection.execute(insert(ledger.erasures), row)


def _require_officers(connection: Connection, accepted: Accepted, at: int) -> None:
    if not _REASON.match(accepted.reason):
        raise Invalid("The reason is a token such as case-2026-17: it stands in the log.", code="bad-reason")
    deciding = (
        select(users.c.id)
        .join(grants, grants.c.user == users.c.id)
        .where(users.c.id.in_(accepted.officers), users.c.active.is_(True))
        .where(grants.c.role.in_(DECIDING), grants.c.expires_at > at)
    )
    if len(set(connection.scalars(deciding))) != _OFFICERS or len(accepted.officers) != _OFFICERS:
        raise Denied(
            "Going on without a part of the ledger takes two people who may decide about erasures: name the ids of two "
            "privacy officers, owners or operators of this installation.",
            code="not-officers",
        )


def _behind(unknown: list[Lost]) -> IntegrityError:
    return IntegrityError(
        f"The log knows of {len(unknown)} erasures that began, and neither a ledger nor the key tree says what they "
        "took; find the newest database or backup. Without either, two officers may go on with "
        "--accept-lost-erasures, which shuts everything that may be meant.",
        code="ledger-behind",
    )
