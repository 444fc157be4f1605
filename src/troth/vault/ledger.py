"""The erasure ledger: what was asked, who decided, which steps are done, the certificates. Restores replay it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import Column, Connection, LargeBinary, String, Table, func, insert, select, update

from troth.kernel.errors import NotFound
from troth.storage.database import Big, metadata
from troth.vault.tables import insert_missing

PERSON = "person"  # stands in for the id of the person themselves wherever something outlives them
REQUESTED, HELD, RUNNING, DONE = "requested", "held", "running", "done"
WAITING, CLOSING, CANCELLED = "waiting", "closing", "cancelled"  # for an approval; until it is due; called off
OBJECT, SUBJECT, PERIOD, TENANT, RETENTION = "object", "subject", "period", "tenant", "retention"
REMAINDER = "remainder"  # of keys that earlier erasures left to others, once nobody needs them any more
WHOLE = (SUBJECT, TENANT)  # what lies in one place of the key tree
TOMBSTONE, DESTROY = "tombstone", "destroy"  # steps that others ask for
_AT_REST = (DONE, CANCELLED, WAITING)
APPROVED, CALLED_OFF = "approved", "called-off"

erasures = Table(
    "erasure",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("target", String(160), nullable=False, unique=True),  # one erasure per person, one per object
    Column("tenant", String(64), nullable=False, index=True),
    Column("scope", String(16), nullable=False),
    Column("subject", String(64)),  # None once done
    Column("subject_digest", String(64), nullable=False),
    Column("object", String(64)),
    Column("data_class", String(16)),  # of a period or a sweep
    Column("before", Big),  # what was kept before this moment
    Column("people", Big, nullable=False),  # how many are concerned
    Column("delay", Big, nullable=False),  # how long it can be called off once it is asked for, or approved
    Column("due_at", Big),
    Column("state", String(16), nullable=False, index=True),
    Column("basis", String(64)),  # of the hold that stands in the way
    Column("actor", String(64), nullable=False),
    Column("request", String(64), nullable=False),
    Column("requested_at", Big, nullable=False),
    Column("completed_at", Big),
    Column("salt", LargeBinary),  # None once the time to hand it over has passed
    Column("certificate", String(64)),
)

steps = Table(
    "erasure_step",
    metadata,
    Column("erasure", String(64), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("done_at", Big, nullable=False),
    Column("result", LargeBinary, nullable=False),  # canonical JSON of ids, numbers and times
)

decisions = Table(
    "erasure_decision",
    metadata,
    Column("erasure", String(64), primary_key=True),
    Column("actor", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("at", Big, nullable=False),
)

certificates = Table(
    "erasure_certificate",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("erasure", String(64), nullable=False, unique=True),
    Column("tenant", String(64), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("issued_at", Big, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. Times in epoch ms. `salt` opens the certificate's commitment; it is for the person's copy only."""

    id: str
    target: str
    tenant: str
    scope: str  # object | subject | period | tenant | retention | remainder
    subject: str | None
    subject_digest: str
    object: str | None
    state: str  # requested | waiting | closing | held | running | done | cancelled
    actor: str
    request: str
    requested_at: int
    people: int = 0
    delay: int = 0
    data_class: str | None = None
    before: int | None = None
    due_at: int | None = None
    basis: str | None = None
    completed_at: int | None = None
    salt: bytes | None = None
    certificate: str | None = None

    @property
    def own(self) -> bool:
        """True when the person asked for it themselves; nobody else calls that off."""
        return self.actor == PERSON


@dataclass(frozen=True, slots=True)
class Decision:
    """One officer's approval of an erasure, or the calling off. `at` in epoch ms."""

    actor: str
    decision: str
    at: int


def add(connection: Connection, erasure: Erasure) -> bool:
    """Enter an erasure; False when its target has one already."""
    return insert_missing(connection, erasures, {name: getattr(erasure, name) for name in Erasure.__slots__})


def by_id(connection: Connection, erasure_id: str) -> Erasure | None:
    """One erasure."""
    found = connection.execute(select(erasures).where(erasures.c.id == erasure_id)).mappings().first()
    return Erasure(**dict(found)) if found else None


def by_target(connection: Connection, target: str) -> Erasure | None:
    """The erasure of a target."""
    found = connection.execute(select(erasures).where(erasures.c.target == target)).mappings().first()
    return Erasure(**dict(found)) if found else None


def by_certificate(connection: Connection, tenant: str, certificate: str) -> Erasure | None:
    """The erasure of this tenant that a certificate is about."""
    query = select(erasures).where(erasures.c.certificate == certificate, erasures.c.tenant == tenant)
    found = connection.execute(query).mappings().first()
    return Erasure(**dict(found)) if found else None


def unfinished(connection: Connection) -> list[Erasure]:
    """Erasures that still have steps to do, oldest first."""
    open_ones = select(erasures).where(erasures.c.state.not_in(_AT_REST))
    query = open_ones.order_by(erasures.c.requested_at, erasures.c.id)
    return [Erasure(**dict(found)) for found in connection.execute(query).mappings()]


def open_of(connection: Connection, tenant: str) -> bool:
    """True while an erasure in the tenant has not ended; one of the whole tenant that still waits does not count."""
    mine = select(erasures.c.id).where(erasures.c.tenant == tenant, erasures.c.state.not_in((DONE, CANCELLED)))
    going = mine.where((erasures.c.scope != TENANT) | (erasures.c.state != WAITING))
    return connection.execute(going.limit(1)).first() is not None


def begun_for(connection: Connection, tenant: str, digest: str, since: int) -> bool:
    """True when a person is being or was erased, or something of theirs that was asked for since a moment."""
    begun = erasures.c.tenant == tenant, erasures.c.subject_digest == digest, erasures.c.state.in_((RUNNING, DONE))
    asked = (erasures.c.scope == SUBJECT) | (erasures.c.scope == OBJECT) & (erasures.c.requested_at >= since)
    return connection.execute(select(erasures.c.id).where(*begun, asked).limit(1)).first() is not None


def leaving(connection: Connection, tenant: str) -> set[str]:
    """The people of a tenant whose erasure is under way."""
    going = erasures.c.tenant == tenant, erasures.c.scope == SUBJECT, erasures.c.state.not_in(_AT_REST)
    return {str(subject) for subject in connection.execute(select(erasures.c.subject).where(*going)).scalars()}


def held_of(connection: Connection, tenant: str) -> list[str]:
    """The erasures of a tenant that a hold keeps waiting."""
    held = select(erasures.c.id).where(erasures.c.tenant == tenant, erasures.c.state == HELD)
    return list(connection.execute(held.order_by(erasures.c.requested_at, erasures.c.id)).scalars())


def people_asked(connection: Connection, actor: str, since: int) -> int:
    """How many people an actor asked to erase since a moment, whatever came of it but calling it off.

    Whoever counts for the same actor waits until this transaction ends, so that two at once count each other.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer; a row to lock need not be there yet
        key = func.hashtextextended(f"troth/dual-control/{actor}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))
    mine = erasures.c.actor == actor, erasures.c.requested_at > since, erasures.c.state != CANCELLED
    return int(connection.execute(select(func.coalesce(func.sum(erasures.c.people), 0)).where(*mine)).scalar_one())


def of_scope(connection: Connection, scope: str) -> list[Erasure]:
    """Every tenant's erasures of one scope, newest first."""
    query = select(erasures).where(erasures.c.scope == scope).order_by(erasures.c.requested_at.desc(), erasures.c.id)
    return [Erasure(**dict(found)) for found in connection.execute(query).mappings()]


def of_tenant(connection: Connection, tenant: str, *, limit: int | None = None) -> list[Erasure]:
    """The erasures of a tenant, newest first."""
    query = select(erasures).where(erasures.c.tenant == tenant).order_by(erasures.c.requested_at.desc(), erasures.c.id)
    query = query.limit(limit)
    return [Erasure(**dict(found)) for found in connection.execute(query).mappings()]


def change(connection: Connection, erasure_id: str, **values: Any) -> None:
    """Set columns of an erasure that is not done yet."""
    still = erasures.c.id == erasure_id, erasures.c.state.not_in((DONE, CANCELLED))
    connection.execute(update(erasures).where(*still).values(**values))


def lock(connection: Connection, erasure_id: str) -> Erasure | None:
    """One erasure, which nobody else changes until this transaction ends."""
    query = select(erasures).where(erasures.c.id == erasure_id).with_for_update()
    found = connection.execute(query).mappings().first()
    return Erasure(**dict(found)) if found else None


def call_off(connection: Connection, erasure: Erasure, now: int) -> None:
    """It will not happen; its target may be asked for again."""
    change(connection, erasure.id, target=f"cancelled:{erasure.id}", state=CANCELLED, subject=None, completed_at=now)


def decide(connection: Connection, erasure: Erasure, actor: str, decision: str, now: int) -> None:
    """Note who approved or called off. Idempotent."""
    values = {"erasure": erasure.id, "actor": actor, "tenant": erasure.tenant, "decision": decision, "at": now}
    insert_missing(connection, decisions, values)


def decided(connection: Connection, erasure_id: str) -> list[Decision]:
    """Approvals and calling off, oldest first."""
    columns = decisions.c.actor, decisions.c.decision, decisions.c.at
    query = select(*columns).where(decisions.c.erasure == erasure_id).order_by(decisions.c.at, decisions.c.actor)
    return [Decision(*found) for found in connection.execute(query)]


def wipe_salts(connection: Connection, completed_before: int) -> int:
    """Forget salts whose time to be handed over has passed."""
    old = update(erasures).where(erasures.c.completed_at < completed_before, erasures.c.salt.is_not(None))
    return connection.execute(old.values(salt=None)).rowcount


def result(connection: Connection, erasure_id: str, step: str) -> Any:
    """What a step left behind (plain JSON); None when it is not done."""
    query = select(steps.c.result).where(steps.c.erasure == erasure_id, steps.c.step == step)
    found = connection.execute(query).scalar()
    return None if found is None else json.loads(found)


def results(connection: Connection, erasure_id: str) -> dict[str, Any]:
    """What all steps left behind, by step."""
    query = select(steps.c.step, steps.c.result).where(steps.c.erasure == erasure_id)
    return {step: json.loads(found) for step, found in connection.execute(query)}


def done_at(connection: Connection, erasure_id: str, step: str) -> int | None:
    """When a step was done (epoch ms); None when it is not."""
    query = select(steps.c.done_at).where(steps.c.erasure == erasure_id, steps.c.step == step)
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def done(connection: Connection, erasure_id: str, step: str, now: int, outcome: dict[str, Any]) -> bool:
    """Note a step as done; False when another worker did it first."""
    values = {"erasure": erasure_id, "step": step, "done_at": now, "result": rfc8785.dumps(outcome)}
    return insert_missing(connection, steps, values)


def add_certificate(connection: Connection, certificate: str, erasure: Erasure, envelope: bytes, now: int) -> None:
    """Keep an issued certificate and close its erasure."""
    connection.execute(
        insert(certificates),
        {
            "id": certificate,
            "erasure": erasure.id,
            "tenant": erasure.tenant,
            "envelope": envelope,
            "issued_at": now,
        },
    )
    change(connection, erasure.id, state=DONE, subject=None, completed_at=now, certificate=certificate)


def envelope_of(connection: Connection, tenant: str, certificate: str) -> bytes | None:
    """The document of a certificate of this tenant."""
    query = select(certificates.c.envelope).where(certificates.c.id == certificate, certificates.c.tenant == tenant)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def unknown() -> NotFound:
    """The answer for an erasure that is not there, or not for this reader."""
    return NotFound("There is no such erasure; its id is in the answer to the request.")


def person_target(digest: str) -> str:
    """The target of a person's erasure."""
    return f"subject:{digest}"


def tenant_target(tenant: str) -> str:
    """The target of a whole tenant's erasure."""
    return f"tenant:{tenant}"
