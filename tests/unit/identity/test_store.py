"""What lies on disk: no name, address, password, secret, code or token in clear."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, select

from troth.identity.keys import NewKey
from troth.storage.database import metadata
from unit.identity.world import World


def test_nothing_personal_or_secret_lies_in_clear(world: World) -> None:
    ada = world.settled(world.tenant().id, "member", email="ada.needle@example.org")
    session = world.sign_in(ada)
    key = world.keys.create(NewKey(ada.tenant, ada.id, "needle laptop", frozenset({"generate"})))
    needles = [
        ada.email,
        "needle",
        "Lovelace",
        ada.password,
        str(ada.secret),
        ada.recovery_codes[0],
        ada.recovery_codes[0].replace("-", ""),
        session.session.token,
        session.session.token.removeprefix("troth_st_"),
        session.device,
        key.token.rpartition("_")[2],
    ]
    kept = everything(world)
    assert ada.id.encode() in kept
    assert [needle for needle in needles if needle.encode() in kept] == []


def everything(world: World) -> bytes:
    """All bytes of the database: the files of SQLite with its log, or every value of every row of PostgreSQL."""
    if world.database.dialect == "sqlite":
        file = Path(str(world.database.engine.url.database))
        return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    present = set(inspect(world.database.engine).get_table_names())  # other tests may have imported other rooms
    tables = [table for table in metadata.sorted_tables if table.name in present]
    with world.database.read() as connection:
        values = (value for table in tables for row in connection.execute(select(table)) for value in row)
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
