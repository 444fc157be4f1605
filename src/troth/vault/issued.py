"""The list of issued certificates: which there are, without the documents."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, tuple_

from troth.kernel.errors import NotFound
from troth.vault.ledger import certificates, erasures


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate: the erasure that it is about, its scope, and when it was signed (epoch ms)."""

    id: str
    erasure: str
    scope: str
    issued_at: int


@dataclass(frozen=True, slots=True)
class Visible:
    """Whose certificates: all of a tenant, or (with both) those somebody asked for or is concerned by."""

    tenant: str
    actor: str | None = None
    digest: str | None = None


def page(connection: Connection, visible: Visible, *, limit: int, after: str | None) -> list[Issued]:
    """Newest first, from the one that follows `after`. Raises `NotFound` when that one is not among them."""
    here = certificates.join(erasures, erasures.c.id == certificates.c.erasure)
    query = select(certificates.c.id, certificates.c.erasure, erasures.c.scope, certificates.c.issued_at)
    query = query.select_from(here).where(certificates.c.tenant == visible.tenant)
    if visible.actor is not None:
        mine = or_(erasures.c.actor == visible.actor, erasures.c.subject_digest == visible.digest)
        query = query.where(mine)
    if after is not None:
        last = connection.execute(query.where(certificates.c.id == after)).first()
        if last is None:
            raise NotFound("There is no such certificate to go on from; begin with the newest.")
        place = tuple_(certificates.c.issued_at, certificates.c.id)
        query = query.where(place < tuple_(last.issued_at, last.id))
    query = query.order_by(certificates.c.issued_at.desc(), certificates.c.id.desc()).limit(limit)
    return [Issued(*found) for found in connection.execute(query)]
