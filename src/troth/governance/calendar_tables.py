"""Rows of the calendar: feeds, what was to be told, where webhooks go, and what is on its way. Times in epoch ms."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from troth.storage.database import Big, metadata

feeds = Table(
    "calendar_feed",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the token; the token itself is kept nowhere
    Column("made_at", Big, nullable=False),
    Index("ix_calendar_feed_digest", "digest", unique=True),
)
reminders = Table(
    "calendar_reminder",
    metadata,
    Column("id", String(64), primary_key=True),  # of the notice: the same whoever puts it, so it is put once
    Column("tenant", String(64), nullable=False),
    Column("form", String(48), nullable=False),
    Column("record", String(64), nullable=False),
    Column("name", String(48), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("due_at", Big, nullable=False),
    Column("put_at", Big, nullable=False),
    Index("ix_calendar_reminder_tenant", "tenant", "put_at"),
)
webhooks = Table(
    "calendar_webhook",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # address and secrets, under a key of the deployment
    Column("made_at", Big, nullable=False),
    Column("delivered_at", Big),  # the last time that it took something
    Index("ix_calendar_webhook_tenant", "tenant"),
)
deliveries = Table(
    "calendar_delivery",
    metadata,
    Column("id", String(64), primary_key=True),  # goes with every try, so that a copy is seen as one
    Column("tenant", String(64), nullable=False),
    Column("channel", String(8), nullable=False),  # mail | webhook
    Column("target", String(64), nullable=False),  # a person, or a webhook
    Column("kind", String(48), nullable=False),
    Column("body", Text, nullable=False),  # JSON of ids and words; nothing that says who somebody is
    Column("state", String(8), nullable=False),  # waiting | done | dead
    Column("tries", Integer, nullable=False),
    Column("put_at", Big, nullable=False),
    Column("next_at", Big, nullable=False),
    Column("done_at", Big),
    Column("trouble", String(48)),  # why the last try failed
    Column("instead_of", String(64)),  # the delivery that failed elsewhere
    Index("ix_calendar_delivery_state", "state", "next_at"),
    Index("ix_calendar_delivery_tenant", "tenant", "put_at"),
)
