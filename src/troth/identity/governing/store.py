"""The tables of governed access. Reasons are sealed for the person they are about; every time is epoch milliseconds."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from troth.storage.database import Big, metadata


def _id(name: str, *extra: object, **options: bool) -> Column[str]:
    return Column(name, String(64), *extra, **options)  # type: ignore[arg-type]


elevations = Table(
    "elevations",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", nullable=False, index=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("role", String(32), nullable=False),
    Column("kind", String(12), nullable=False),  # elevation | break-glass
    Column("state", String(12), nullable=False),  # asked | active | refused | ended
    Column("reason", LargeBinary, nullable=False),  # sealed
    Column("minutes", Integer, nullable=False),
    Column("asked_at", Big, nullable=False),
    _id("decided_by"),
    Column("granted_at", Big),  # of the grant that came of it, which tells it from a later one
    Column("expires_at", Big, nullable=False),  # of the question, then of the role
    _id("ended_by"),
    Column("ended_at", Big),
    Column("told_at", Big),  # when owners were written to
    Column("verdict", String(16)),  # of a break-glass: justified | unjustified
    _id("reviewed_by"),
    Column("reviewed_at", Big),
    Column("warned_day", Integer, nullable=False),  # the UTC day on which the log last said that it is overdue
)

break_glass = Table(
    "break_glass",
    metadata,
    _id("user", ForeignKey("users.id"), primary_key=True),
    _id("tenant", nullable=False, index=True),
    Column("role", String(32), nullable=False),
    _id("designated_by", nullable=False),
    Column("designated_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
)

campaigns = Table(
    "access_campaigns",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", nullable=False, index=True),
    Column("state", String(8), nullable=False),  # open | closed
    _id("opened_by", nullable=False),
    Column("opened_at", Big, nullable=False),
    Column("due_at", Big, nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 over the grants as they stood
    Column("grants", Integer, nullable=False),
    _id("closed_by"),
    Column("closed_at", Big),
)

items = Table(
    "access_items",
    metadata,
    _id("campaign", primary_key=True),
    _id("user", ForeignKey("users.id"), primary_key=True),
    Column("role", String(32), primary_key=True),
    _id("tenant", nullable=False, index=True),
    _id("granted_by", nullable=False),
    Column("granted_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
    Column("used_at", Big),  # when the person last used anything of theirs
    Column("verdict", String(8)),  # keep | remove
    Column("reason", String(24)),  # a coarse code
    _id("decided_by"),
    Column("decided_at", Big),
    Column("outcome", String(16)),  # kept | removed | lapsed | renewed | ended | last-owner
)
