"""The meta log: its leaves are digests of signed tenant checkpoints, so one witness quorum covers every tenant. Pure.

A digest says nothing of the tenant, neither its name nor its size: the note under it holds an Ed25519 signature that
nobody guesses. So the meta log is public, and a tenant shows its own place in it by showing its checkpoint.
"""

from __future__ import annotations

import hashlib

from troth.audit.note import Note, VerifierKey, parse_note
from troth.kernel.errors import IntegrityError

META = "meta"
OPERATOR = "operator"


def covered(log: str) -> bool:
    """True for the logs whose checkpoints the meta log holds: those of tenants."""
    return log not in (META, OPERATOR)


def leaf_of(note: bytes, key: VerifierKey) -> bytes:
    """The meta log's entry for a signed checkpoint: SHA-256 over its text, an empty line and the log's own signature.

    Lines of other keys (cosignatures) do not count: they come later and may be many. 32 bytes. Raises `IntegrityError`
    when the log's own signature is not there exactly once; it is not verified here.
    """
    parsed = parse_note(note)
    own = [one for one in parsed.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    if len(own) != 1:
        raise IntegrityError("A checkpoint in the meta log bears its log's signature once.", code="bad-checkpoint")
    return hashlib.sha256(Note(parsed.text, (own[0],)).encode()).digest()


def key_of(log_key: VerifierKey) -> VerifierKey:
    """The meta log's key of the installation that `log_key` is of. Raises `IntegrityError` for a foreign name."""
    host, separator, log = log_key.name.rpartition("/log/")
    if not separator or not host or not log:
        raise IntegrityError("The name of a log's key has the shape <host>/log/<log>.", code="bad-key")
    return VerifierKey(f"{host}/log/{META}", log_key.public_key)
