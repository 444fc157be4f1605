"""Promises about content at rest: synthetic objects are kept, then looked for and tampered with in the real stores."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, Invalid
from troth.keys.tree import UnitKey
from troth.promises.account import Account, account, changed, chunks, forms, found_in, rows_of
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.storage.placement import MARKER, UNREADABLE, placed_folder
from troth.vault import framing
from troth.vault.deadlines import DAY_MS
from troth.vault.objects import ObjectInfo
from troth.vault.scrubbing import Look
from troth.vault.store import objects as object_table
from troth.vault.tables import Row, row_of

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
_TEMPORARY_DEPTH = 2  # folders below the process's temporary folder that are looked into


def _sealed(system: System, leak: Callable[[bytes], object] = lambda _content: None) -> Facts:
    """For one sample of each kind, and an account: nowhere in clear, AES-256-GCM, closed to another tenant's key."""
    since, outcomes, data = time.time(), list[bool](), system.base.settings.data.folder
    with probe(system) as person, probe(system, neighbour=True) as other:
        foreign = system.base.tree.key(bytes.fromhex(other.row(other.keep().id)["unit"]))
        someone = account(system, person.tenant)
        try:
            mark = someone.mark.encode()  # of everything that is kept here, so that one search finds all
            for kind, data_class in KINDS:
                content = mark + kind.encode()
                leak(content)
                info = person.keep(b"probe " + content, kind=kind, data_class=data_class, name=content.decode())
                outcomes += _framed(person, info, foreign)
            outcomes += _account_sealed(system, someone, mark)
            system.base.database.checkpoint()
            temporary = found_in([Path(tempfile.gettempdir())], [mark], since, deep=_TEMPORARY_DEPTH)
            outcomes += [not found_in([data], [mark], since), not temporary, _all_framed(data / "objects", since)]
        finally:
            someone.person.erase()
    return counted(outcomes)


def _account_sealed(system: System, someone: Account, mark: bytes) -> list[bool]:
    """No column of any of the account's rows has address, name or password hash in clear."""
    rows = [row for rows in rows_of(system, someone.person.subject).values() for row in rows]
    values = [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row.values()]
    clear = [*forms(mark), *forms(b"$argon2")]
    return [not any(one in value for one in clear) for value in values]


def _all_framed(folder: Path, since: float) -> bool:
    """True when whatever was written to the object store says that it is sealed, and something was.

    The store's own marker of where it lies (`storage.placement`) is no object: a start may have just written it.
    """
    marker = None if placed_folder(folder) == UNREADABLE else folder / MARKER
    files = [path for path in changed([folder], since) if path != marker and not path.name.startswith(".")]
    written = [next(chunks(path), b"") for path in files]
    return bool(written) and all(content.startswith(framing.MAGIC) for content in written)


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
        return _sealed(system, lambda content: careless.create(content.decode(), content))


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


def _scrubbed(system: System, examine: Callable[[Row], Look]) -> Facts:
    """A flipped bit of a synthetic object is found; no object of the installation is found changed; rounds end."""
    scrub = system.vault.scrub
    if scrub.standing().began_at == 0:
        scrub.run()
    with probe(system) as person:
        found = person.row(person.keep(b"probe " * 50).id)
        row, name = row_of(found), found["blob"]
        whole = system.base.objects.get(name)
        outcomes = [examine(row).code is None]
        for place in (framing.HEADER - 1, framing.HEADER, len(whole) - 1):
            _replace(system.base.objects, name, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            outcomes.append(examine(row).code is not None)
        _replace(system.base.objects, name, whole)
    now = scrub.standing()
    late = epoch_ms(system.base.clock.now()) - (now.ended_at or now.began_at) > 2 * scrub.days * DAY_MS
    return counted([*outcomes, now.findings == 0, not late])


def _sizes_only(row: Row) -> Look:
    """The known-bad scrub: it asks whether something lies there."""
    return Look(len(row.blob or ""))


CHECKS = (
    Check(
        "sealed-at-rest",
        ("CRY-02", "CLS-04"),
        "A synthetic sample of each kind and an account are kept: no content, name or address may stand in the data "
        "folder, temporary folder or a row, plain, in hex or base64; every stored object is AES-256-GCM and closed to "
        "other tenants' keys. A database server's files and memory are not looked at.",
        _sealed,
        _plaintext_store,
        every=6 * 3600,
        scope="data folder, temporary folder, and synthetic objects",
        population="seals of objects, values in rows, and folders searched",
    ),
    Check(
        "classified",
        ("CLS-01",),
        "Keeping without a class must be refused, a derived object must take the strictest class of its sources, "
        "header and row must agree for each kind, and no row of this installation may be without a class.",
        _classified,
        lambda system: _classified(system, _another_class),
        every=6 * 3600,
        scope="synthetic objects of each kind, and all rows of objects",
        population="objects kept or refused, and one count over all rows",
    ),
    Check(
        "one-flipped-bit",
        ("MON-09",),
        "Single bits of a stored synthetic object are flipped all over it and its end is cut: each reading must "
        "refuse, and every page of the key tree must verify. Objects that nobody reads are for the check `scrubbed`.",
        lambda system: _bits(system, lambda person, object_id: person.open(object_id)),
        lambda system: _bits(system, _without_tags),
        every=6 * 3600,
        scope="one synthetic object, and the pages of the key tree",
        population="readings of the object, changed and whole",
    ),
    Check(
        "scrubbed",
        ("MON-09",),
        "The scrub must find single flipped bits of a synthetic object; it must have found none in this installation's "
        "own objects, and its last whole round must not be older than two rounds. Of objects whose key is exposed and "
        "not replaced yet, nothing but their presence is looked at.",
        lambda system: _scrubbed(system, system.vault.scrub.examine),
        lambda system: _scrubbed(system, _sizes_only),
        every=6 * 3600,
        scope="the scrub: one synthetic object, findings, last round",
        population="looks at the object, findings here, and the last round",
    ),
)
