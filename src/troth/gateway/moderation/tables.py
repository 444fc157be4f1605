"""Four tables: policies of tenants, cases, the list of take-downs, and what is preserved as evidence.

Ids, enumerations and numbers stand open; whatever people wrote or sent is sealed under the person it is about.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ColumnElement, Index, Integer, LargeBinary, String, Table, Text, and_

from troth.keys.field_moving import SealedColumn
from troth.storage.database import Big, metadata

CONTENT, STATEMENT = "moderation-content", "moderation-statement"
APPEAL, ANSWER = "moderation-appeal", "moderation-answer"

policies = Table(
    "moderation_policy",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("text", Text, nullable=False),  # enumerations and numbers: it names nobody
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # proposed | in-force | over
    Column("proposed_by", String(64), nullable=False),
    Column("proposed_at", Big, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_at", Big),
    Index("ix_moderation_policy_tenant", "tenant", "state"),
)
cases = Table(
    "moderation_case",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64)),  # goes with the person
    Column("request", String(64), nullable=False),
    Column("side", String(16), nullable=False),  # input | output
    Column("medium", String(16), nullable=False),  # text | picture
    Column("category", String(64), nullable=False),
    Column("score", Integer, nullable=False),  # thousandths
    Column("action", String(16), nullable=False),
    Column("policy", String(128), nullable=False),
    Column("content", LargeBinary),  # sealed under the person; none for what no reviewer may see
    Column("state", String(16), nullable=False),  # noted | open | decided | appealed | closed
    Column("opened_at", Big, nullable=False),
    Column("due_at", Big),
    Column("outcome", String(16)),  # upheld | overturned
    Column("reason", String(64)),
    Column("statement", LargeBinary),
    Column("decided_by", String(64)),
    Column("decided_at", Big),
    Column("appeal", LargeBinary),
    Column("appealed_at", Big),
    Column("answer", LargeBinary),
    Column("answer_outcome", String(16)),
    Column("answered_by", String(64)),
    Column("answered_at", Big),
    Index("ix_moderation_case_tenant", "tenant", "state", "due_at"),
    Index("ix_moderation_case_subject", "tenant", "subject"),
)
takedowns = Table(
    "moderation_takedown",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),  # 256 bits of PDQ in hex
    Column("illegal", Boolean, nullable=False),  # child sexual abuse material: preserved and reported, never shown
    Column("source", String(64), nullable=False),  # a token
    Column("reason", String(64), nullable=False),  # a token
    Column("state", String(16), nullable=False),  # proposed | approved | withdrawn
    Column("proposed_by", String(64), nullable=False),
    Column("proposed_at", Big, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_at", Big),
)
evidence = Table(
    "moderation_evidence",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("case", String(64), nullable=False),
    Column("object", String(64), nullable=False),  # in the vault, under nobody's unit but the evidence's own
    Column("hold", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # preserved | reported | released | expired
    Column("preserved_at", Big, nullable=False),
    Column("ends_at", Big, nullable=False),
    Column("authority", String(64)),  # a token
    Column("reference", String(64)),  # a token
    Column("reported_at", Big),
    Column("reported_by", String(64)),
    Column("asked_for", String(16)),  # open | release
    Column("asked_by", String(64)),
    Column("asked_at", Big),
    Index("ix_moderation_evidence_tenant", "tenant", "state"),
)


def _of_person(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(cases.c.tenant == tenant, cases.c.subject == subject)


# For whoever must move them to fresh keys.
SEALED = (
    SealedColumn(cases, "content", CONTENT, _of_person),
    SealedColumn(cases, "statement", STATEMENT, _of_person),
    SealedColumn(cases, "appeal", APPEAL, _of_person),
    SealedColumn(cases, "answer", ANSWER, _of_person),
)
