"""Promises about the life of keys: made, used, rotated and destroyed by rule; lost without loss of data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from troth.audit.key_epochs import LoggedEpochs
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, TrothError
from troth.keys.domains import Domain
from troth.keys.lifecycle import Cryptoperiods
from troth.keys.recovery import find, kept_in_copies
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import KeyTree, Options, Reason, Scope, UnitKey
from troth.keys.units import address
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Ahead, Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata

_CLASS, _PERIOD = DataClass.USER_GENERATED, "probe"
_MANY = 2  # domains from which on the loss of one loses nothing
Protect = Callable[[KeyTree, Probe], UnitKey]
Owner = tuple[str, str]


def _protect(tree: KeyTree, person: Probe) -> UnitKey:
    return tree.unit(person.tenant, person.subject, _CLASS, _PERIOD)


def _later(system: System) -> KeyTree:
    """The same tree, as it will be when the cryptoperiod of a unit that is made now is over."""
    base, keys = system.base, system.base.settings.keys
    clock: Clock = Ahead(base.clock, timedelta(days=keys.unit_days + 1))
    options = Options(split=keys.split, periods=Cryptoperiods(keys.root_days, keys.unit_days))
    return KeyTree(base.database, base.domains, clock, jurisdiction=base.settings.data.jurisdiction, options=options)


def _by_rule(system: System, protect: Protect = _protect) -> Facts:
    """A key is made, suspended, released, outlived and destroyed; the roots in use are within their time."""
    tree = system.base.tree
    with probe(system) as person:
        scope = Scope.of_subject(person.tenant, person.subject)
        old = _protect(tree, person)
        outcomes = [tree.key(old.id) == old]
        tree.suspend(scope, Reason.RESTRICTION)
        outcomes += [refused(lambda: tree.key(old.id), Conflict, code="key-suspended")]
        outcomes += [refused(lambda: _protect(tree, person), Conflict, code="key-suspended")]
        tree.resume_use(scope, Reason.RESTRICTION)
        late = protect(_later(system), person)
        outcomes += [late.id != old.id, late.generation == old.generation + 1, tree.key(old.id) == old]
        tree.destroy_units([old.id, late.id])
        outcomes += [refused(lambda: tree.key(old.id), Gone), *_roots_by_rule(system)]
    return counted(outcomes)


def _roots_by_rule(system: System) -> Iterable[bool]:
    """Roots in use within their cryptoperiod, their times in order, their epoch in the log."""
    found, base = system.base.tree.inventory(), system.base
    yield found.since <= base.clock.now().timestamp() * 1000 + 1000 < found.due_at
    for root in found.roots:
        yield root.activated_at is not None and root.created_at <= root.activated_at
    base.sequencer.flush()
    logged = LoggedEpochs(base.reader).newest(found.jurisdiction)
    yield logged is not None and (logged.epoch, logged.digest) >= (found.epoch, found.manifest)


def _recoverable(domains: Sequence[Domain], jurisdiction: str, live: bytes, erased: bytes) -> list[bool]:
    """Each domain alone, from its own copies and its own root, has the live key and not the erased one."""
    outcomes: list[bool] = []
    for one in domains:
        try:
            held = find([kept_in_copies(one.blobs, jurisdiction)], [one.root], jurisdiction).addresses
        except TrothError:
            held = frozenset()
        outcomes += [live in held, erased not in held]
    return outcomes


def _survives(tree: KeyTree, domains: Sequence[Domain], owner: Owner, destroy: Callable[[bytes], object]) -> Facts:
    live, goes = (tree.own_unit(*owner, _CLASS).id for _ in range(2))
    destroy(goes)
    places = [address(*owner, one) for one in (live, goes)]
    return counted(_recoverable(domains, tree.inventory().jurisdiction, *places))


def _lost_and_found(system: System) -> Facts:
    """Both sides of a lost key, on the real domains; with one domain, or a split root, there is no second copy."""
    base = system.base
    if len(base.domains) < _MANY or base.settings.keys.split:
        return Facts(population=0, tested=0, broken=0, configured=False)
    with probe(system) as person:
        owner = (person.tenant, person.subject)
        return _survives(base.tree, base.domains, owner, lambda unit: base.tree.destroy_units([unit]))


def _never_erased() -> Facts:
    """The known-bad tree: the row of a unit is marked, and its key stays where it was."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as name:
        folder = Path(name)
        database = Database(f"sqlite:///{folder / 'probe.db'}")
        try:
            metadata.create_all(database.engine)
            domains = [
                Domain(LocalRoot(folder / f"roots-{at}", f"probe-{at}"), LocalBlobs(folder / f"copies-{at}"))
                for at in range(_MANY)
            ]
            tree = KeyTree(database, domains, SystemClock())
            tree.resume()
            return _survives(
                tree, domains, ("ten_probe", "usr_probe"), lambda unit: tree.revoke(Scope.of_units([unit]))
            )
        finally:
            database.close()


CHECKS = (
    Check(
        "key-lifecycle",
        ("CRY-04",),
        "A synthetic person's key is made, suspended, released, outlived and destroyed: while suspended it opens and "
        "protects nothing, past its cryptoperiod the next generation protects and it only opens, destroyed it is gone. "
        "The roots in use are within their cryptoperiod and the newest epoch stands in the audit log. That destroying "
        "many people's keys takes two officers is tested, not looked at here.",
        _by_rule,
        lambda system: _by_rule(system, lambda _, person: _protect(system.base.tree, person)),
        scope="one synthetic person's key, and the roots in use",
        population="steps in the life of a key, and times of each root",
    ),
    Check(
        "key-lost-and-found",
        ("CRY-05",),
        "Each key domain by itself, from its own copies of the tree and its own root, must find a live key and must "
        "not find an erased one. With one domain, or a root that is split, there is no second copy of the root: then "
        "it says so. Backups of data are tried by the restore drill; the backup that follows a replacement of exposed "
        "keys is not looked at here.",
        _lost_and_found,
        lambda _: _never_erased(),
        every=24 * 3600,
        scope="each key domain by itself",
        population="keys looked for in each domain",
    ),
)
