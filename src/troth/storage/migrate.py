"""Bring a database to the present schema. Alembic (half a second to import) is loaded only when there is work."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from troth.storage.watching import unwatch, watch

HEAD = "0036"  # the newest file in migrations/versions; a test compares them


def current(database: Database) -> str | None:
    """The revision the database stands at, or None for an empty one."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(revision) if revision else None


def upgrade(database: Database) -> None:
    """Run what is missing, in one transaction. Does nothing when the schema is up to date."""
    if current(database) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with database.write(SYSTEM) as connection:  # migrations may touch the rows of every tenant
        config.attributes["connection"] = connection
        unwatch(connection)  # a revision may rebuild the table that they write to
        command.upgrade(config, "head")
        watch(connection)
