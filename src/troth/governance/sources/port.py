"""The port by which a register shows what another room keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from troth.governance.forms.form import Form
from troth.governance.records import FIRST, Record, typed
from troth.kernel.ids import id_from_bytes
from troth.vault.rights.clocks import Calendar


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing as its room keeps it. `values` as in JSON, by the names of the form's fields; times in epoch ms."""

    id: str
    state: str
    opened_at: int
    values: Mapping[str, Any]
    changed_at: int | None = None


class Source(Protocol):
    """A room that keeps the records of one register."""

    @property
    def of_service(self) -> bool:
        """Whether they are kept once for all tenants: then the house alone sees them."""
        ...

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:
        """All of a tenant, or of the service; `now` in epoch ms. Every query names the tenant."""
        ...


def as_record(form: Form, kept: Kept) -> Record:
    """The record that it makes. What the form cannot read counts as missing."""
    known = {name: one for name, one in kept.values.items() if name in form.fields and one is not None}
    return Record(
        form=form.name, id=kept.id, state=kept.state, raw=known, values=typed(form, known), opened_at=kept.opened_at,
        changed_at=kept.opened_at if kept.changed_at is None else kept.changed_at, sequence=1, head=FIRST,
        entered={kept.state: kept.opened_at},
    )  # fmt: skip


def named(prefix: str, *parts: str) -> str:
    """An id for what has none of the usual form: the same for the same parts."""
    return id_from_bytes(prefix, hashlib.sha256("\0".join(parts).encode()).digest()[:16])


def day(at: int | None, home: Calendar) -> str | None:
    """The day of a moment (epoch ms), as fields of days have it."""
    return None if at is None else home.day(datetime.fromtimestamp(at / 1000, UTC)).isoformat()


def moment(at: int | None) -> str | None:
    """A moment (epoch ms), as fields of moments have it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(one: date | None) -> str | None:
    """A day as fields have it."""
    return None if one is None else one.isoformat()
