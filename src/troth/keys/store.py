"""The key tree's tables. All that is secret in them is sealed under an epoch root that the database never holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    CursorResult,
    Executable,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.scope import SYSTEM
from troth.storage.database import Big, Database, is_unique_violation, metadata
from troth.storage.prepared import PreparedInsert

key_tree = Table(
    "key_tree",
    metadata,
    Column("jurisdiction", String(8), primary_key=True),
    Column("epoch", Big, nullable=False),
    Column("change", Big, nullable=False),  # rises with every revocation and epoch; other processes watch it
)
key_manifest = Table(
    "key_manifest",
    metadata,
    Column("jurisdiction", String(8), nullable=False),
    Column("epoch", Big, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("jurisdiction", "epoch"),
)
key_page = Table(
    "key_page",
    metadata,
    Column("page", String(32), primary_key=True),
    Column("jurisdiction", String(8), nullable=False, index=True),
    Column("epoch", Big, nullable=False),
    Column("version", Big, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("pack", String(48), nullable=False),  # where its copies lie together with others; "" for one of its own
    Column("content", LargeBinary, nullable=False),
)
key_root = Table(
    "key_root",
    metadata,
    Column("domain", String(64), nullable=False),
    Column("root", String(64), nullable=False),
    Column("jurisdiction", String(8), nullable=False),
    Column("epoch", Big, nullable=False),
    Column("assurance", String(8), nullable=False),
    Column("state", String(24), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("created_at", Big, nullable=False),
    Column("activated_at", Big),
    Column("deactivated_at", Big),
    Column("destroyed_at", Big),
    Column("evidence", String(256)),
    PrimaryKeyConstraint("domain", "root"),
    Index("ix_key_root_epoch", "jurisdiction", "epoch"),
)
key_scope = Table(
    "key_scope",
    metadata,
    Column("jurisdiction", String(8), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),  # "" stands for the whole tenant
    Column("units", Big, nullable=False),  # live units of the subject
    Column("state", String(24), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("changed_at", Big, nullable=False),
    Column("sealed_epoch", Big),
    Column("rotated", Big),  # value of key_tree.change; units born before it protect nothing new
    PrimaryKeyConstraint("jurisdiction", "tenant", "subject"),
)
key_suspension = Table(
    "key_suspension",
    metadata,
    Column("jurisdiction", String(8), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),  # "" stands for the whole tenant
    Column("unit", String(32), nullable=False),  # "" stands for everything of the subject
    Column("reason", String(32), nullable=False),
    Column("since", Big, nullable=False),
    PrimaryKeyConstraint("jurisdiction", "tenant", "subject", "unit", "reason"),
)
unit = Table(
    "unit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("jurisdiction", String(8), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("data_class", String(32), nullable=False),
    Column("period", String(64), nullable=False),  # "" for an own unit
    Column("name", String(32), unique=True),  # only while live: the same period may get a new unit later
    Column("generation", Integer, nullable=False),  # one more than that of the unit it replaced
    Column("born", Big, nullable=False),  # value of key_tree.change, a clock that never goes back
    Column("state", String(24), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("created_at", Big, nullable=False),
    Column("changed_at", Big, nullable=False),
    Column("sealed_epoch", Big),
    Index("ix_unit_subject", "tenant", "subject"),
)

_STORED = (key_page.c.page, key_page.c.epoch, key_page.c.version, key_page.c.digest, key_page.c.pack)
_ADD_PAGES = PreparedInsert(key_page, *(column.name for column in (*_STORED, key_page.c.content)), "jurisdiction")
_GROUP = 400  # values in one IN list; SQLite's oldest limit is 999


@dataclass(frozen=True, slots=True)
class StoredPage:
    """Where a page version is: its row and the names of its copies follow from it."""

    page: str
    epoch: int
    version: int
    digest: str
    pack: str = ""


@dataclass(frozen=True, slots=True)
class PageWrite:
    """A page version to store; `replaces` is the version that must be there now (0: none)."""

    stored: StoredPage
    content: bytes
    replaces: int


class KeyStore:
    """One jurisdiction's rows, of all tenants. Raises `Unavailable` when the database does not do its part."""

    def __init__(self, database: Database, jurisdiction: str) -> None:
        self._database = database
        self.jurisdiction = jurisdiction
        # Statements are built once: building costs more than running them.
        self._listed = select(*_STORED).where(key_page.c.jurisdiction == jurisdiction)
        # By id alone: a page opens in its own jurisdiction only, and SQLite would read them all to compare that first.
        self._pages = select(*_STORED, key_page.c.content)
        self._page = self._pages.where(key_page.c.page == bindparam("of"))
        same = and_(key_page.c.page == bindparam("of"), key_page.c.version == bindparam("was"))
        self._drop = delete(key_page).where(same)
        self._replace = update(key_page).where(same)
        self._place = self._replace.values(pack=bindparam("to"))
        mine = key_tree.c.jurisdiction == jurisdiction
        self._change = select(key_tree.c.change).where(mine)
        self._held = select(key_tree.c.epoch).where(mine).with_for_update()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading."""
        with _mapped(), self._database.read(SYSTEM) as connection:
            yield connection

    @contextmanager
    def write(self, epoch: int | None = None) -> Iterator[Connection]:
        """A transaction that holds the tree's row. Raises `Conflict` when the tree is not at `epoch` (if given)."""
        with _mapped(), self._database.write(SYSTEM) as connection:
            held = self.held(connection)
            if epoch is not None and held != epoch:
                raise changed()
            yield connection

    def held(self, connection: Connection) -> int | None:
        """The tree's epoch, its row locked for this transaction; None before the first."""
        found = connection.execute(self._held).scalar()
        return None if found is None else int(found)

    def change(self) -> int:
        """A number that differs when another process revoked or re-keyed."""
        with self.read() as connection:
            return self.change_in(connection)

    def change_in(self, connection: Connection) -> int:
        """The same, as the caller's connection sees it."""
        return int(connection.execute(self._change).scalar() or 0)

    def bump(self, connection: Connection, epoch: int | None = None) -> None:
        """Tell other processes; also moves to `epoch` when given."""
        values: dict[str, Any] = {"change": key_tree.c.change + 1} | ({"epoch": epoch} if epoch else {})
        connection.execute(update(key_tree).where(key_tree.c.jurisdiction == self.jurisdiction).values(values))

    def begin(self, connection: Connection) -> None:
        """The tree's row, at its first epoch."""
        connection.execute(insert(key_tree), {"jurisdiction": self.jurisdiction, "epoch": 1, "change": 1})

    def manifest(self, epoch: int | None = None) -> bytes | None:
        """The body of an epoch's manifest (None: the current one), or None when there is none."""
        with self.read() as connection:
            current = select(key_tree.c.epoch).where(key_tree.c.jurisdiction == self.jurisdiction).scalar_subquery()
            statement = select(key_manifest.c.body).where(
                key_manifest.c.jurisdiction == self.jurisdiction,
                key_manifest.c.epoch == (current if epoch is None else epoch),
            )
            return connection.execute(statement).scalar()

    def add_manifest(self, connection: Connection, epoch: int, digest: str, body: bytes) -> None:
        """Append the manifest of a new epoch."""
        row = {"jurisdiction": self.jurisdiction, "epoch": epoch, "digest": digest, "body": body}
        connection.execute(insert(key_manifest), row)

    def page(self, page: bytes) -> tuple[StoredPage, bytes] | None:
        """A page's row, or None."""
        with self.read() as connection:
            row = connection.execute(self._page, {"of": page.hex()}).first()
        return None if row is None else (StoredPage(*row[:-1]), bytes(row.content))

    def pages_of(self, pages: Sequence[bytes]) -> Iterator[tuple[StoredPage, bytes]]:
        """The rows of those pages that there are, in any order."""
        with self.read() as connection:
            for group in groups([page.hex() for page in pages]):
                for row in connection.execute(self._pages.where(key_page.c.page.in_(group))):
                    yield StoredPage(*row[:-1]), bytes(row.content)

    def pages(self, connection: Connection) -> list[StoredPage]:
        """Every page row of the tree, without content."""
        return [StoredPage(*row) for row in connection.execute(self._listed)]

    def place_pages(self, connection: Connection, placed: Iterable[StoredPage]) -> None:
        """Note where copies lie now. Raises `Conflict` when a page is not at that version any more."""
        self._each(connection, self._place, [{"of": one.page, "was": one.version, "to": one.pack} for one in placed])

    def write_pages(self, connection: Connection, writes: Iterable[PageWrite]) -> None:
        """Insert or replace page versions. Raises `Conflict` when one is not at the version it replaces."""
        fresh: list[dict[str, Any]] = []
        for one in writes:
            values = {column.name: getattr(one.stored, column.name) for column in _STORED} | {"content": one.content}
            if one.replaces:
                named = {"of": values.pop("page"), "was": one.replaces}
                _expect(connection.execute(self._replace, values | named), 1)
            else:
                fresh.append(values | {"jurisdiction": self.jurisdiction})
        if fresh:
            _ADD_PAGES.run(connection, fresh)

    def drop_pages(self, connection: Connection, pages: Iterable[StoredPage]) -> None:
        """Delete page versions. Raises `Conflict` when one is not at that version any more."""
        self._each(connection, self._drop, [{"of": one.page, "was": one.version} for one in pages])

    def discard_pages(self, connection: Connection, pages: Sequence[str]) -> None:
        """Delete pages that nothing leads to, whatever their version."""
        for group in groups(pages):
            connection.execute(delete(key_page).where(key_page.c.page.in_(group)))

    def _each(self, connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
        if rows:
            _expect(connection.execute(statement, rows), len(rows))


def groups(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """`values` in pieces that fit one IN list."""
    for start in range(0, len(values), _GROUP):
        yield values[start : start + _GROUP]


def changed() -> Conflict:
    """The optimistic write lost; the caller reads again and retries."""
    return Conflict("The key tree changed meanwhile; try again.", code="tree-changed")


def _expect(result: CursorResult[Any], rows: int) -> None:
    if result.rowcount != rows:
        raise changed()


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        if is_unique_violation(error):
            raise changed() from error
        raise Unavailable("The key tables cannot be used; nothing was done.", code="key-tables") from error
