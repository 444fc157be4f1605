"""Promises about people's rights: export and erasure compared table by table, and each right really exercised."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pyotp
from sqlalchemy import LargeBinary, String, Table, func, or_, select

from troth.identity.messages import AccountRectify
from troth.identity.messages import Nothing as AccountNothing
from troth.identity.privacy import PrivacySettings
from troth.kernel.errors import TrothError, Unauthenticated
from troth.kernel.personal import Holding
from troth.promises.account import Account, account
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.storage.database import metadata
from troth.vault.consent import TRAINING
from troth.vault.holding_messages import Restrict
from troth.vault.messages import EraseOwn, Nothing
from troth.vault.rights.messages import RequestFile, StatementAdd

# Where the opaque id of a person may stay, which then resolves to nobody: the log of what was done, and the marks by
# which the key tree knows that keys were destroyed.
_STAYS = frozenset({"audit_entries", "outbox", "key_scope", "unit"})
_KINDS = frozenset("account session api-key object shows-me consent restriction request statement objection".split())
_NOTICE = "self-check-1"
Do = Callable[[Probe, str, Any], Any]


def _planted(system: System, tenant: str) -> Account:
    """A synthetic person with an account and something in every store."""
    someone = account(system, tenant)
    person, mark = someone.person, someone.mark
    system.vault.consents.grant(tenant, person.subject, TRAINING, notice=_NOTICE)
    person.keep(mark.encode(), name=f"{mark}.txt")
    person.run("request.file", RequestFile(kind="access", text=mark))
    person.run("request.file", RequestFile(kind="objection", purpose="analytics"))
    person.run("statement.add", StatementAdd(about="account", text=mark))
    PrivacySettings(system.base.database).change(person.subject, "analytics", "aggregate")
    return someone


def _symmetric(system: System, forget: Callable[[Probe], object]) -> Facts:
    """Whatever holders know of the person is exported, and gone after an erasure; no table keeps the id."""
    with probe(system) as around:
        someone = _planted(system, around.tenant)
        person, mark = someone.person, someone.mark
        around.keep(b"it shows somebody else", shown=(person.subject,))
        person.run("processing.restrict", Restrict(reason="accuracy-contested"))
        person.run("processing.resume", Nothing())
        try:
            known, archive = _holdings(person), _archive(person)
            outcomes = [holding.identifier in archive for holding in known]
            outcomes += [kind in {one.kind for one in known} for kind in _KINDS]
            outcomes += [archive.count(mark) >= 5, '"analytics": "aggregate"' in archive]
            forget(person)
            outcomes += [_kept(lambda: not _holdings(person)), _kept(lambda: mark not in _archive(person))]
            outcomes += [count == 0 for count in _rows_left(system, person.subject).values()]
        finally:
            person.erase()
    return counted(outcomes)


def _holdings(person: Probe) -> list[Holding]:
    return [one for holder in person.system.vault.holders for one in holder.holdings(person.tenant, person.subject)]


def _archive(person: Probe) -> str:
    """All texts of the person's export, as one."""
    return _texts(person.run("data.export", Nothing()).content)


def _texts(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
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


def _exercised(system: System, do: Do) -> Facts:
    """One synthetic person uses each right through the operations that every door offers."""
    with probe(system) as around:
        someone = _planted(system, around.tenant)
        try:
            looks = (_exports, _corrects, _objects_to_a_use, _restricts, _deletes)
            return counted([_kept(partial(look, someone, do)) for look in looks])
        finally:
            someone.person.erase()


def _kept(look: Callable[[], bool]) -> bool:
    """A refusal, or an operation that is not there, is a right that is not kept."""
    try:
        return look()
    except TrothError:
        return False


def _exports(someone: Account, do: Do) -> bool:
    answer = do(someone.person, "data.export", Nothing())
    return answer is not None and someone.mark in _texts(answer.content)


def _corrects(someone: Account, do: Do) -> bool:
    """A new name is shown and exported, the old one is neither; a wrong code changes nothing."""
    person, base = someone.person, someone.person.system.base
    code = pyotp.TOTP(someone.totp).at(base.clock.now())
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    false = AccountRectify(totp=wrong, display_name="Wrong")
    guarded = refused(lambda: person.run("account.rectify", false), Unauthenticated, code="totp-wrong")
    do(person, "account.rectify", AccountRectify(totp=code, display_name="Corrected Name"))
    shown = person.run("account.show", AccountNothing())
    return guarded and shown.display_name == "Corrected Name" and "Corrected Name" in _archive(person)


def _objects_to_a_use(someone: Account, do: Do) -> bool:
    """Consent that stood ends at once, and none can be given while the person says no."""
    person, consents = someone.person, someone.person.system.vault.consents
    do(person, "request.file", RequestFile(kind="objection", purpose="training"))
    again = refused(lambda: consents.grant(person.tenant, person.subject, TRAINING, notice=_NOTICE), code="objected")
    return again and consents.valid(person.tenant, person.subject, TRAINING) is None


def _restricts(someone: Account, do: Do) -> bool:
    """While restricted nothing opens and nothing new is kept, but the copy can be taken; afterwards all works again."""
    person = someone.person
    kept = person.keep(b"restricted").id
    do(person, "processing.restrict", Restrict(reason="accuracy-contested"))
    stopped = refused(lambda: person.open(kept), code="restricted")
    stopped = stopped and refused(lambda: person.keep(b"more"), code="restricted")
    held = someone.mark in _archive(person)
    do(person, "processing.resume", Nothing())
    return stopped and held and person.open(kept) == b"restricted"


def _deletes(someone: Account, do: Do) -> bool:
    do(someone.person, "erasure.own", EraseOwn(confirm="erase everything about me"))
    return not _holdings(someone.person)


def _run(person: Probe, name: str, request: Any) -> Any:
    return person.run(name, request)


def _nothing_happens(_person: Probe, _name: str, _request: Any) -> Any:
    """The known-bad rights: every button is there, and none does anything."""
    return None


CHECKS = (
    Check(
        "export-equals-erasure",
        ("RGT-02",),
        "A synthetic person has something in every store: all of it must be in the export, none of it left after an "
        "erasure, and no table may keep the opaque id but the logs and the key tree's marks of destroyed keys.",
        lambda system: _symmetric(system, Probe.erase),
        lambda system: _symmetric(system, _vault_only),
        every=6 * 3600,
        scope="what is held about one synthetic person, in all tables",
        population="holdings in the export, and tables after the erasure",
    ),
    Check(
        "rights-act",
        ("RGT-02",),
        "A synthetic person takes a copy, corrects their name with a one-time code, objects to training, restricts all "
        "use and lifts it, and is erased: each must really change what the others see. Requests that an officer must "
        "answer are for other checks.",
        lambda system: _exercised(system, _run),
        lambda system: _exercised(system, _nothing_happens),
        every=6 * 3600,
        scope="the rights of one synthetic person",
        population="rights exercised",
    ),
)
