"""C2SP tlog-policy: which logs and witnesses somebody trusts, and how many of them must agree. Pure; a verifier's.

A policy is a text of lines: `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> any|all|<k> <name>...`
and one `quorum <name>`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from troth.audit.checkpoint import Checkpoint
from troth.audit.note import VerifierKey, parse_note, require_signers, verified_signers
from troth.audit.signature_kinds import COSIGNATURE_ML_DSA_44, COSIGNATURES, ED25519
from troth.kernel.errors import IntegrityError, Malformed

MAX_BYTES = 256 << 10
MAX_LOGS = 64
MAX_WITNESSES = 32  # so that a note with all of them, each by two keys, stays within `note.MAX_SIGNATURES`
MAX_GROUPS = 32
NONE = "none"
_LOG_KEYS = frozenset({ED25519, COSIGNATURE_ML_DSA_44})  # tlog-checkpoint: also ML-DSA-44 by the cosignature format
_OCTETS = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*\Z")
_WHITESPACE = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,4}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log whose checkpoints are accepted; the key's name is the log's origin."""

    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness under the name that the policy gives it; `url` is its submission prefix."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TlogPolicy:
    """Groups stand in the order of their lines: each speaks of names before it only."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    quorum: str
    groups: tuple[_Group, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> TlogPolicy:
        """Read a policy. Raises `Malformed`, whose `field` names the line."""
        if len(content) > MAX_BYTES:
            raise Malformed("A witness policy has at most 256 KiB.", code="bad-policy")
        if not _OCTETS.match(content):
            raise Malformed("A witness policy holds no control characters but tabs and newlines.", code="bad-policy")
        reading = _Reading()
        # Octets beyond ASCII are opaque: surrogateescape maps different ones to different texts.
        for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
            words = [word for word in _WHITESPACE.split(line) if word]
            if words and not words[0].startswith("#"):
                reading.number = number
                reading.line(words)
        return reading.policy()

    def require(self, content: bytes, *, log: VerifierKey | None = None) -> Checkpoint:
        """The checkpoint of a note that a log signed and the quorum cosigned. Raises `IntegrityError`.

        `log` is the one log that the caller expects, when that follows from elsewhere; otherwise any log of the policy
        will do. A bad signature of a known key rejects the note, whoever else signed.
        """
        note = parse_note(content)
        signers = require_signers(note, [log] if log else [one.key for one in self.logs])
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin not in {one.name for one in signers}:
            raise IntegrityError("The checkpoint is of another log than the key.", code="wrong-log")
        self.require_quorum(verified_signers(note, [one.key for one in self.witnesses]))
        return checkpoint

    def require_quorum(self, signers: Collection[VerifierKey]) -> None:
        """Raise `IntegrityError` unless witnesses with these keys make the quorum."""
        if self.quorum == NONE:
            return
        agreed = {one.name for one in self.witnesses if one.key in signers}
        for group in self.groups:
            if sum(member in agreed for member in group.members) >= group.threshold:
                agreed.add(group.name)
        if self.quorum not in agreed:
            raise IntegrityError(
                "Not enough witnesses of the policy cosigned this checkpoint; ask for a newer one.", code="no-quorum"
            )


@dataclass(slots=True)
class _Reading:
    """What was read so far; `number` is the line that is being read."""

    number: int = 0
    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    quorum: str | None = None

    def line(self, words: list[str]) -> None:
        keyword, *rest = words
        read = {"log": self.log, "witness": self.witness, "group": self.group, "quorum": self.choose}.get(keyword)
        if read is None:
            raise self.bad("begins with none of log, witness, group and quorum")
        read(rest)

    def log(self, words: list[str]) -> None:
        key, url = self.key_and_url(words, _LOG_KEYS, (one.key for one in self.logs))
        self.within(self.logs, MAX_LOGS)
        self.logs.append(PolicyLog(key, url))

    def witness(self, words: list[str]) -> None:
        name = self.name(words)
        key, url = self.key_and_url(words[1:], COSIGNATURES, (one.key for one in self.witnesses))
        self.within(self.witnesses, MAX_WITNESSES)
        self.witnesses.append(PolicyWitness(name, key, url))

    def group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise self.bad("is not of the form: group <name> any|all|<k> <name>...")
        _, threshold, *members = words
        if not all(member in self.names for member in members):
            raise self.bad("names a member that no earlier line defines")
        if self.members & set(members) or len(set(members)) != len(members):
            raise self.bad("names a member that is in a group already")
        needed = {"any": 1, "all": len(members)}.get(threshold, int(threshold) if _NUMBER.match(threshold) else 0)
        if not 1 <= needed <= len(members):
            raise self.bad("asks for a number of members that is not between 1 and all of them")
        self.within(self.groups, MAX_GROUPS)
        self.groups.append(_Group(self.name(words), needed, tuple(members)))
        self.members |= set(members)

    def choose(self, words: list[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise self.bad("is not the only quorum line, or names more than one")
        if words[0] != NONE and words[0] not in self.names:
            raise self.bad("names a quorum that no earlier line defines")
        self.quorum = words[0]

    def policy(self) -> TlogPolicy:
        if self.quorum is None:
            raise Malformed("A witness policy has one line 'quorum <name>'; this one has none.", code="bad-policy")
        return TlogPolicy(tuple(self.logs), tuple(self.witnesses), self.quorum, tuple(self.groups))

    def name(self, words: list[str]) -> str:
        if not words or words[0] == NONE or words[0] in self.names:
            raise self.bad("gives no name, the name none, or one that is taken")
        self.names.add(words[0])
        return words[0]

    def key_and_url(
        self, words: list[str], kinds: frozenset[int], taken: Iterable[VerifierKey]
    ) -> tuple[VerifierKey, str | None]:
        if not 1 <= len(words) <= 2:
            raise self.bad("does not end in a verifier key and at most one URL")
        try:
            key = VerifierKey.parse(words[0])
        except (IntegrityError, UnicodeEncodeError) as error:
            raise self.bad("has no verifier key of the form name+id+key") from error
        if key.kind not in kinds:
            raise self.bad("has a key of a type that does not fit: 0x01 or 0x06 for logs, 0x04 or 0x06 for witnesses")
        if key.public_key in {one.public_key for one in taken}:
            raise self.bad("repeats the public key of an earlier line")
        return key, words[1] if len(words) == 2 else None

    def within(self, lines: list[PolicyLog] | list[PolicyWitness] | list[_Group], most: int) -> None:
        if len(lines) >= most:
            raise self.bad(f"is one of its kind too many; {most} are possible")

    def bad(self, what: str) -> Malformed:
        return Malformed(f"Line {self.number} of the witness policy {what}.", code="bad-policy", field=str(self.number))
