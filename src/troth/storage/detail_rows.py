"""Sealed details of audit entries: personal, so beside the log and not in it (`kernel.details`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, String, Table

from troth.kernel.details import UNAVAILABLE
from troth.kernel.record import Entry
from troth.storage.database import Big, metadata
from troth.storage.prepared import PreparedInsert

audit_details = Table(
    "audit_details",
    metadata,
    Column("log", String(64), primary_key=True),
    Column("request", String(64), primary_key=True),
    Column("commitment", LargeBinary(32), primary_key=True),  # as in the entry's `pd`
    Column("tenant", String(64), nullable=False),  # whose keys: a tenant, or "operator"
    Column("subject", String(64), nullable=False),  # the person it is about
    Column("sealed", LargeBinary, nullable=False),
    Column("at", Big, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_audit_details_subject", audit_details.c.tenant, audit_details.c.subject)
Index("ix_audit_details_at", audit_details.c.at)

INSERT = PreparedInsert(audit_details, *audit_details.columns.keys())


def detail_row(entry: Entry) -> Mapping[str, Any] | None:
    """The row beside an entry; None for one without details."""
    sealed = entry.sealed
    if sealed is None or sealed.commitment == UNAVAILABLE:
        return None
    tenant, subject = sealed.owner
    return {
        "log": entry.log,
        "request": entry.request,
        "commitment": bytes.fromhex(sealed.commitment),
        "tenant": tenant,
        "subject": subject,
        "sealed": sealed.content,
        "at": entry.time,
    }
