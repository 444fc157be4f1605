"""A key as its owner sees it: its limits in clear, when it ends, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from troth.kernel.personal import PersonalFields

WARNED_MS = 7 * 24 * 3600 * 1000  # from so long before its end a key "ends soon"
KEY_NAME, KEY_NETWORKS = "api-key-name", "api-key-networks"  # labels of the sealed fields


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as its owner sees it. Times in epoch milliseconds.

    `state`: active | ends-soon | replaced (goes on until its end) | ended | lapsed. `lapses_at`: when it ends if nobody
    uses it. `refused_at`: when it was last shown from a network that it is not limited to.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...] | None
    models: tuple[str, ...] | None
    created_at: int
    expires_at: int
    used_at: int | None
    replaced_by: str | None
    refused_at: int | None
    lapses_at: int
    state: str


def shown(fields: PersonalFields, owner: tuple[str, str], row: Row[Any], now: int, idle_ms: int) -> KeyInfo:
    """The key of a row, opened for its owner (tenant and person). Raises `Gone` for an erased one."""
    networks = None
    if row.networks is not None:
        networks = tuple(fields.open(*owner, KEY_NETWORKS, row.networks).decode().split())
    lapses_at = lapse(row.created_at, row.used_at, idle_ms)
    return KeyInfo(
        id=row.id,
        name=fields.open(*owner, KEY_NAME, row.name).decode(),
        scopes=tuple(row.scopes.split()),
        networks=networks,
        models=None if row.models is None else tuple(row.models.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        replaced_by=row.replaced_by,
        refused_at=row.refused_at,
        lapses_at=lapses_at,
        state=_state(now, row.expires_at, lapses_at, replaced=row.replaced_by is not None),
    )


def lapse(created_at: int, used_at: int | None, idle_ms: int) -> int:
    """When a key that goes on unused lapses."""
    return max(created_at, used_at or 0) + idle_ms


def _state(now: int, expires_at: int, lapses_at: int, *, replaced: bool) -> str:
    if now >= expires_at:
        return "ended"
    if now >= lapses_at:
        return "lapsed"
    if replaced:
        return "replaced"
    return "ends-soon" if now >= min(expires_at, lapses_at) - WARNED_MS else "active"
