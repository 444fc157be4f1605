"""Promises about the log: it cannot be skipped, it cannot be changed unseen, and it does not name the forgotten."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from troth.audit.details import Opened, State
from troth.audit.export import export_log
from troth.audit.leaf import read_leaf
from troth.audit.log import LogPublisher
from troth.audit.sequencer import Sequencer
from troth.audit.tiles import CHECKPOINT, WIDTH, bundle, unbundle
from troth.audit.verify import LogBroken, verify_log
from troth.identity.users import NewUser
from troth.kernel.caller import Authentication, Caller, Connection, Origin
from troth.kernel.clock import epoch_ms
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.operation import Group, Registry
from troth.kernel.record import Entry, Outcome, Recorder
from troth.keys.signing import LocalSigner
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.isolation import Careless, Down
from troth.promises.probe import BOUND, SERVICE, Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata
from troth.storage.outbox import Outbox
from troth.vault.messages import ObjectList

_ADMINISTRATION = (Group.ADMINISTER, Group.PRIVACY, Group.OPERATE, Group.REVIEW, Group.GOVERN)
_LOG = "operator"
_EXPORTS = 3  # of a log that others write to, until one ends in a bundle of several entries
_LAST = 400  # newest entries of the operator log that are searched for a person


@dataclass
class _Spies:
    """Stand in for the bodies of all administrative operations; the road to them is the real one."""

    ran: list[str] = field(default_factory=list)

    def registry(self, system: System) -> Registry:
        """A registry of the same declarations whose bodies only note that they ran."""
        members: dict[str, Any] = {}
        for operation in system.dispatcher.registry:
            if operation.declaration.group in _ADMINISTRATION:
                members[operation.name] = self._spy(operation.declaration)
        return Registry(type("Spies", (), members)())

    def _spy(self, declaration: Any) -> Any:
        def body(_self: object, _call: object, _request: object) -> None:
            self.ran.append(declaration.name)

        body.__operation__ = declaration  # type: ignore[attr-defined]
        return body


def _administrator(person: Probe, group: Group) -> Caller:
    """Who may do operations of that group: an operator, or an owner of the probe tenant."""
    if group is not Group.OPERATE:
        return person.caller("owner")
    proof, here = Authentication("password+totp", 2, 0, "ses_probe"), Connection(None, "in-process")
    return Caller(
        SERVICE, "operator", roles=frozenset({"operator"}), authentication=proof, device=BOUND, connection=here
    )


def _recorded(system: System, broken: Recorder, working: Recorder) -> Facts:
    """Every administrative operation with the record away, then with it: none runs, each leaves two entries."""
    with probe(system) as person:
        spies, base = _Spies(), system.base
        registry = spies.registry(system)
        calls = [(operation.name, _administrator(person, operation.declaration.group)) for operation in registry]
        away = Dispatcher(registry, system.decider, broken, base.clock, base.journal)
        outcomes = [refused(lambda n=name, c=caller: away.run(n, c, None), Unavailable) for name, caller in calls]  # type: ignore[misc]
        outcomes.append(not spies.ran)
        spies.ran.clear()
        there = Dispatcher(registry, system.decider, working, base.clock, base.journal)
        requests = [(caller, new_id("req")) for _, caller in calls]
        for (name, caller), (_, request) in zip(calls, requests, strict=True):
            there.run(name, caller, None, request)
        base.sequencer.flush()
        outcomes += [len(_entries(system, caller.tenant or _LOG, request)) == 2 for caller, request in requests]
        outcomes.append(sorted(spies.ran) == sorted(name for name, _ in calls))
    return counted(outcomes)


def _entries(system: System, log: str, request: str) -> list[int]:
    try:
        return list(system.base.prover.locate(log, request))
    except NotFound:
        return []


@dataclass(frozen=True)
class _Export:
    """A log as somebody took it away: a folder in the tlog-tiles layout."""

    folder: Path
    key: str
    size: int = 0

    def holds(self, trusted: bytes | None = None) -> bool:
        """True when every entry stands as it was signed."""
        return not refused(lambda: verify_log(self.folder, self.key, trusted=trusted), IntegrityError)

    def names_last(self) -> bool:
        """True when the refusal names an entry of the newest bundle's end, where `change` was at work."""
        try:
            verify_log(self.folder, self.key)
        except LogBroken as error:
            return error.first >= self.size - 2
        return False

    def change(self, edit: Callable[[list[bytes]], list[bytes]]) -> Callable[[], object]:
        """Change the entries of the newest bundle; gives what puts them back."""
        newest = max((self.folder / "tile" / "entries").rglob("*"), key=lambda path: (path.is_file(), str(path)))
        content = newest.read_bytes()
        newest.write_bytes(bundle(edit(unbundle(content))))
        return lambda: newest.write_bytes(content)


def _edited(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-1], entries[-1].replace(b"operator", b"operatur", 1)]


def _shortened(entries: list[bytes]) -> list[bytes]:
    return entries[:-1]


def _reordered(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-2], entries[-1], entries[-2]]


def _inserted(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-1], b"{}"]


def _tampering(system: System, *, tampered: bool) -> Facts:
    """The operator log, exported and verified; then with one entry edited, deleted or moved, then signed anew."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as name:
        export = _exported(system, Path(name) / "log")
        if tampered:
            export.change(_edited)
        outcomes = [export.holds()]
        for edit in (_edited, _shortened, _reordered, _inserted):
            put_back = export.change(edit)
            outcomes += [not export.holds(), export.names_last()]
            put_back()
        outcomes += _rewritten(system, Path(name))
        outcomes.append(_restored(system, Path(name) / "restored"))
    return counted(outcomes)


def _exported(system: System, folder: Path) -> _Export:
    resource = partial(LogPublisher(system.base.database).resource, _LOG)
    for attempt in range(_EXPORTS):
        for _ in range(2):
            system.base.outbox.record(_event(system))
        system.base.sequencer.flush(_LOG)
        export = _Export(folder / str(attempt), str(system.base.sequencer.origins.key(_LOG)))
        size = export_log(resource, export.folder).size
        if size % WIDTH != 1:  # in a bundle of one entry nothing can be moved
            break
    return replace(export, size=size)


def _throwaway() -> LocalSigner:
    """A key that signs for nobody: a fork under the log's own key, even of a check, would be evidence against it."""
    return LocalSigner("self-check.invalid", os.urandom(32))


def _rewritten(system: System, folder: Path) -> list[bool]:
    """Two histories under one name and one key: each holds alone, and not for who kept the other's checkpoint."""
    signer = _throwaway()
    one, other = (_history(system, folder / name, signer) for name in ("one", "other"))
    kept = (one.folder / CHECKPOINT).read_bytes()
    return [one.holds(), other.holds(), one.holds(trusted=kept), not other.holds(trusted=kept)]


def _history(system: System, folder: Path, signer: LocalSigner) -> _Export:
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'log.db'}")
    outbox = Outbox(database)
    sequencer = Sequencer(database, LocalBlobs(folder / "blobs"), signer, system.base.clock)
    try:
        metadata.create_all(database.engine)
        for _ in range(3):
            outbox.record(_event(system))
        sequencer.flush(_LOG)
        export_log(partial(LogPublisher(database).resource, _LOG), folder / "export")
    finally:
        outbox.close()
        sequencer.stop()
        database.close()
    return _Export(folder / "export", str(sequencer.origins.key(_LOG)))


def _restored(system: System, folder: Path) -> bool:
    """A log of its own is signed, put back to an older state with its whole mirror, and must not be signed again."""
    signer = _throwaway()
    _signed(system, folder, signer, 2)
    shutil.copytree(folder / "data", folder / "backup")
    _signed(system, folder, signer, 2)
    shutil.rmtree(folder / "data")
    shutil.copytree(folder / "backup", folder / "data")
    return refused(lambda: _signed(system, folder, signer, 5), IntegrityError, code="fork")


def _signed(system: System, folder: Path, signer: LocalSigner, entries: int) -> None:
    """Open the log of that folder, grow it, sign it, close it."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{folder / 'data' / 'log.db'}")
    outbox, mirror, guard = Outbox(database), LocalBlobs(folder / "data" / "log"), LocalBlobs(folder / "guard")
    sequencer = Sequencer(database, mirror, signer, system.base.clock, guard=guard)
    try:
        metadata.create_all(database.engine)
        for _ in range(entries):
            outbox.record(_event(system))
        sequencer.flush(_LOG)
    finally:
        outbox.close()
        sequencer.stop()
        database.checkpoint()
        database.close()


def _event(system: System) -> Entry:
    now = epoch_ms(system.base.clock.now())
    return Entry(_LOG, "check.tampering", "event", Outcome.DONE, new_id("run"), SERVICE, None, now)


def _forgotten(system: System, added: Callable[[list[str]], Iterable[bytes]]) -> Facts:
    """A person with an address and a name lives and is erased: the log verifies and knows neither, nor does a table."""
    mark = secrets.token_hex(12)
    address, name = f"{mark}@example.org", f"Probe {mark.upper()}"
    with probe(system) as other:
        other.keep()
        made = system.identity.users.create(NewUser(other.tenant, address, name, frozenset({"member"}), SERVICE))
        person = Probe(system, other.tenant, made.id)
        index = system.identity.users.email_index(address)
        person.keep(mark.encode(), name=f"{mark}.txt")
        came = _came(person, mark)
        sealed = _sealed_details(system, person)
        outcomes = [sealed != [] and all(one.state is State.OPEN for one in _opened(system, sealed))]
        person.erase()
    system.base.sequencer.flush()
    outcomes.append(all(one.state is State.ERASED for one in _opened(system, sealed)))
    identifiers = [mark, mark.upper(), index.hex(), made.password, came, *_plain_hashes(address), *_plain_hashes(came)]
    leaves = [*_newest(system, other.tenant), *_newest(system, _LOG), *added(identifiers)]
    outcomes += [not any(one.encode() in leaf for leaf in leaves) for one in identifiers]
    outcomes.append(refused(lambda: system.identity.users.get(made.id), NotFound))
    outcomes.append(system.identity.users.account(index) is None)
    key = str(system.base.sequencer.origins.key(other.tenant))
    resource = partial(LogPublisher(system.base.database).resource, other.tenant)
    outcomes.append(not refused(lambda: verify_log(resource, key), TrothError))
    return counted(outcomes)


def _came(person: Probe, mark: str) -> str:
    """The person asks for something from an address, with a program that tells their mark; gives the address."""
    address = f"2001:db8::{mark[:4]}:{mark[4:8]}"
    caller = person.caller()
    known = replace(caller.connection, origin=Origin("api", address, f"Probe/{mark}"))
    person.system.dispatcher.run("object.list", replace(caller, connection=known), ObjectList())
    return address


def _sealed_details(system: System, person: Probe) -> list[bytes]:
    """The entries of this person that have details beside them."""
    system.base.sequencer.flush()
    leaves = (leaf for leaf in _newest(system, person.tenant) if person.subject.encode() in leaf)
    return [leaf for leaf in leaves if "pd" in read_leaf(leaf)]


def _opened(system: System, leaves: list[bytes]) -> list[Opened]:
    return [system.base.details.of(leaf) for leaf in leaves]


def _plain_hashes(text: str) -> list[str]:
    """What stands for a text when it is hashed without a key: anybody who guesses the text confirms it."""
    return [hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest() for name in ("sha256", "sha1", "md5")]


def _hash_of_address(identifiers: list[str]) -> list[bytes]:
    """A leaf that names a person by the global hash of their address."""
    return [f'{{"actor":"{_plain_hashes(f"{identifiers[0]}@example.org")[0]}"}}'.encode()]


def _newest(system: System, log: str) -> list[bytes]:
    try:
        size = system.base.reader.size(log)
        return [one.leaf for one in system.base.reader.entries(log, size - 1, _LAST, newest_first=True)]
    except NotFound:
        return []


CHECKS = (
    Check(
        "no-record-no-act",
        ("AUD-01",),
        "Every administrative operation is called on its real road, with a body that only notes that it ran: with the "
        "record away none may run, with it each call must leave two entries. Acts beside the operations, such as on "
        "the machine itself, are not looked at.",
        lambda system: _recorded(system, Down(), system.base.outbox),
        lambda system: _recorded(system, Careless(), Careless()),
        every=6 * 3600,
        scope="all administrative operations",
        population="calls without and with the record, and their entries",
    ),
    Check(
        "log-tampering-seen",
        ("AUD-04",),
        "The operator log is exported; with an entry edited, deleted, moved or put in, it must be refused and the "
        "entry named; another history under the log's own key must be refused by whoever kept a checkpoint; a log put "
        "back to an older state must not be signed. Whether witnesses cosign is not looked at here: without them, who "
        "kept nothing cannot see a rewrite.",
        lambda system: _tampering(system, tampered=False),
        lambda system: _tampering(system, tampered=True),
        every=24 * 3600,
        scope="an export of the operator log, and synthetic logs",
        population="changes to a log that must be seen",
    ),
    Check(
        "log-forgets-names",
        ("AUD-05",),
        "A synthetic person with an address, a name and a file comes from somewhere and is erased: the newest 400 "
        "entries of both logs must not hold them, nor a hash that finds them or that a guess confirms; what lay sealed "
        "beside the log opened before and must not open after; the id that stays must resolve to nobody, and the log "
        "must verify.",
        lambda system: _forgotten(system, lambda _: ()),
        lambda system: _forgotten(system, _hash_of_address),
        every=6 * 3600,
        scope="newest 400 entries of two logs, for a synthetic person",
        population="names, hashes and details searched for",
    ),
)
