"""Databases of a PostgreSQL server as wholes: making an empty one, and one taking the name of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from troth.kernel.errors import Conflict, Unavailable

_THERE = text("SELECT 1 FROM pg_database WHERE datname = :name")
_BEGINNING = text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)")
_BUSY = "55006"  # object_in_use


class Databases:
    """The databases of a server, as a role that may create them and is a member of their owner (`url`) changes them.

    Every method raises `Unavailable` (no-administrator) when the role may not, or the server is away.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def create(self, name: str, owner: str) -> None:
        """An empty database."""
        with self._connection("AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {_quoted(connection, name)} OWNER {_quoted(connection, owner)}"))

    def drop(self, name: str) -> None:
        """Remove a database, when it is there."""
        with self._connection("AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {_quoted(connection, name)} WITH (FORCE)"))

    def there(self, name: str) -> bool:
        """True when the server has a database of that name."""
        with self._connection() as connection:
            return connection.scalar(_THERE, {"name": name}) is not None

    def beginning(self, prefix: str) -> list[str]:
        """The names of databases that begin so, sorted."""
        with self._connection() as connection:
            return sorted(connection.scalars(_BEGINNING, {"prefix": prefix}))

    def swap(self, fresh: str, live: str, aside: str) -> None:
        """`fresh` gets the name `live`, and what had it is then `aside`; in one transaction, and once done, nothing.

        Raises `Conflict` (still-running) while somebody is connected to either.
        """
        with self._connection() as connection, connection.begin():
            if connection.scalar(_THERE, {"name": fresh}) is None:
                return
            if connection.scalar(_THERE, {"name": live}) is not None:
                _rename(connection, live, aside)
            _rename(connection, fresh, live)

    @contextmanager
    def _connection(self, isolation: str = "READ COMMITTED") -> Iterator[Connection]:
        engine = create_engine(self._url, isolation_level=isolation, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if getattr(getattr(error, "orig", None), "sqlstate", None) == _BUSY:
                raise Conflict(
                    "Somebody is still connected to the database; stop every server, then go live.",
                    code="still-running",
                ) from error
            raise Unavailable(
                "The database server did not let this role make or rename a database; see --database-admin-url.",
                code="no-administrator",
            ) from error
        finally:
            engine.dispose()


def named(url: str) -> str:
    """The name of the database in a URL."""
    return make_url(url).database or ""


def role(url: str) -> str:
    """The role in a URL."""
    return make_url(url).username or ""


def renamed(url: str, name: str) -> str:
    """The same URL with another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _rename(connection: Connection, name: str, new: str) -> None:
    connection.execute(text(f"ALTER DATABASE {_quoted(connection, name)} RENAME TO {_quoted(connection, new)}"))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
