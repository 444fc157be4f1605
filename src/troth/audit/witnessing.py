"""The log's side of witnesses: shows them each checkpoint, keeps what a quorum cosigned, stops when they object.

A checkpoint is cosigned before it is shown. When no quorum answers it is shown without, is offered again and again, and
whoever needs a witnessed checkpoint waits or is refused. What a witness says without a signature, a proxy before it can
say too: an objection is told and asked about again, as if the witness were away. Only when witnesses say again and
again that they cosigned more of a log than we hold, and no quorum is left without them, it was rolled back and stops.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from troth.audit import cosigned_notes, merkle, store
from troth.audit.checkpoint import Checkpoint
from troth.audit.cosignature import cosigned_at, with_signatures
from troth.audit.cosigned_notes import CosignedNote
from troth.audit.merkle import TileNodes
from troth.audit.meta import META, OPERATOR
from troth.audit.note import Note, NoteSignature, VerifierKey, parse_note
from troth.audit.tlog_policy import NONE, TlogPolicy
from troth.audit.witness import Submission
from troth.audit.witness_client import SIZE_TYPE, Answer, WitnessClient, require_address
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError, Invalid, Unavailable
from troth.kernel.scope import as_system
from troth.storage.database import Database

WITNESSED = (OPERATOR, META)  # the meta log vouches for those of the tenants
_ROUNDS = 3  # a witness says its size once; once more when somebody else was faster
_PAUSE_SECONDS, _LONGEST_PAUSE = 2.0, 60.0
_ASK_AGAIN_SECONDS = 0.25
_WAITING = 4  # operations that wait at a time; they hold worker threads that readers need
_REPEATED, _APART_SECONDS = 3, 1.0  # so often, and not within a moment, a witness says a larger size to be believed
_OBJECTS = "It knows more of this log, or another history, and objects."
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,17})\n\Z")


@dataclass(frozen=True, slots=True)
class WitnessState:
    """One witness of the policy: the newest size it cosigned, when (epoch ms, its clock), and what is wrong, if so."""

    name: str
    size: int | None
    at: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class WitnessedState:
    """One log: how far it is signed, how far a quorum cosigned it and when, and each witness.

    `objected` is true while no quorum is left without the witnesses that object.
    """

    log: str
    signed: int
    witnessed: int | None
    at: int | None
    witnesses: tuple[WitnessState, ...]
    objected: bool

    @property
    def met(self) -> bool:
        """True when the quorum cosigned all that is signed, if anything is, and does not object by now."""
        return not self.objected and (self.witnessed or 0) >= self.signed


@dataclass(slots=True)
class _Seen:
    """What we know of one witness about one log; `larger` counts how often in a row it said a size above ours."""

    size: int | None = None
    at: int | None = None
    fault: str | None = "It was not asked yet."
    objects: bool = False
    larger: int = 0
    counted: float = 0.0  # monotonic seconds

    def count(self) -> None:
        """A larger size was said; twice within a moment is once."""
        now = time.monotonic()
        if not self.larger or now >= self.counted + _APART_SECONDS:
            self.larger, self.counted = self.larger + 1, now


@dataclass(slots=True)
class _Round:
    """One checkpoint on its way around. `left` has the addresses that still have to answer."""

    log: str
    note: Note
    checkpoint: Checkpoint
    left: list[str]
    signatures: dict[VerifierKey, NoteSignature] = field(default_factory=dict)


class Witnessing:
    """Collects cosignatures for the operator log and the meta log."""

    def __init__(self, database: Database, policy: TlogPolicy, client: WitnessClient, clock: Clock) -> None:
        """Raises `Invalid` for a policy that needs no witness, or one that has no address."""
        self._database = database
        self._policy = policy
        self._client = client
        self._clock = clock
        self._keys: dict[str, list[VerifierKey]] = {}
        for one in policy.witnesses:
            if one.url is not None:
                self._keys.setdefault(require_address(one.url), []).append(one.key)
        if policy.quorum == NONE or not self._enough(set(self._keys)):
            raise Invalid("The witness policy needs a quorum of witnesses that have addresses.", code="witness-policy")
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_WAITING)
        self._seen = {(key, log): _Seen() for keys in self._keys.values() for key in keys for log in WITNESSED}
        self._pause = dict.fromkeys(WITNESSED, 0.0)
        self._due = dict.fromkeys(WITNESSED, 0.0)

    @as_system
    def begin(self) -> None:
        """Before anything is signed: show the newest checkpoints again, and learn whether the witnesses know more.

        Raises `IntegrityError` when they say so as often as it takes to believe them, which is asked here and now.
        """
        for log in WITNESSED:
            note, _ = self._shown(log)
            if note is not None:
                self._believe(log, note)

    @as_system
    def cosign(self, log: str, note: bytes, by: float | None = None) -> None:
        """Show a fresh checkpoint, unless the last one failed a moment ago. Raises `IntegrityError`.

        `by` (monotonic seconds) is how long it waits for others that ask; without, as long as it takes.
        """
        if log in WITNESSED and time.monotonic() >= self._due[log]:
            self._attempt(log, note, by)

    @as_system
    def vouched(self, meta_size: int, notes: Sequence[tuple[str, CosignedNote]]) -> None:
        """Keep tenants' checkpoints that the meta log of `meta_size` entries covers, if a quorum cosigned that one.

        While witnesses are away later, what they vouched for stays provable.
        """
        with self._database.write() as transaction:
            kept = cosigned_notes.find(transaction, META)
            if kept is not None and kept.size >= meta_size:
                cosigned_notes.replace(transaction, notes)

    @as_system
    def catch_up(self, by: float | None = None) -> None:
        """Offer what is shown and not cosigned, when it is time to. Raises `IntegrityError`."""
        for log in WITNESSED:
            note, lacking = self._shown(log)
            if note is not None and lacking:
                self.cosign(log, note, by)

    @contextmanager
    def turn(self, log: str, by: float) -> Iterator[None]:
        """Be one of the few that wait at a time. While `log` finds no quorum, nobody queues for that.

        Raises `Unavailable` (unwitnessed).
        """
        while not self._waiting.acquire(timeout=min(_ASK_AGAIN_SECONDS, remaining(by))):
            if self._pause[log] or time.monotonic() >= by:
                raise unwitnessed()
        try:
            yield
        finally:
            self._waiting.release()

    @as_system
    def require(self, log: str, by: float | None = None) -> None:
        """Wait until a quorum cosigned all of `log` that is signed by now, in a `turn`; without `by` only look.

        Raises `Unavailable` (unwitnessed) when it does not come in time, `IntegrityError` when the log is stopped.
        """
        if self._shown(log)[1] and (by is None or not self._waited(log, by)):
            raise unwitnessed()

    @as_system
    def state(self) -> tuple[WitnessedState, ...]:
        """For readiness, metrics and pages."""
        return tuple(self._state(log) for log in WITNESSED)

    def _state(self, log: str) -> WitnessedState:
        with self._database.read() as connection:
            head, kept = store.find_head(connection, log), cosigned_notes.find(connection, log)
        named = [(one.name, self._seen.get((one.key, log))) for one in self._policy.witnesses]
        seen = tuple(WitnessState(name, one.size, one.at, one.fault) for name, one in named if one is not None)
        signed = head.signed_size if head else 0
        objected = not self._enough({url for url in self._keys if not self._of(url, log).objects})
        return WitnessedState(log, signed, kept.size if kept else None, kept.at if kept else None, seen, objected)

    def _believe(self, log: str, note: bytes) -> None:
        for _ in range(_REPEATED):
            self._attempt(log, note)
            if self._enough_without(log, larger=1):
                return
            time.sleep(_APART_SECONDS)

    def _waited(self, log: str, deadline: float) -> bool:
        while True:
            note, lacking = self._shown(log)
            if note is None or not lacking or self._attempt(log, note, deadline):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_ASK_AGAIN_SECONDS)

    def _shown(self, log: str) -> tuple[bytes | None, bool]:
        """The newest checkpoint that readers get, and whether it lacks the quorum."""
        with self._database.read() as connection:
            head, kept = store.find_head(connection, log), cosigned_notes.find(connection, log)
        if head is None or head.checkpoint is None:
            return None, True
        return head.checkpoint, kept is None or kept.size < head.signed_size

    def _attempt(self, log: str, content: bytes, by: float | None = None) -> bool:
        """Ask around once; True when the quorum cosigned. Raises `IntegrityError`."""
        if not self._lock.acquire(timeout=remaining(by)):
            return False
        try:
            note = parse_note(content)
            going = _Round(log, note, Checkpoint.parse(note.text), list(self._keys))
            if self._newer(going):
                return True  # cosigned while this one waited for its turn
            for _ in range(_ROUNDS):
                bodies = [(url, self._body(going, url)) for url in going.left]
                for url, answer in zip(list(going.left), self._client.ask(bodies), strict=True):
                    self._take(going, url, answer)
                if not going.left:
                    break
            for url in going.left:
                self._blame(going, url, "It cosigned another checkpoint meanwhile.")
            met = self._kept(going)
            if met or time.monotonic() >= self._due[log]:  # who waits asks more often, and that is not counted
                self._pause[log] = 0.0 if met else min(max(2 * self._pause[log], _PAUSE_SECONDS), _LONGEST_PAUSE)
                self._due[log] = time.monotonic() + self._pause[log]
            self._require_agreement(going)
            return met
        finally:
            self._lock.release()

    def _newer(self, going: _Round) -> bool:
        with self._database.read() as connection:
            kept = cosigned_notes.find(connection, going.log)
        return kept is not None and kept.size > going.checkpoint.size

    def _body(self, going: _Round, url: str) -> bytes:
        """What a witness is asked: growth from the size that it knows, by its own word or by what it cosigned."""
        size = going.checkpoint.size
        with self._database.read() as connection:
            old = min(self._size(connection, going.log, url), size)
            head = store.head(connection, going.log)
            nodes = TileNodes(lambda level, tile: store.read_tile(connection, head.number, level, tile))
            proof = merkle.consistency(nodes, old, size) if 0 < old < size else []
        return Submission(old, tuple(proof), going.note, going.checkpoint).encode()

    def _size(self, connection: Connection, log: str, url: str) -> int:
        known = [self._seen[key, log].size for key in self._keys[url]]
        if known[0] is not None:
            return known[0]
        kept = cosigned_notes.find(connection, log)
        signers = {(one.name, one.key_id) for one in parse_note(kept.note).signatures} if kept else set()
        return kept.size if kept and (self._keys[url][0].name, self._keys[url][0].key_id) in signers else 0

    def _take(self, going: _Round, url: str, answer: Answer | None) -> None:
        """Read one answer. What a witness says counts only by its signature, or as an objection."""
        conflict = answer is not None and answer.status == 409
        size = _SIZE.match(answer.body) if answer and conflict and answer.media_type == SIZE_TYPE else None
        if size is not None and self._behind(going, url, int(size[1])):
            return  # asked again in this round
        going.left.remove(url)
        if answer is None:
            self._blame(going, url, "It does not answer.")
        elif answer.status == 200:
            self._collect(going, url, answer.body)
        elif conflict or answer.status == 422:
            self._blame(going, url, _OBJECTS, objects=True)
            for key in self._keys[url] if size else ():
                self._seen[key, going.log].count()
        else:
            self._blame(going, url, f"It answers with HTTP status {answer.status}.")

    def _behind(self, going: _Round, url: str, size: int) -> bool:
        """True when a witness can go on from the size it states; more than the log holds is an objection."""
        with self._database.read() as connection:
            present = store.head(connection, going.log).size
        if size > present:
            return False
        for key in self._keys[url]:
            self._seen[key, going.log].size, self._seen[key, going.log].larger = size, 0
        return True

    def _collect(self, going: _Round, url: str, lines: bytes) -> None:
        try:
            given = parse_note(going.note.text.encode() + b"\n" + lines).signatures
            for key in self._keys[url]:
                for one in given:
                    if (one.name, one.key_id) == (key.name, key.key_id):
                        key.verify(going.note.text, one.signature)
                        at = epoch_ms(cosigned_at(one))
                        self._seen[key, going.log] = _Seen(
                            going.checkpoint.size, at, None if at else "It has no clock."
                        )
                        going.signatures |= {key: one} if at else {}
        except IntegrityError as error:
            self._blame(going, url, error.advice)
            return
        if not any(key in going.signatures for key in self._keys[url]):
            self._blame(going, url, "It cosigned with other keys than the policy names.")

    def _blame(self, going: _Round, url: str, fault: str, *, objects: bool = False) -> None:
        for key in self._keys[url]:
            self._seen[key, going.log].fault, self._seen[key, going.log].objects = fault, objects

    def _kept(self, going: _Round) -> bool:
        """Keep the cosigned note when the quorum is met, whoever is missing."""
        try:
            self._policy.require_quorum(going.signatures)
        except IntegrityError:
            return False
        note = with_signatures(going.note, tuple(going.signatures.values())).encode()
        cosigned = CosignedNote(going.checkpoint.size, note, epoch_ms(self._clock.now()))
        with self._database.write() as transaction:
            cosigned_notes.keep(transaction, going.log, cosigned)
        return True

    def _require_agreement(self, going: _Round) -> None:
        if not self._enough_without(going.log, larger=_REPEATED):
            raise IntegrityError(
                f"Witnesses know more of the log {going.checkpoint.origin} than this installation holds, and say so "
                "again and again: it was restored from an older copy. Nothing more is signed; restore a newer copy.",
                code="fork",
            )

    def _enough_without(self, log: str, larger: int) -> bool:
        """True when a quorum is left without those that said a larger size so often."""
        return self._enough({url for url in self._keys if self._of(url, log).larger < larger})

    def _of(self, url: str, log: str) -> _Seen:
        return self._seen[self._keys[url][0], log]  # all keys of an address have answered together

    def _enough(self, urls: set[str]) -> bool:
        """True when the witnesses at these addresses can make the quorum."""
        try:
            self._policy.require_quorum([key for url in urls for key in self._keys[url]])
        except IntegrityError:
            return False
        return True


def remaining(by: float | None) -> float:
    """Seconds until then (monotonic), as the timeout of a lock: -1, without end, when there is no such moment."""
    return -1 if by is None else max(0.0, by - time.monotonic())


def unwitnessed() -> Unavailable:
    """The refusal while a quorum does not answer in time."""
    return Unavailable(
        "Too few witnesses of the audit log answer, and without them nothing is administered or destroyed; reading "
        "goes on. Tell the operator to bring the witnesses back, then ask again.",
        code="unwitnessed",
    )
