"""Promises about people's rights: what export shows and erasure drops is compared, table by table."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from sqlalchemy import LargeBinary, String, Table, func, or_, select

from troth.kernel.personal import Holding
from troth.promises.account import account
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe
from troth.promises.system import System
from troth.storage.database import metadata
from troth.vault.consent import TRAINING
from troth.vault.messages import Nothing

# The operations that give each right of the promise; a right without its operation is not kept.
_RIGHTS = {
    "export": "data.export",
    "delete": "erasure.own",
    "correct": "account.rectify",
    "restrict": "processing.restrict",
}
# Where the opaque id of a person may stay, which then resolves to nobody: the log of what was done, and the marks by
# which the key tree knows that keys were destroyed.
_STAYS = frozenset({"audit_entries", "outbox", "key_scope", "unit"})
_KINDS = frozenset({"account", "session", "api-key", "object", "consent"})


def _planted(system: System, tenant: str) -> tuple[Probe, str]:
    """A synthetic person with an account and something in every store; and their mark."""
    someone = account(system, tenant)
    system.vault.consents.grant(tenant, someone.person.subject, TRAINING, notice="self-check-1")
    someone.person.keep(someone.mark.encode(), name=f"{someone.mark}.txt")
    return someone.person, someone.mark


def _symmetric(system: System, forget: Callable[[Probe], object]) -> Facts:
    """Whatever holders know of the person is exported, and gone after an erasure; no table keeps the id."""
    with probe(system) as around:
        person, mark = _planted(system, around.tenant)
        try:
            known, archive = _holdings(person), _archive(person)
            outcomes = [holding.identifier in archive for holding in known]
            outcomes += [kind in {one.kind for one in known} for kind in _KINDS]
            outcomes += [archive.count(mark) >= 3, '"analytics": "aggregate"' in archive]
            forget(person)
            outcomes += [not _holdings(person), mark not in _archive(person)]
            outcomes += [count == 0 for count in _rows_left(system, person.subject).values()]
        finally:
            person.erase()
    return counted(outcomes)


def _holdings(person: Probe) -> list[Holding]:
    return [one for holder in person.system.vault.holders for one in holder.holdings(person.tenant, person.subject)]


def _archive(person: Probe) -> str:
    """All texts of the person's export, as one."""
    answer = person.run("data.export", Nothing())
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def _rows_left(system: System, subject: str) -> dict[str, int]:
    """Rows that carry the id, by table; places where it may stay apart."""
    found = {}
    for name, table in metadata.tables.items():
        columns = [column == subject for column in table.columns if _is_text(table, column.name)]
        if columns and name not in _STAYS:
            with system.base.database.read() as connection:
                count = select(func.count()).select_from(table).where(or_(*columns))
                found[name] = int(connection.execute(count).scalar_one())
    return found


def _is_text(table: Table, column: str) -> bool:
    kind = table.columns[column].type
    return isinstance(kind, String) and not isinstance(kind, LargeBinary)


def _vault_only(person: Probe) -> None:
    """The known-bad erasure: the files go, the account stays."""
    for info in person.system.vault.objects.list(person.tenant, person.subject):
        person.system.vault.objects.delete(person.tenant, person.subject, info.id)


def _offered(names: set[str]) -> Facts:
    return counted([operation in names for operation in _RIGHTS.values()])


CHECKS = (
    Check(
        "export-equals-erasure",
        ("RGT-02",),
        "A synthetic person has something in every store: all of it must be in the export, none of it left after an "
        "erasure, and no table may keep the opaque id but the logs and the key tree's marks of destroyed keys.",
        lambda system: _symmetric(system, Probe.erase),
        lambda system: _symmetric(system, _vault_only),
        every=6 * 3600,
    ),
    Check(
        "rights-have-operations",
        ("RGT-02",),
        "Each right that the promise names (export, delete, correct, restrict) must be an operation of this "
        "installation. How well each one works is for other checks.",
        lambda system: _offered({operation.name for operation in system.dispatcher.registry}),
        lambda _: _offered({"data.export"}),
    ),
)
