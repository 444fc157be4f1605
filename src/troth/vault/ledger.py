"""The erasure ledger: what was asked, which steps are done, the certificates. Kept for restores, which replay it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import Column, Connection, LargeBinary, String, Table, insert, select, update

from troth.storage.database import Big, metadata
from troth.vault.store import insert_missing

PERSON = "person"  # stands in for the id of the person themselves wherever something outlives them
REQUESTED, HELD, RUNNING, DONE = "requested", "held", "running", "done"

erasures = Table(
    "erasure",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("target", String(80), nullable=False, unique=True),  # one erasure per person, one per object
    Column("tenant", String(64), nullable=False, index=True),
    Column("scope", String(16), nullable=False),
    Column("subject", String(64)),  # None once done
    Column("subject_digest", String(64), nullable=False),
    Column("object", String(64)),
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
    scope: str  # subject | object
    subject: str | None
    subject_digest: str
    object: str | None
    state: str  # requested | held | running | done
    basis: str | None
    actor: str
    request: str
    requested_at: int
    completed_at: int | None
    salt: bytes | None
    certificate: str | None


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
    query = select(erasures).where(erasures.c.state != DONE).order_by(erasures.c.requested_at, erasures.c.id)
    return [Erasure(**dict(found)) for found in connection.execute(query).mappings()]


def leaving(connection: Connection, tenant: str) -> set[str]:
    """The people of a tenant whose erasure is under way."""
    going = erasures.c.tenant == tenant, erasures.c.scope == "subject", erasures.c.state != DONE
    return {str(subject) for subject in connection.execute(select(erasures.c.subject).where(*going)).scalars()}


def of_tenant(connection: Connection, tenant: str) -> list[Erasure]:
    """The erasures of a tenant, newest first."""
    query = select(erasures).where(erasures.c.tenant == tenant).order_by(erasures.c.requested_at.desc(), erasures.c.id)
    return [Erasure(**dict(found)) for found in connection.execute(query).mappings()]


def change(connection: Connection, erasure_id: str, **values: Any) -> None:
    """Set columns of an erasure that is not done yet."""
    connection.execute(update(erasures).where(erasures.c.id == erasure_id, erasures.c.state != DONE).values(**values))


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
