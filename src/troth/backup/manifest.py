"""What a backup says of itself: a signed manifest over a hash tree of all its parts. No I/O.

The index lists every part (name, size, SHA-256) in sorted order, cut into sealed pieces; the manifest names those
pieces and the RFC 6962 root over the lines. It is a DSSE envelope signed by the installation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from troth.audit.merkle import Frontier, leaf_hash
from troth.kernel.errors import IntegrityError
from troth.kernel.signer import Signer
from troth.vault.dsse import sign_envelope, verify_envelope

PAYLOAD = "application/vnd.troth.backup-manifest.v1+json"
FOLDER = "manifests"
PROOFS = "proofs"
OBJECTS = "objects"
LINES = 1024  # of the index in one piece
_DIGITS = 13  # of a time in file names, so that they sort by age until the year 2286

_Id = Annotated[str, Field(pattern=r"^bak_[a-z2-7]{26}$")]
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, Field(max_length=512)]
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Part(_Strict):
    """One stored file of the backup: its name in the place, bytes, and SHA-256 in hex."""

    name: _Name
    size: _Count
    sha256: _Hex

    @property
    def line(self) -> str:
        return f"{self.sha256} {self.size} {self.name}"


class TableCopy(_Strict):
    """The pieces that hold a table's rows, in order."""

    table: Annotated[str, Field(max_length=64)]
    rows: _Count
    pieces: list[_Name]


class Index(_Strict):
    """The list of all parts: how many, the root over their lines, the pieces that hold the lines."""

    parts: _Count
    root: _Hex
    pieces: list[Part]


class Manifest(_Strict):
    """Everything that a backup claims. Times in epoch milliseconds; `begun_at`: before it looked at the database."""

    id: _Id
    made_at: _Count
    begun_at: _Count | None = None
    tool: Annotated[str, Field(max_length=64)]
    installation: Annotated[str, Field(max_length=256)]
    jurisdiction: Literal["us", "eu", "au"]
    previous: _Hex | None
    schema_revision: Annotated[str, Field(max_length=32)]
    tables: list[TableCopy]
    logs: list[_Name]
    checkpoint: Annotated[str, Field(max_length=20_000)]
    epoch: _Count
    key_manifest: Annotated[str, Field(max_length=64)]
    index: Index
    objects: _Count
    bytes: _Count

    @property
    def file(self) -> str:
        """Its name in a place; names sort by age."""
        return f"{FOLDER}/{self.made_at:0{_DIGITS}d}-{self.id}"


def named(file: str) -> tuple[int, str]:
    """When a backup was made (epoch ms) and its id, as its manifest's file is called."""
    moment, _, backup = file.rpartition("/")[2].partition("-")
    return int(moment) if moment.isdecimal() else 0, backup


def digest_of(envelope: bytes) -> str:
    """What the audit log remembers of a manifest: SHA-256 of the envelope, hex."""
    return hashlib.sha256(envelope).hexdigest()


def sign(manifest: Manifest, signer: Signer) -> bytes:
    """The envelope."""
    return sign_envelope(manifest.model_dump(mode="json"), PAYLOAD, signer)


def read(envelope: bytes, file: str, keys: Mapping[str, bytes]) -> Manifest:
    """The manifest in the file of that name.

    Raises `IntegrityError` for another's signature, another's content (such as an older manifest under a newer name)
    or another shape.
    """
    try:
        manifest = Manifest.model_validate(verify_envelope(envelope, PAYLOAD, keys))
    except ValidationError as error:
        raise IntegrityError(
            "A backup manifest has another shape than this version knows.", code="backup-shape"
        ) from error
    if manifest.file != file:
        raise IntegrityError("A backup manifest stands under another's name.", code="backup-swapped")
    return manifest


def index_pieces(parts: Sequence[Part]) -> list[bytes]:
    """The lines of sorted parts as plaintext pieces."""
    lines = [part.line for part in parts]
    return ["\n".join(lines[at : at + LINES]).encode() for at in range(0, len(lines), LINES)]


def read_index(index: Index, pieces: Iterable[bytes]) -> list[Part]:
    """The parts. Raises `IntegrityError` unless they are as many, sorted, and lead to the root."""
    parts = [_part(line) for piece in pieces for line in piece.decode().splitlines()]
    names = [part.name for part in parts]
    if len(parts) != index.parts or names != sorted(set(names)) or root_of(parts) != index.root:
        raise IntegrityError("The list of parts does not lead to the root in the manifest.", code="backup-index")
    return parts


def root_of(parts: Iterable[Part]) -> str:
    """The RFC 6962 root over the parts' lines, hex."""
    tree = Frontier()
    for part in parts:
        tree.append(leaf_hash(part.line.encode()))
    return tree.root().hex()


def part(name: str, content: bytes) -> Part:
    """The part of these bytes."""
    return Part(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def as_json(value: object) -> bytes:
    """Plain JSON in one line, members sorted: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _part(line: str) -> Part:
    try:
        digest, size, name = line.split(" ", 2)
        return Part(name=name, size=int(size), sha256=digest)
    except (ValueError, ValidationError) as error:
        raise IntegrityError("A line of the list of parts cannot be read.", code="backup-index") from error
