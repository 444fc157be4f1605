"""Looking at a backup as if it were needed: every byte of every part, the signature, and its place in the log."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from troth.audit.leaf import read_leaf
from troth.audit.verify import verify_proof
from troth.backup import places
from troth.backup.chunks import FOLDER, Chunks
from troth.backup.locations import Location
from troth.backup.manifest import OBJECTS, PROOFS, Manifest
from troth.backup.places import Held
from troth.backup.source import Progress, quiet
from troth.kernel.errors import IntegrityError, NotFound, TrothError
from troth.vault import framing

_PROOF_BYTES = 64 << 10  # a leaf and one hash for each level of the log
MADE = "backup.made"  # the entry in the operators' log that remembers a manifest's digest


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that held in one place. `logged`: its digest is proven to stand in the operators' log."""

    backup: str
    place: str
    digest: str
    made_at: int
    parts: int
    bytes: int
    logged: bool


class Verifying:
    """Checks backups. `log_key` is the operators' log's verifier key (C2SP vkey text)."""

    def __init__(self, chunks: Chunks, keys: dict[str, bytes], log_key: str, jurisdiction: str) -> None:
        self._chunks = chunks
        self._keys = keys
        self._log_key = log_key
        self._jurisdiction = jurisdiction

    @property
    def chunks(self) -> Chunks:
        """What opens the pieces."""
        return self._chunks

    def verify(self, location: Location, backup: str | None = None, progress: Progress = quiet) -> Verified:
        """The backup of that id, or the newest. Raises `NotFound`; `IntegrityError` when anything does not hold."""
        return self.verified(places.chosen(location, self._keys, backup), progress)

    def verified(self, one: Held, progress: Progress = quiet) -> Verified:
        """The same for a backup that was chosen already."""
        broken = self.broken(one, progress)
        if broken:
            raise IntegrityError(
                f"{len(broken)} of {one.manifest.index.parts} parts of the backup are missing or changed here; "
                "use another place, and back up again.",
                code="backup-broken",
            )
        manifest = one.manifest
        logged = self._logged(one)
        parts = manifest.index.parts
        return Verified(
            manifest.id, one.location.name, one.digest, manifest.made_at, parts, manifest.bytes, logged=logged
        )

    def broken(self, one: Held, progress: Progress = quiet) -> list[str]:
        """Names of the parts that do not hold. Raises `IntegrityError` when not even the index can be read."""
        self._require_ours(one.manifest)
        found: list[str] = []
        parts = places.parts_of(one, self._chunks)
        for done, (part, content) in enumerate(places.contents(one.location, parts.values()), 1):
            try:
                if isinstance(content, IntegrityError):
                    raise content
                if part.name.startswith(f"{FOLDER}/"):
                    self._chunks.open(part.name, content)
                if part.name.startswith(f"{OBJECTS}/"):
                    self._require_home(content)
            except IntegrityError:
                found.append(part.name)
            progress("verify", done, len(parts))
        named = [name for table in one.manifest.tables for name in table.pieces] + one.manifest.logs
        return found + [name for name in named if name not in parts]

    def _require_ours(self, manifest: Manifest) -> None:
        if manifest.jurisdiction != self._jurisdiction or manifest.installation not in self._keys:
            raise IntegrityError("The backup is of another installation or jurisdiction.", code="backup-foreign")

    def _require_home(self, sealed: bytes) -> None:
        """The header of an object says for which jurisdiction it was sealed; other bytes are no object at all."""
        try:
            home = framing.read_header(sealed).facts.jurisdiction
        except TrothError as error:
            raise IntegrityError("A stored object is none.", code="backup-part") from error
        if home != self._jurisdiction:
            raise IntegrityError("An object of another jurisdiction is in the backup.", code="backup-foreign")

    def _logged(self, one: Held) -> bool:
        """True with a proof; False when the place has none. Raises `IntegrityError` for one that does not hold."""
        try:
            document = one.location.store.get(proof_name(one.manifest), _PROOF_BYTES)
        except NotFound:
            return False
        try:
            members = json.loads(document)
            leaf, proof = base64.b64decode(members["leaf"]), str(members["proof"])
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError("The backup's proof cannot be read.", code="backup-proof") from error
        try:
            verify_proof(proof, leaf, self._log_key)
        except IntegrityError as error:
            raise IntegrityError("The backup's proof does not lead to the signed log.", code="backup-proof") from error
        said = read_leaf(leaf)
        facts = said.get("facts", {})
        if (said.get("op"), facts.get("backup"), facts.get("digest")) != (MADE, one.manifest.id, one.digest):
            raise IntegrityError("The backup's proof is about another backup.", code="backup-proof")
        return True


def proof_name(manifest: Manifest) -> str:
    """Where a place keeps the proof that the log remembers this backup."""
    return manifest.file.replace("manifests/", f"{PROOFS}/", 1)


def require_newest(held: Sequence[Held], logged: dict[str, str]) -> None:
    """Raises `IntegrityError` when the log remembers a newer backup than a place shows, or another digest.

    `logged` are digests by backup id, of backups that were not pruned.
    """
    shown = {one.manifest.id: one.digest for one in held}
    missing = [backup for backup in logged if backup not in shown]
    other = [backup for backup, digest in logged.items() if shown.get(backup, digest) != digest]
    if missing or other:
        raise IntegrityError(
            f"The log remembers {len(missing)} backups that this place does not show and {len(other)} that differ: "
            "it was rolled back or replaced.",
            code="backup-rolled-back",
        )
