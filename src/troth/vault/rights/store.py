"""The tables of rights. What people wrote is sealed under their key, or the request's own while nobody knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    func,
    insert,
    select,
    update,
)

from troth.kernel.errors import NotFound
from troth.storage.database import Big, metadata
from troth.vault.rights.clocks import Kind, Law
from troth.vault.rights.requests import OPEN, Level, Request, State

requests = Table(
    "vault_request",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64)),  # absent while nobody knows who asks, and after they were forgotten
    Column("kind", String(32), nullable=False),
    Column("purpose", String(64)),
    Column("law", String(8), nullable=False),
    Column("channel", String(16), nullable=False),  # portal | api | mail
    Column("state", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    Column("means", String(32)),  # how an officer saw who asks
    Column("officer", String(64)),
    Column("reason", String(64)),
    Column("received_at", Big, nullable=False),
    Column("confirmed_at", Big),
    Column("verified_at", Big),
    Column("extended_at", Big),
    Column("closed_at", Big),
    Column("escalated", Integer, nullable=False),
    Column("earlier", String(512)),  # terms that stay though it was sorted anew: "ccpa/opt-out gdpr/access"
    Column("body", LargeBinary),  # sealed JSON: what was written, and the address to answer to
    Column("answer", LargeBinary),  # sealed text
    Column("mark", LargeBinary(32)),  # keyed hash of the message, so that one that is delivered twice counts once
    Column("sender", LargeBinary(32)),  # keyed hash of the address, to count what one sender has open
    Column("own_key", Boolean, nullable=False),  # a key of the request's own is still to be destroyed
    Index("ix_vault_request_tenant", "tenant", "state"),
    Index("ix_vault_request_subject", "tenant", "subject"),
    Index("uq_vault_request_mark", "tenant", "mark", unique=True),
)

notices = Table(
    "vault_request_notice",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("request", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),  # receipt | extension | answer | refusal
    Column("automatic", Boolean, nullable=False),  # False: only a person may send it (RFC 3834)
    Column("created_at", Big, nullable=False),
    Column("sent_at", Big),
    Column("attempts", Integer, nullable=False),
)

# The last letter to somebody who asked to be forgotten: their address alone, under a key of the letter's own, sealed
# before anything of theirs goes.
closings = Table(
    "vault_request_closing",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("request", String(64), nullable=False),
    Column("letter", LargeBinary, nullable=False),  # sealed
    Column("automatic", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("ready_at", Big),  # the person is forgotten: it may go
    Column("done_at", Big),  # it went, or is not needed: its key is still to be destroyed
    Index("ix_vault_request_closing_request", "tenant", "request"),
)

statements = Table(
    "vault_statement",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("about", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("created_at", Big, nullable=False),
    Index("ix_vault_statement_subject", "tenant", "subject"),
)

_SHOWN = tuple(requests.c[name] for name in Request.__dataclass_fields__)


def of_row(row: Mapping[str, Any]) -> Request:
    """A request from its row."""
    values = {name: row[name] for name in Request.__dataclass_fields__}
    typed = {
        "kind": Kind(row["kind"]),
        "law": Law(row["law"]),
        "state": State(row["state"]),
        "level": Level(row["level"]),
        "earlier": _pairs(row["earlier"]),
    }
    return Request(**(values | typed))


def pairs_of(earlier: Iterable[tuple[Law, Kind]]) -> str | None:
    """Earlier terms as their column keeps them."""
    return " ".join(f"{law}/{kind}" for law, kind in earlier) or None


def _pairs(column: str | None) -> tuple[tuple[Law, Kind], ...]:
    found = (pair.partition("/") for pair in (column or "").split())
    return tuple((Law(law), Kind(kind)) for law, _, kind in found)


def add(connection: Connection, values: dict[str, Any]) -> None:
    """A fresh request."""
    connection.execute(insert(requests), values)


def found(connection: Connection, tenant: str, request: str, *, lock: bool = False) -> dict[str, Any]:
    """A request of a tenant, all columns. Raises `NotFound`."""
    query = select(requests).where(requests.c.id == request, requests.c.tenant == tenant)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound("There is no such request; list the requests to see their ids.", code="request-not-found")
    return {str(name): value for name, value in row.items()}


def change(connection: Connection, request: str, **values: Any) -> None:
    """Set columns of a request."""
    connection.execute(update(requests).where(requests.c.id == request).values(**values))


def of_person(connection: Connection, tenant: str, subject: str) -> list[dict[str, Any]]:
    """All of a person, newest first."""
    query = select(requests).where(requests.c.tenant == tenant, requests.c.subject == subject)
    return _rows(connection, query.order_by(requests.c.received_at.desc(), requests.c.id))


def of_strangers(connection: Connection, tenant: str) -> list[dict[str, Any]]:
    """Requests with texts that belong to nobody known."""
    nobodys = (requests.c.subject.is_(None), requests.c.body.is_not(None))
    return _rows(connection, select(requests).where(requests.c.tenant == tenant, *nobodys))


def of_tenant(connection: Connection, tenant: str, *, closed: int = 0) -> list[Request]:
    """The open requests of a tenant, oldest first, and its newest closed ones."""
    mine = select(*_SHOWN).where(requests.c.tenant == tenant)
    query = mine.where(requests.c.state.in_(OPEN)).order_by(requests.c.received_at, requests.c.id)
    done = mine.where(requests.c.state.not_in(OPEN)).order_by(requests.c.closed_at.desc()).limit(closed)
    return [of_row(row) for row in (*_rows(connection, query), *_rows(connection, done))]


def all_open(connection: Connection) -> list[Request]:
    """The open requests of all tenants."""
    return [of_row(row) for row in _rows(connection, select(*_SHOWN).where(requests.c.state.in_(OPEN)))]


def closed_since(connection: Connection, moment: int) -> list[Request]:
    """Requests that were answered or refused since a moment."""
    query = select(*_SHOWN).where(requests.c.closed_at >= moment, requests.c.state != State.WITHDRAWN)
    return [of_row(row) for row in _rows(connection, query)]


def known_message(connection: Connection, tenant: str, mark: bytes) -> str | None:
    """The request that this message became."""
    query = select(requests.c.id).where(requests.c.tenant == tenant, requests.c.mark == mark)
    identifier = connection.execute(query).scalar()
    return None if identifier is None else str(identifier)


def open_of_sender(connection: Connection, tenant: str, sender: bytes) -> int:
    """How many open requests came from an address."""
    mine = (requests.c.tenant == tenant, requests.c.sender == sender, requests.c.state.in_(OPEN))
    return int(connection.execute(select(func.count()).select_from(requests).where(*mine)).scalar_one())


def with_own_key(connection: Connection, before: int) -> list[dict[str, Any]]:
    """Requests whose own key has no use any more: the person is known, or it was closed before that moment."""
    needless = requests.c.subject.is_not(None) | (requests.c.closed_at < before)
    return _rows(connection, select(requests).where(requests.c.own_key, needless))


def answerable(connection: Connection, request: str) -> bool:
    """False when only a person may write back: the mail said so (RFC 3834)."""
    receipt = notices.c.request == request, notices.c.kind == "receipt", notices.c.automatic.is_(False)
    return connection.execute(select(notices.c.request).where(*receipt)).first() is None


def unsent(connection: Connection, tenant: str | None) -> list[dict[str, Any]]:
    """Notices that were not sent, with their requests (the notice's kind as `notice`), oldest first."""
    joined = notices.join(requests, notices.c.request == requests.c.id)
    named = (notices.c.kind.label("notice"), notices.c.automatic, notices.c.attempts, notices.c.created_at)
    query = (
        select(requests, *named).select_from(joined).where(notices.c.sent_at.is_(None), requests.c.body.is_not(None))
    )
    if tenant is not None:
        query = query.where(requests.c.tenant == tenant)
    return _rows(connection, query.order_by(notices.c.created_at, notices.c.kind))


def _rows(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]
