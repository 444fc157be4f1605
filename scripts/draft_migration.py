"""Draft the next migration from the difference between an empty, migrated database and the tables in the code.

Usage: python scripts/draft_migration.py REVISION "what changes". Read the draft before you commit it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config

import troth.wiring  # noqa: F401 - imports every table
from troth.storage import migrate
from troth.storage.database import Database


def main() -> None:
    revision, message = sys.argv[1:3]
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s")
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/draft.db")
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            command.revision(config, message, rev_id=revision, autogenerate=True)
        database.close()


if __name__ == "__main__":
    main()
