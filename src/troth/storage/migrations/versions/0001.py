"""The first schema. It is data (`0001.yaml`), frozen when it was released; later changes are files of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
import yaml
from alembic import op

from troth.storage.database import Big, metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    _schema().create_all(op.get_bind())


def downgrade() -> None:
    """Drop every table."""
    _schema().drop_all(op.get_bind())


def _schema() -> sa.MetaData:
    schema = sa.MetaData(naming_convention=metadata.naming_convention)
    described = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    for name, table in described.items():
        sa.Table(name, schema, *_columns(table["columns"]), *_constraints(table), *_indexes(table))
    return schema


def _columns(columns: dict[str, str]) -> list[sa.Column[Any]]:
    made = []
    for name, text in columns.items():
        kind, *flags = text.split()
        counted: bool | Literal["auto"] = True if "counted" in flags else "auto"
        primary = "primary" in flags
        nullable = not primary and "required" not in flags
        made.append(sa.Column(name, _type(kind), primary_key=primary, autoincrement=counted, nullable=nullable))
    return made


def _type(kind: str) -> Any:
    sized = re.fullmatch(r"string\((\d+)\)", kind)
    if sized:
        return sa.String(int(sized[1]))
    return {
        "big": Big,
        "integer": sa.Integer(),
        "text": sa.Text(),
        "bytes": sa.LargeBinary(),
        "boolean": sa.Boolean(),
    }[kind]


def _constraints(table: dict[str, Any]) -> list[sa.Constraint]:
    unique: list[sa.Constraint] = [sa.UniqueConstraint(*columns) for columns in table.get("unique", [])]
    foreign = [
        sa.ForeignKeyConstraint(one["columns"], one["refers"], ondelete=one["ondelete"])
        for one in table.get("foreign", [])
    ]
    return [*unique, *foreign]


def _indexes(table: dict[str, Any]) -> list[sa.Index]:
    return [
        sa.Index(one["name"], *one["columns"], unique=one["unique"], **_partial(one.get("where")))
        for one in table.get("indexes", [])
    ]


def _partial(where: str | None) -> dict[str, Any]:
    return {} if where is None else {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
