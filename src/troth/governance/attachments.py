"""Files of records: sealed in the vault, named in the record's chain, and gone with the person whom they are about.

A file is an entry of its record (`attach`), so that its digest stands in the chain and in the log; taking it away is
one too (`detach`). Its bytes lie under the person whom the texts of the record are about, else under nobody's.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from troth.gateway.intake.evidence import admit_evidence
from troth.gateway.wire.upload import Upload
from troth.governance.forms.form import Form
from troth.governance.moves import ANYBODY, By
from troth.governance.people import ACCOUNT, People
from troth.governance.records import ATTACH, DETACH, Event, Record, content_digest
from troth.governance.registers import Registers
from troth.governance.sealing import SUBJECT, sealed
from troth.governance.store import Written
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Gone, IntegrityError, Invalid, NotFound, TooLarge
from troth.kernel.ids import id_from_bytes
from troth.kernel.operation import Binary
from troth.vault.object_info import REGISTER_FILE
from troth.vault.objects import KeepRequest, Objects

MOST: Final = 20  # of one record at a time
_MOST_EVER: Final = 100  # so that moves have room among the entries that a record may have
_LARGEST: Final = 256 << 20  # bytes of the files of one export
PREPARED: Final = frozenset({"configuration.json", "changes.json"})  # of a form with snapshots: the system's own
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # zip's first moment; the same data gives the same archive


@dataclass(frozen=True, slots=True)
class File:
    """A file of a record. `size` in bytes, `sha256` in hex, `at` in epoch ms; `owner`: under whose key it is."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    at: int
    actor: str
    owner: str


@dataclass(frozen=True, slots=True)
class Attachments:
    """Files of the records of registers. `objects` is asked for when a file is kept or opened."""

    registers: Registers
    objects: Callable[[], Objects]

    def attach(self, by: By, form: str, record: str, upload: Upload, *, about: str | None = None) -> File:
        """Keep a file for a record. `about`: the field that names whom it is about, else that of the record's texts.

        Raises NotFound(record-not-found), Denied(wrong-role, prepared-only), Conflict(kept-elsewhere, record-full,
        not-now, restricted), Invalid(two-people, bad-field), what `admit_evidence` raises, Gone for who was erased,
        and PreconditionFailed(stale-record).
        """
        rules, found, past = self._mine(by, form, record)
        if len(_files(past)) >= MOST or sum(one.move == ATTACH for one in past) >= _MOST_EVER:
            raise Conflict(f"A record has at most {MOST} files; open another one.", code="record-full")
        owner = self._owner(rules, found, by.tenant, about)
        admitted = admit_evidence(upload.filename, upload.media_type, upload.content)
        _may(by, rules, admitted.name)
        chosen = secrets.token_bytes(16)
        file = File(
            id=id_from_bytes("obj", chosen), name=admitted.name, media_type=admitted.media_type,
            size=len(admitted.content), sha256=hashlib.sha256(admitted.content).hexdigest(),
            at=epoch_ms(self.registers.clock.now()), actor=by.actor, owner=owner,
        )  # fmt: skip
        row = self._entry(by, rules, found, ATTACH, _told(file))
        about_it = REGISTER_FILE, file.media_type, file.name, admitted.content
        request = KeepRequest(by.tenant, owner, DataClass.ACCOUNT, *about_it, request=by.call, identifier=chosen)
        self.objects().keep(
            request, beside=lambda connection, _: self.registers.go_on(connection, by, rules, found, row)
        )
        return file

    def all(self, by: By, form: str, record: str) -> tuple[tuple[File, bool], ...]:
        """The files of a record, oldest first, each with whether it can still be opened. Raises as `Registers.show`."""
        rules = self.registers.form(by.tenant, form)
        self.registers.may_read(by, rules)
        _, past, _ = self.registers.read(by.tenant, rules, record)
        return tuple((one, self._here(by.tenant, one)) for one in _files(past).values())

    def open(self, by: By, form: str, record: str, file: str) -> tuple[File, bytes]:
        """A file. Raises NotFound(record-not-found, file-not-found), Denied, Gone, Conflict(restricted),
        IntegrityError(register-chain) when it is not the one that the record names."""
        rules = self.registers.form(by.tenant, form)
        self.registers.may_read(by, rules)
        _, past, _ = self.registers.read(by.tenant, rules, record)
        found = _named(past, file)
        return found, self._content(by.tenant, found)

    def detach(self, by: By, form: str, record: str, file: str) -> None:
        """Erase a file in one step with its entry, so that the history keeps it.

        Raises as `attach`, and NotFound(file-not-found), Conflict(held) under a legal hold, Conflict(not-now) for a
        record that has ended.
        """
        rules, found, past = self._mine(by, form, record)
        wanted = _named(past, file)
        _may(by, rules, wanted.name)
        if rules.states[found.state].end:
            raise Conflict("The record has ended, and what it rests on stays.", code="not-now")
        row = self._entry(by, rules, found, DETACH, {"file.id": wanted.id, "file.owner": wanted.owner})

        def enter(connection: Connection, _: str) -> None:
            self.registers.go_on(connection, by, rules, found, row)

        try:
            self.objects().delete(by.tenant, wanted.owner, wanted.id, request=by.call, beside=enter)
        except (Gone, NotFound):  # erased before, so that only the entry is left to make
            with self.registers.database.write() as connection:
                enter(connection, wanted.id)

    def bundle(self, by: By, form: str, register: Binary) -> Binary:
        """The register as it is given out, with its files, as a zip. Raises TooLarge(export-too-long)."""
        rules, left = self.registers.form(by.tenant, form), _LARGEST
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            _put(archive, register.filename or form, register.content)
            for record, past in self.registers.whole(by.tenant, rules.name):
                for one in _files(past).values():
                    left -= one.size
                    if left < 0:
                        raise TooLarge(
                            f"The files of this register have more than {_LARGEST >> 20} MB; take them one by one.",
                            code="export-too-long",
                        )
                    if self._here(by.tenant, one):
                        _put(archive, f"files/{record.id}/{one.id}", self._content(by.tenant, one))
        return Binary(out.getvalue(), "application/zip", f"{form}.zip")

    def _mine(self, by: By, form: str, record: str) -> tuple[Form, Record, tuple[Event, ...]]:
        """A record that the caller may write to."""
        rules = self.registers.form(by.tenant, form)
        self.registers.may_read(by, rules)
        if rules.opened is None:
            raise Conflict("This register shows what another room keeps; keep files there.", code="kept-elsewhere")
        roles = {role for move in (rules.opened, *rules.moves.values()) for role in move.roles}
        if ANYBODY not in roles and not by.roles & roles:
            raise Denied(f"Files of this register are for: {', '.join(sorted(roles))}.", code="wrong-role")
        found, past, _ = self.registers.read(by.tenant, rules, record)
        return rules, found, past

    def _owner(self, form: Form, found: Record, tenant: str, about: str | None) -> str:
        """Under whom a file is sealed, as texts are."""
        texts = {one.of[0] for one in form.fields.values() if one.of and one.single in ("text", "long")}
        if about is not None and (about not in form.fields or form.fields[about].kind != "person"):
            raise Invalid("A file is about somebody whom a field of this register names.", field="about",
                          code="bad-field")  # fmt: skip
        people = {str(found.raw[name]) for name in ({about} if about else texts) if found.raw.get(name)}
        if len(people) > 1:
            raise Invalid("Say by a field whom the file is about.", code="two-people", field="about")
        if not people:
            return SUBJECT
        owner = People(self.registers.database, self.registers.fields, tenant).account(people.pop())
        if not owner.startswith(ACCOUNT):
            says = "The file is about somebody without an account, so it would not go with them; enter it in staff."
            raise Conflict(says, code="not-now")
        return owner

    def _entry(self, by: By, form: Form, found: Record, move: str, values: dict[str, Any]) -> Written:
        salt, owner = secrets.token_bytes(32), str(values["file.owner"])
        event = Event(
            form=form.name, form_version=form.version, record=found.id, sequence=found.sequence + 1,
            at=epoch_ms(self.registers.clock.now()), actor=by.actor, move=move, state=found.state, values=values,
            salt=salt, digest=content_digest(salt, values), previous=found.head,
        )  # fmt: skip
        return Written(event, sealed(self.registers.fields, by.tenant, owner, event), owner, None)

    def _here(self, tenant: str, file: File) -> bool:
        try:
            return self.objects().usable(tenant, file.owner, file.id)
        except NotFound:  # its row went with the person whom it was about
            return False

    def _content(self, tenant: str, file: File) -> bytes:
        _, content = self.objects().open(tenant, file.owner, file.id, filed=True)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            says = "A file is not the one that its record names; restore it from a backup and look who changed it."
            raise IntegrityError(says, code="register-chain")
        return content


def _may(by: By, form: Form, name: str) -> None:
    """Raises Denied(prepared-only) for a file that the system alone puts there and takes away."""
    if form.snapshots and name in PREPARED and not by.prepares:
        raise Denied("The system keeps this file itself; give yours another name.", code="prepared-only")


def _told(file: File) -> dict[str, Any]:
    """What the entry says; no field has a dot in its name."""
    told = {"id": file.id, "name": file.name, "type": file.media_type, "bytes": file.size, "sha256": file.sha256,
            "owner": file.owner}  # fmt: skip
    return {f"file.{name}": one for name, one in told.items()}


def _files(past: Sequence[Event]) -> dict[str, File]:
    """The files of a record by id, oldest first: attached and not taken away, and not forgotten with a person."""
    found: dict[str, File] = {}
    for event in past:
        told = event.values or {}
        if event.move == ATTACH and "file.id" in told:
            id_, name, kind, size, digest, owner = (
                told[f"file.{one}"] for one in ("id", "name", "type", "bytes", "sha256", "owner")
            )
            found[id_] = File(id_, name, kind, size, digest, event.at, event.actor, owner)
        elif event.move == DETACH:
            found.pop(str(told.get("file.id")), None)
    return found


def _named(past: Sequence[Event], file: str) -> File:
    found = _files(past).get(file)
    if found is None:
        raise NotFound("The record has no such file; list its files.", code="file-not-found")
    return found


def _put(archive: zipfile.ZipFile, path: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content)
