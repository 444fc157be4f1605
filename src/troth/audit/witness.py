"""A C2SP tlog-witness: cosigns a log's checkpoints as long as the log only grows.

The rules only; `http.witness` listens, `cli.witness` keeps the keys. For each log one record says what was cosigned
last. It is replaced by compare-and-swap before the cosignature is made, so two requests, two processes or a crash never
lead to cosignatures over two histories.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.audit.checkpoint import Checkpoint
from troth.audit.cosignature import Cosigner
from troth.audit.merkle import EMPTY_ROOT
from troth.audit.note import MAX_NOTE_BYTES, Note, VerifierKey, parse_note, require_signers
from troth.audit.signature_kinds import checkpoint_lines, decode_base64
from troth.audit.verify import verify_consistency
from troth.kernel.clock import Clock
from troth.kernel.errors import Conflict, Denied, IntegrityError, Invalid, Malformed, NotFound
from troth.storage.blobs import BlobStore

MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + (4 << 10)
MAX_EVIDENCE = 100  # forks that are kept; one is enough to convict a log
_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})\Z", re.ASCII)
_RECORD_BYTES = 2 * MAX_NOTE_BYTES


class OtherSize(Conflict):
    """The submitter's old size is not the one that was cosigned last; `size` is."""

    def __init__(self, size: int) -> None:
        super().__init__("The old size is not the newest that this witness cosigned.", code="witness-size")
        self.size = size


@dataclass(frozen=True, slots=True)
class Submission:
    """A request body: the size that the submitter thinks was cosigned last, a proof from there, the signed note."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, body: bytes) -> Submission:
        """Read a body. Raises `Malformed`."""
        head, separator, note = body.partition(b"\n\n")
        try:
            first, *lines = head.decode("ascii").split("\n")
            old = _OLD.match(first)
            if not separator or old is None or len(lines) > MAX_PROOF_LINES or len(body) > MAX_REQUEST_BYTES:
                raise _malformed()
            proof = tuple(decode_base64(line, "bad-request") for line in lines)
            parsed = parse_note(note)
            checkpoint = Checkpoint(*checkpoint_lines(parsed.text))
        except (UnicodeDecodeError, IntegrityError) as error:
            raise _malformed() from error
        if any(len(one) != 32 for one in proof):
            raise _malformed()
        return cls(int(old[1]), proof, parsed, checkpoint)

    def encode(self) -> bytes:
        """The body again."""
        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof)]
        return "\n".join(lines).encode() + b"\n\n" + self.note.encode()


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The newest checkpoint that was cosigned; `note` bears the log's signature, and is empty before the first."""

    size: int
    root: bytes
    note: bytes = b""

    def encode(self) -> bytes:
        """As it is kept."""
        return json.dumps({"size": self.size, "root": self.root.hex(), "note": self.note.decode()}).encode()

    @classmethod
    def decode(cls, content: bytes) -> Cosigned:
        """The reverse. Raises `IntegrityError` when the record is damaged: a witness must not guess."""
        try:
            members = json.loads(content)
            return cls(int(members["size"]), bytes.fromhex(members["root"]), members["note"].encode())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(
                "What this witness cosigned last cannot be read; retire it and make another with a new key.",
                code="witness-state",
            ) from error


class WitnessRecords:
    """What was cosigned, in a store with durable compare-and-swap. The record of a known log is never missing."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def begin(self, origin: str) -> None:
        """Make the first record of a log. Raises `Conflict` when there is one."""
        self._store.create(_name(origin), Cosigned(0, EMPTY_ROOT).encode())

    def last(self, origin: str) -> tuple[Cosigned, str]:
        """The record and its digest. Raises `IntegrityError` when it is lost: starting anew would permit a fork."""
        try:
            content = self._store.get(_name(origin), _RECORD_BYTES)
        except NotFound as error:
            raise IntegrityError(
                "What this witness cosigned last is lost; retire it and make another with a new key.",
                code="witness-state",
            ) from error
        return Cosigned.decode(content), hashlib.sha256(content).hexdigest()

    def move(self, origin: str, now: Cosigned, before: str) -> None:
        """Durable on return. Raises `Conflict` when another request was faster, `Unavailable`."""
        self._store.swap(_name(origin), now.encode(), before)

    def convict(self, origin: str, kept: bytes, shown: bytes) -> None:
        """Keep two notes by which a log contradicts itself, as far as there is room."""
        if sum(1 for _ in self._store.names("evidence/")) >= MAX_EVIDENCE:
            return
        content = json.dumps({"origin": origin, "cosigned": kept.decode(), "submitted": shown.decode()}).encode()
        name = f"evidence/{hashlib.sha256(content).hexdigest()}"
        try:
            self._store.create(name, content)
        except Conflict:
            return  # shown before


class Witness:
    """Cosigns for the logs it was told of, with all its keys."""

    def __init__(
        self,
        logs: Mapping[str, Sequence[VerifierKey]],
        records: WitnessRecords,
        cosigners: Sequence[Cosigner],
        clock: Clock,
    ) -> None:
        """`logs` are the trusted keys of each origin. Raises `IntegrityError` when a record is lost or damaged."""
        self._logs = logs
        self._records = records
        self._cosigners = cosigners
        self._clock = clock
        for origin in logs:
            records.last(origin)

    def add_checkpoint(self, body: bytes) -> bytes:
        """The cosignature lines for a request body, once the new state is durable.

        Raises, after the specification: `Malformed` (400), `NotFound` (404: unknown origin), `Denied` (403: no
        signature of a trusted key, or a bad one), `OtherSize` (409 with a size), `Conflict` (409: the same size with
        another root), `Invalid` (422: the proof does not hold).
        """
        asked = Submission.parse(body)
        self._require_signed(asked)
        if asked.old > asked.checkpoint.size:
            raise Malformed("The old size is larger than the checkpoint's.", code="bad-request")
        last, digest = self._records.last(asked.checkpoint.origin)
        if asked.old != last.size:
            raise OtherSize(last.size)
        self._require_growth(asked, last)
        now = Cosigned(asked.checkpoint.size, asked.checkpoint.root, asked.note.encode())
        at = int(self._clock.now().timestamp())  # before the record moves: at that moment nothing larger was cosigned
        try:
            self._records.move(asked.checkpoint.origin, now, digest)
        except Conflict as error:
            raise OtherSize(self._records.last(asked.checkpoint.origin)[0].size) from error
        return "".join(one.cosign(asked.note.text, at).line() for one in self._cosigners).encode()

    def _require_signed(self, asked: Submission) -> None:
        keys = self._logs.get(asked.checkpoint.origin)
        if keys is None:
            raise NotFound("This witness does not know the log; ask its owner to add it.", code="unknown-log")
        try:
            require_signers(asked.note, keys)
        except IntegrityError as error:
            raise Denied("The checkpoint is not signed by the key of its log.", code="not-the-log") from error

    def _require_growth(self, asked: Submission, last: Cosigned) -> None:
        new = asked.checkpoint
        if new.size == last.size and new.root != last.root:
            self._records.convict(new.origin, last.note, asked.note.encode())
            raise Conflict("This witness cosigned another root of that size: the log forked.", code="witness-fork")
        if last.size in (0, new.size):
            if asked.proof:
                raise Invalid("From this size on no proof is needed, and none is taken.", code="bad-consistency")
            return
        try:
            verify_consistency(Checkpoint(new.origin, last.size, last.root), new, asked.proof)
        except IntegrityError as error:
            raise Invalid("The proof does not show that the log only grew.", code="bad-consistency") from error


def _name(origin: str) -> str:
    return f"logs/{hashlib.sha256(origin.encode()).hexdigest()}"


def _malformed() -> Malformed:
    return Malformed("The body is not an add-checkpoint request of C2SP tlog-witness.", code="bad-request")
