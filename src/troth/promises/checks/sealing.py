"""Promises about content at rest: synthetic objects are kept, then looked for and tampered with in the real stores."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import func, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, Invalid
from troth.keys.tree import UnitKey
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.vault import framing
from troth.vault.objects import ObjectInfo
from troth.vault.store import objects as object_table

# One of each that the papers name: client data, prompts, uploads, outputs, then what runs the service.
KINDS = (
    ("client-data", DataClass.ACCOUNT),
    ("prompt", DataClass.USER_GENERATED),
    ("upload", DataClass.USER_GENERATED),
    ("output", DataClass.USER_GENERATED),
    ("answer", DataClass.USER_GENERATED),
    ("operational-record", DataClass.SYSTEM),
    ("commercial-record", DataClass.SYSTEM),
)
_CLASS_BYTE = 5  # of a TOB1 header
_COARSE = 2.0  # seconds that a file system's times may lag


def found_in(folders: Iterable[Path], needles: Iterable[bytes], since: float) -> set[bytes]:
    """The needles that stand in any file changed since a moment; fresh random needles cannot stand in older ones."""
    wanted, found = set(needles), set[bytes]()
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file() and path.stat().st_mtime >= since - _COARSE:
                    content = path.read_bytes()
                    found |= {needle for needle in wanted if needle in content}
            except FileNotFoundError:
                continue  # deleted meanwhile
    return found


def _sealed(system: System, leak: Callable[[bytes], object] = lambda _content: None) -> Facts:
    """For one sample of each kind: not in any file, header says AES-256-GCM, another tenant's key does not open it."""
    since, outcomes = time.time(), list[bool]()
    with probe(system) as person, probe(system, neighbour=True) as other:
        foreign = system.base.tree.key(bytes.fromhex(other.row(other.keep().id)["unit"]))
        needles = {kind: secrets.token_hex(16).encode() for kind, _ in KINDS}
        for kind, data_class in KINDS:
            leak(needles[kind])
            info = person.keep(b"probe " + needles[kind], kind=kind, data_class=data_class, name=needles[kind].decode())
            outcomes += _framed(person, info, foreign)
        system.base.database.checkpoint()
        found = found_in([system.base.settings.data.folder], needles.values(), since)
    return counted(outcomes + [needle not in found for needle in needles.values()])


def _framed(person: Probe, info: ObjectInfo, foreign: UnitKey) -> list[bool]:
    sealed = person.sealed(info.id)
    header = framing.read_header(sealed)
    posing = UnitKey(header.unit, header.generation, foreign.key)  # the other tenant's key under this object's name
    algorithm = sealed[4]
    return [
        algorithm == framing.ALGORITHM,
        len(person.system.base.tree.key(header.unit).key) == 32,
        refused(lambda: framing.open(sealed, header.facts, posing), IntegrityError, code="tob1-key"),
        info.name.encode() in person.open(info.id),
    ]


def _plaintext_store(system: System) -> Facts:
    """The known-bad fixture: a store that also keeps the content as it came, inside the data folder."""
    with tempfile.TemporaryDirectory(prefix="probe-", dir=system.base.settings.data.folder) as folder:
        careless = LocalBlobs(Path(folder))
        return _sealed(system, lambda content: careless.create(content.decode(), b"probe " + content))


def _classified(system: System, change: Callable[[bytes], bytes] = lambda sealed: sealed) -> Facts:
    """Objects without a class, rows of an unknown class, headers that say another class than the row, and heirs."""
    with probe(system) as person:
        outcomes = [refused(lambda: person.keep(data_class=None), Invalid, code="no-data-class")]
        for kind, data_class in KINDS:
            info = person.keep(kind=kind, data_class=data_class)
            outcomes.append(_says(change(person.sealed(info.id)), person.row(info.id)["data_class"]))
        prompt = person.keep(kind="prompt")
        heir = person.keep(kind="score", data_class=DataClass.SYSTEM, derived_from=(prompt.id,))
        outcomes.append(heir.data_class is DataClass.USER_GENERATED)
        known = object_table.c.data_class.in_([one.value for one in DataClass])
        with system.base.database.read() as connection:
            count = connection.execute(select(func.count()).select_from(object_table).where(~known)).scalar_one()
    return counted([*outcomes, count == 0])


def _says(sealed: bytes, data_class: str) -> bool:
    try:
        return framing.read_header(sealed).facts.data_class.value == data_class
    except IntegrityError:
        return False


def _another_class(sealed: bytes) -> bytes:
    """The known-bad fixture: a header whose class byte was changed."""
    return sealed[:_CLASS_BYTE] + bytes([sealed[_CLASS_BYTE] % 3 + 1]) + sealed[_CLASS_BYTE + 1 :]


Reader = Callable[[Probe, str], bytes]


def _bits(system: System, read: Reader) -> Facts:
    """Flip single bits of a stored object, one after the other: each must be found by the next reading."""
    with probe(system) as person:
        info = person.keep(b"probe " * 50)
        name, whole = person.row(info.id)["blob"], person.sealed(info.id)
        places = [*range(0, framing.HEADER, 11), framing.HEADER, len(whole) // 2 + 80, len(whole) - 1]
        outcomes = []
        for place in places:
            flipped = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            _replace(system.base.objects, name, flipped)
            outcomes.append(refused(lambda: read(person, info.id), IntegrityError))
        _replace(system.base.objects, name, whole[:-1])
        outcomes.append(refused(lambda: read(person, info.id), IntegrityError))
        _replace(system.base.objects, name, whole)
        outcomes.append(not refused(lambda: read(person, info.id)))
        outcomes.append(not refused(system.base.tree.verify))
    return counted(outcomes)


def _replace(blobs: LocalBlobs, name: str, content: bytes) -> None:
    blobs.delete(name)
    blobs.create(name, content)


def _without_tags(person: Probe, object_id: str) -> bytes:
    """The known-bad reader: it gives the bytes as they lie there, as a store without authentication does."""
    return person.sealed(object_id)[framing.HEADER : -framing.TAG]


CHECKS = (
    Check(
        "sealed-at-rest",
        ("CRY-02", "CLS-04"),
        "One synthetic sample of each kind of data is kept: neither content nor name may stand in any file of the data "
        "folder, headers must say AES-256-GCM, another tenant's key must not open it. A database server's own files "
        "and the memory of the process are not looked at.",
        _sealed,
        _plaintext_store,
        every=6 * 3600,
    ),
    Check(
        "classified",
        ("CLS-01",),
        "Keeping without a class must be refused, a derived object must take the strictest class of its sources, "
        "header and row must agree for each kind, and no row of this installation may be without a class.",
        _classified,
        lambda system: _classified(system, _another_class),
        every=6 * 3600,
    ),
    Check(
        "one-flipped-bit",
        ("MON-09",),
        "Single bits of a stored synthetic object are flipped all over it and its end is cut: each reading must "
        "refuse, and every page of the key tree must verify. Objects that nobody reads are not scrubbed yet.",
        lambda system: _bits(system, lambda person, object_id: person.open(object_id)),
        lambda system: _bits(system, _without_tags),
        every=6 * 3600,
    ),
)
