"""The fence that uploads, restrictions and erasures meet at: one row per person, one per tenant, behind digests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, select, update

from troth.kernel.errors import Conflict, Gone
from troth.storage.prepared import PreparedSelect
from troth.vault.ground import subject_digest, tenant_digest
from troth.vault.tables import ERASED, LIVE, insert_missing, subjects

RESTRICTED, CLOSING = "restricted", "closing"  # GDPR Art. 18; an erasure that can still be called off
SUSPENDED = "key-suspended"  # the key tree's own word for it
_RANK = (LIVE, RESTRICTED, CLOSING, ERASED)  # the strictest speaks

# Built once: each object that is kept or opened asks.
_OF = select(subjects.c.digest, subjects.c.state).where(
    subjects.c.digest.in_((bindparam("person"), bindparam("whole")))
)
_STATES = PreparedSelect(_OF)
_FENCE = PreparedSelect(_OF.order_by(subjects.c.digest).with_for_update(read=True))


def fence(connection: Connection, tenant: str, subject: str) -> None:
    """Hold off an erasure or restriction of this person, or tenant, until this transaction ends.

    Raises `Gone` when an erasure has begun, `Conflict` (restricted, closing) when processing is suspended.
    PostgreSQL: shared row locks, which the erasure's update waits for. SQLite has one writer at a time anyway.
    """
    names = _names(tenant, subject)
    found = dict(_FENCE.within(connection, names))
    if len(found) < len(names):  # their first object; somebody else may be putting the row there at the same time
        for digest in names.values():
            insert_missing(connection, subjects, {"digest": digest, "state": LIVE})
        found = dict(_FENCE.within(connection, names))
    require_open(strictest(found.values()), keeping=True)


def fence_tenant(connection: Connection, tenant: str) -> None:
    """As `fence`, for what is kept of a tenant itself. Implements `kernel.personal.TenantFence`."""
    whole = tenant_digest(tenant)
    insert_missing(connection, subjects, {"digest": whole, "state": LIVE})
    standing = select(subjects.c.state).where(subjects.c.digest == whole).with_for_update(read=True)
    require_open(connection.execute(standing).scalar_one(), keeping=True)


def state(connection: Connection, tenant: str, subject: str) -> str:
    """Where a person stands, or their tenant when that is stricter."""
    return strictest(found for _, found in _STATES.within(connection, _names(tenant, subject)))


def require_open(standing: str, *, keeping: bool = False) -> None:
    """Raises `Gone` for the erased, `Conflict` for the restricted and for those about to be erased."""
    if standing == ERASED:
        said = "nothing more can be kept for them" if keeping else "nothing of them can be opened"
        raise Gone(f"This person was erased here; {said}.", code="subject-erased")
    if standing == CLOSING:
        raise Conflict("An erasure of this is about to begin; it can be called off until then.", code="closing")
    if standing == RESTRICTED:
        raise restricted()


def restricted() -> Conflict:
    """The answer for everything but export and rights while processing is restricted."""
    return Conflict(
        "Processing of this person's data is restricted: it is kept and can be exported, nothing else. It can be used "
        "again when the restriction is lifted.",
        code="restricted",
    )


@contextmanager
def suspension() -> Iterator[None]:
    """Within it a suspended key says what the fence says: the keys may speak first."""
    try:
        yield
    except Conflict as error:
        if error.code == SUSPENDED:
            raise restricted() from error
        raise


def shut(connection: Connection, digest: str, standing: str, *, erasure: str | None = None) -> None:
    """Restrict, or close for an erasure that can be called off; what is stricter already stays."""
    insert_missing(connection, subjects, {"digest": digest, "state": LIVE})
    milder = _RANK[: _RANK.index(standing)]
    change = update(subjects).where(subjects.c.digest == digest, subjects.c.state.in_(milder))
    connection.execute(change.values(state=standing, erasure=erasure))


def release(
    connection: Connection, digest: str, standing: str, *, erasure: str | None = None, back_to: str = LIVE
) -> None:
    """Take `standing` away again where it was set, for the same erasure if for any; what is stricter by now stays."""
    same = subjects.c.erasure.is_(None) if erasure is None else subjects.c.erasure == erasure
    change = update(subjects).where(subjects.c.digest == digest, subjects.c.state == standing, same)
    connection.execute(change.values(state=back_to, erasure=None))


def end(connection: Connection, digest: str, erasure: str, now: int) -> None:
    """Close the fence for good. Idempotent."""
    insert_missing(connection, subjects, {"digest": digest, "state": LIVE})
    change = update(subjects).where(subjects.c.digest == digest, subjects.c.state != ERASED)
    connection.execute(change.values(state=ERASED, erasure=erasure, marked_at=now))


def erasure_of(connection: Connection, tenant: str, subject: str) -> str | None:
    """The erasure that closed the fence of a person, or of their tenant."""
    query = select(subjects.c.digest, subjects.c.erasure).where(subjects.c.state == ERASED)
    names = _names(tenant, subject)
    those = query.where(subjects.c.digest.in_(names.values()))
    found = {digest: erasure for digest, erasure in connection.execute(those)}
    return found.get(names["person"]) or found.get(names["whole"])


def _names(tenant: str, subject: str) -> dict[str, str]:
    return {"person": subject_digest(tenant, subject), "whole": tenant_digest(tenant)}


def strictest(states: Iterable[str]) -> str:
    """The one that speaks when several stand."""
    return max(states, key=_RANK.index, default=LIVE)
