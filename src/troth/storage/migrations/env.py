"""Alembic runs this for every command; it works on the connection that `migrate` hands over."""

from __future__ import annotations

from alembic import context

from troth.storage.database import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
context.run_migrations()
