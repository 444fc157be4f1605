"""The rows of registers: records, their events, and what each member of a population did. Times in epoch ms."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from troth.storage.database import Big, metadata

records = Table(
    "register_record",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("form", String(48), nullable=False),
    Column("state", String(48), nullable=False),
    Column("account", String(64)),  # whose account it stands for, as a record of staff does
    Column("opened_at", Big, nullable=False),
    Column("changed_at", Big, nullable=False),
    Column("sequence", Big, nullable=False),  # of its last event, from 1
    Column("head", String(64), nullable=False),  # the link of its last event
    Index("ix_register_record_tenant_form", "tenant", "form", "opened_at"),
    Index("ix_register_record_account", "account"),
)
events = Table(
    "register_event",
    metadata,
    Column("record", String(64), primary_key=True),
    Column("sequence", Big, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("form", String(48), nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("at", Big, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("move", String(48), nullable=False),
    Column("state", String(48), nullable=False),  # that it led to
    Column("subject", String(64), nullable=False),  # under whose key the content is: a person, or the registers' own
    Column("content", LargeBinary),  # values and salt, sealed; None: erased with its person
    Column("digest", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("request", String(64), nullable=False),
    Index("ix_register_event_tenant_form", "tenant", "form"),
    Index("ix_register_event_subject", "subject"),
)
items = Table(
    "register_item",
    metadata,
    Column("record", String(64), primary_key=True),
    Column("population", String(48), primary_key=True),
    Column("member", String(64), primary_key=True),
    Column("at", Big, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("account", String(64)),  # of the member; None for who has none any more
    Column("request", String(64), nullable=False),
    Index("ix_register_item_account", "account"),
)
