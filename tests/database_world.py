"""Empty databases of each kind that the tests can have."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from troth.storage.database import Database

SERVER = os.environ.get("TROTH_TEST_POSTGRES_URL")
DATABASES = ["sqlite", *(["postgresql"] if SERVER else [])]


@contextmanager
def fresh_url(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database; a PostgreSQL one is dropped at the end."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'fresh.db'}"
        return
    assert SERVER is not None
    name = f"t_{secrets.token_hex(8)}"
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty database."""
    with fresh_url(kind, folder) as url:
        database = Database(url)
        try:
            yield database
        finally:
            database.close()
