"""What happened since the newest backup: the entries and checkpoints of the logs, and the ledger of erasures.

A tail goes on from a backup and replaces the tail before it. It is signed like a manifest, and written last like one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, delete, insert, update

from troth.backup import places, rows
from troth.backup.chunks import Chunks
from troth.backup.locations import Location
from troth.backup.logs import LogCopy, checked, opened
from troth.backup.manifest import Manifest, Part, as_json
from troth.kernel.errors import IntegrityError, NotFound, TrothError
from troth.kernel.signer import Signer
from troth.storage.database import metadata
from troth.vault.dsse import sign_envelope, verify_envelope

PAYLOAD = "application/vnd.troth.backup-tail.v1+json"
FOLDER = "tails"
_DIGITS = 13
_LARGEST = 16 << 20  # bytes of a signed tail
DAY_MS = 24 * 3600 * 1000
# Decisions about data: whole tables, for what was taken out of them is gone. Of the rest only what ended meanwhile.
DECISIONS = """erasure erasure_step erasure_decision erasure_certificate vault_hold vault_consent vault_objection
    vault_concern vault_retention_rule vault_rule_change vault_request vault_request_notice vault_request_closing
    vault_statement key_suspension vault_subject vault_restriction""".split()
ENDED = ("key_scope", "unit", "vault_object")

_Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class Tail(BaseModel):
    """Times in epoch milliseconds. `base` is the backup that it goes on from; `since` is when that one looked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, Field(pattern=r"^bak_[a-z2-7]{26}$")]
    made_at: _Count
    installation: Annotated[str, Field(max_length=256)]
    jurisdiction: Literal["us", "eu", "au"]
    base: Annotated[str, Field(pattern=r"^bak_[a-z2-7]{26}$")]
    since: _Count
    logs: Annotated[str, Field(max_length=512)]
    rows: list[Annotated[str, Field(max_length=512)]]
    parts: list[Part]

    @property
    def file(self) -> str:
        """Its name in a place; names sort by age."""
        return f"{FOLDER}/{self.made_at:0{_DIGITS}d}-{self.id}"


@dataclass(frozen=True, slots=True)
class HeldTail:
    """A tail as one place holds it."""

    location: Location
    tail: Tail
    parts: dict[str, Part] = field(repr=False)

    def piece(self, name: str, chunks: Chunks) -> bytes:
        """One of its pieces, opened. Raises `IntegrityError`."""
        if name not in self.parts:
            raise IntegrityError("The tail of the log names a piece that it does not list.", code="backup-tail")
        return places.piece(self.location, self.parts[name], chunks)

    def whole(self, chunks: Chunks) -> bool:
        """True when its place gives every piece as it was signed."""
        try:
            return all(self.piece(name, chunks) is not None for name in self.parts)
        except TrothError:
            return False


@dataclass(frozen=True, slots=True)
class LogTail:
    """The end of one log: its checkpoint, and its bundles from number `first` on."""

    log: str
    note: bytes = field(repr=False)
    first: int = 0
    bundles: tuple[str, ...] = ()


def sign(tail: Tail, signer: Signer) -> bytes:
    """The envelope."""
    return sign_envelope(tail.model_dump(mode="json"), PAYLOAD, signer)


def files(location: Location) -> list[str]:
    """The tails of a place, newest first."""
    return sorted(location.store.names(f"{FOLDER}/"), reverse=True)


def held(location: Location, file: str, keys: Mapping[str, bytes]) -> HeldTail:
    """One tail. Raises `NotFound`, `IntegrityError` for another's signature, name, place or shape."""
    envelope = location.store.get(file, _LARGEST)
    try:
        tail = Tail.model_validate(verify_envelope(envelope, PAYLOAD, keys))
    except ValidationError as error:
        raise IntegrityError(
            "A tail of the log has a shape that this version does not know.", code="backup-tail"
        ) from error
    if tail.file != file or tail.jurisdiction != location.jurisdiction:
        raise IntegrityError("A tail of the log stands under another's name.", code="backup-tail")
    return HeldTail(location, tail, {part.name: part for part in tail.parts})


def newest(location: Location, keys: Mapping[str, bytes]) -> HeldTail | None:
    """The newest tail of a place that holds; None where there is none, or the place is away."""
    try:
        for file in files(location):
            try:
                return held(location, file, keys)
            except (IntegrityError, NotFound):
                continue
    except TrothError:
        return None
    return None


def begun(manifest: Manifest) -> int:
    """The moment that a backup certainly had not looked before (epoch ms)."""
    return manifest.begun_at if manifest.begun_at is not None else max(0, manifest.made_at - DAY_MS)


def index(ends: list[LogTail]) -> bytes:
    """The list of logs as one plaintext piece."""
    listed = [{"log": one.log, "note": one.note.decode(), "first": one.first, "bundles": one.bundles} for one in ends]
    return as_json(listed)


def read_index(content: bytes) -> list[LogTail]:
    """The inverse of `index`. Raises `IntegrityError`."""
    try:
        found = json.loads(content)
        return [LogTail(one["log"], one["note"].encode(), int(one["first"]), tuple(one["bundles"])) for one in found]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError("The list of logs in a tail cannot be read.", code="backup-tail") from error


def entries(
    one: HeldTail, end: LogTail, before: LogCopy | None, read: Callable[[str], bytes], chunks: Chunks
) -> tuple[LogCopy, list[bytes]]:
    """A log up to the checkpoint in a tail; `before` is its copy in a backup, whose pieces `read` opens.

    Raises `IntegrityError` unless its entries lead to the signed root.
    """
    earlier = before.bundles[: end.first] if before else ()
    if len(earlier) < end.first:
        raise IntegrityError("The backup that a tail goes on from is not there.", code="backup-tail")
    found: list[bytes] = []
    for number, name in enumerate((*earlier, *end.bundles)):
        content = read(name) if number < end.first else one.piece(name, chunks)
        found += opened(end.log, number, content)
    copy = LogCopy(end.log, end.note)
    return copy, checked(copy, found)


def copied(connection: Connection, since: int, now: int) -> Iterator[rows.Piece]:
    """The ledger as it is, and what ended between two moments (epoch ms)."""
    for name in DECISIONS:
        if (table := metadata.tables.get(name)) is not None:
            yield from rows.pieces_of(connection, table)
    for name in ENDED:
        table = metadata.tables[name]
        yield from rows.pieces_of(connection, table, _meanwhile(name, since, now))


def apply(connection: Connection, contents: list[bytes]) -> None:
    """Bring the rows of a backup up to a tail's. Raises `IntegrityError`."""
    read = [rows.read(content) for content in contents]
    for table in {one.name: one for one, _ in read if one.name in DECISIONS}.values():
        connection.execute(delete(table))
    for table, found in read:
        if table.name in DECISIONS:
            if found:
                connection.execute(insert(table), found)
        elif table.name in ENDED:
            for row in found:
                _put(connection, table, row)
        else:
            raise IntegrityError("A tail holds rows that do not belong there.", code="backup-tail")


def _put(connection: Connection, table: Any, row: dict[str, Any]) -> None:
    row.pop("seq", None)
    keys = [table.c.id] if "id" in table.c else list(table.primary_key.columns)
    same = [column == row[column.name] for column in keys]
    changed = connection.execute(update(table).where(*same).values(row)).rowcount
    if not changed and table.name == "key_scope":
        connection.execute(insert(table), row)


def _meanwhile(name: str, since: int, now: int) -> Any:
    """Which rows ended meanwhile; of shared objects all, for owners may have left them."""
    columns = metadata.tables[name].c
    if name != "vault_object":
        return columns.changed_at >= since
    ended = columns.state.in_(("closed", "dropping")) | (columns.erased_at >= since)
    return ended | columns.expires_at.between(since, now) | columns.shared.is_(True)
