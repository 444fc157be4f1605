"""What an object is, opened for its owner, and what its sealed bytes must say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from troth.kernel.data_class import DataClass
from troth.kernel.ids import id_bytes
from troth.vault import framing
from troth.vault.facts import SealedFacts
from troth.vault.store import Row

REGISTER_FILE: Final = "register-file"  # the kind of what is a part of a register's record, not its person's own


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What an object is, opened for its owner. `size` in bytes, times in epoch ms."""

    id: str
    kind: str
    data_class: DataClass
    media_type: str
    name: str
    size: int
    created_at: int
    expires_at: int | None
    derived_from: tuple[str, ...]


def described(row: Row, secret: SealedFacts, parents: tuple[str, ...]) -> ObjectInfo:
    """The outward form of a row and its opened facts."""
    return ObjectInfo(
        row.id,
        secret.kind,
        DataClass(row.data_class),
        secret.media_type,
        secret.name,
        secret.size,
        row.created_at,
        row.expires_at,
        parents,
    )


def facts_of(row: Row) -> framing.Facts:
    """What the sealed bytes of a row must say of themselves."""
    return framing.Facts(
        row.jurisdiction, DataClass(row.data_class), id_bytes(row.tenant), id_bytes(row.id), row.version
    )
