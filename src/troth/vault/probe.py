"""Tries to open what was erased, with everything this system still has; success is the failure to report."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from troth.kernel.errors import Gone, IntegrityError, NotFound
from troth.kernel.uses import SERVICE
from troth.keys.tree import Use
from troth.vault import endings, framing
from troth.vault.ground import Ground
from troth.vault.object_info import facts_of
from troth.vault.store import Row, objects

MAX_KEYS = 1_000  # keys asked for; more would only repeat the answer of the same row and the same root
MAX_OBJECTS = 64  # ciphertexts read and tried


class Probe:
    """The attempt after a destruction, before the ciphertext is deleted."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def attempt(self, which: ColumnElement[bool]) -> dict[str, int]:
        """Counts of what was tried and refused of these rows. Raises `IntegrityError` when anything opens."""
        with self._ground.database.read() as connection:
            units = endings.units_of(connection, which, MAX_KEYS)
            rows = endings.page_of(connection, and_(which, objects.c.blob.is_not(None)), limit=MAX_OBJECTS)
        for unit in units:
            self._key_refused(bytes.fromhex(unit))
        tried = sum(self._object_refused(row) for row in rows)
        return {
            "keys_tried": len(units),
            "keys_refused": len(units),
            "objects_tried": tried,
            "objects_refused": tried,
        }

    def _object_refused(self, row: Row) -> int:
        """1 when the ciphertext was there and did not open; 0 when it is deleted already."""
        try:
            sealed = self._ground.blobs.get(row.blob or "")
        except NotFound:
            return 0
        try:
            unit = self._ground.tree.key(framing.read_header(sealed).unit, Use.PRIVACY)
            self._ground.opened(sealed, facts_of(row), unit, SERVICE)
        except (Gone, NotFound):
            return 1
        raise _failed()

    def _key_refused(self, unit: bytes) -> None:
        try:
            self._ground.tree.key(unit, Use.PRIVACY)  # for whom the most opens
        except (Gone, NotFound):
            return
        raise _failed()


def _failed() -> IntegrityError:
    return IntegrityError(
        "Something that was erased can still be opened; no certificate is issued. Tell the operator at once.",
        code="erasure-failed",
    )
