"""Promises about being checkable: sentences and their promises, and documents that a stranger verifies offline."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from troth.audit.export import export_log
from troth.audit.log import LogPublisher
from troth.audit.verify import LogBroken, verify_log
from troth.kernel.caller import Connection, anonymous
from troth.kernel.errors import IntegrityError, TrothError
from troth.promises.catalogue import catalogue, sentences
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.redaction import training_set
from troth.promises.operations import Nothing
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.redact.consent import NoSubjects
from troth.redact.manifest import verify_manifest
from troth.vault.certificate import verify_certificate

_ROWS = [{"text": f"The pump in hall {n} was repaired before noon."} for n in range(5)]
_STATES = frozenset({"kept", "not kept", "unknown", "not configured"})
Row = Mapping[str, Any]


def _bound(system: System, rows: Sequence[Row]) -> Facts:
    """Each sentence: bound to promises that a stranger sees with a state, or marked as carrying none."""
    stranger = anonymous(Connection(None, "in-process"))
    shown = {row.id: row.state for row in system.dispatcher.run("promise.list", stranger, Nothing()).data}
    outcomes = [_resolves(row, shown) for row in rows]
    places = [(row.get("paper"), row.get("line"), row.get("sentence")) for row in rows]
    outcomes.append(len(set(places)) == len(places))
    outcomes.append({row.get("paper") for row in rows} == {source.partition(" ")[0] for source in _sources()})
    return counted(outcomes + [state in _STATES for state in shown.values()])


def _resolves(row: Row, shown: Mapping[str, str]) -> bool:
    promises = row.get("promises")
    return isinstance(promises, list) and bool(row.get("sha256_16")) and all(one in shown for one in promises)


def _sources() -> set[str]:
    return {source for promise in catalogue().values() for source in promise.source}


def _with_unbound(system: System) -> Facts:
    """The known-bad paper: one more sentence, which nobody bound."""
    unbound = {"paper": "004_c5395421718ceea8.txt", "line": 9999, "sentence": 0, "sha256_16": "0" * 16}
    return _bound(system, [*sentences(), unbound])


Change = Callable[[bytes], bytes]


def _same(content: bytes) -> bytes:
    return content


def _one_byte(content: bytes) -> bytes:
    """The known-bad document."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _documents(system: System, change: Change) -> Facts:
    """Certificate, data set and log, from bytes and public keys alone: they hold, and one changed byte is named."""
    with probe(system) as person, tempfile.TemporaryDirectory(prefix="troth-probe-") as name:
        outcomes = _certificate(person, change)
        outcomes += _data_set(system, change)
        outcomes += _log(person, Path(name) / "log", change)
    return counted(outcomes)


def _certificate(person: Probe, change: Change) -> list[bool]:
    base = person.system.base
    person.keep()
    erasure = person.erase()
    document = person.system.vault.erasures.certificate(person.tenant, erasure.certificate or "")
    keys, log_key = {base.signer.name: base.signer.public_key}, str(base.sequencer.origins.key(person.tenant))
    check = partial(verify_certificate, keys=keys, log_keys=[log_key])
    return [not refused(lambda: check(change(document))), refused(lambda: check(_one_byte(document)), IntegrityError)]


def _data_set(system: System, change: Change) -> list[bool]:
    key = system.base.signer.public_key
    with training_set(system.base.signer, _ROWS, NoSubjects("The rows are synthetic."), canaries=60) as folder:
        shard = next(folder.glob("shard-*"))
        content = shard.read_bytes()
        shard.write_bytes(change(content))
        holds = not refused(lambda: verify_manifest(folder, key))
        shard.write_bytes(_one_byte(content))
        return [holds, _names(lambda: verify_manifest(folder, key), shard.name)]


def _log(person: Probe, folder: Path, change: Change) -> list[bool]:
    base = person.system.base
    key = str(base.sequencer.origins.key(person.tenant))
    base.sequencer.flush(person.tenant)
    export_log(partial(LogPublisher(base.database).resource, person.tenant), folder)
    newest = max(path for path in (folder / "tile" / "entries").rglob("*") if path.is_file())
    content = newest.read_bytes()
    newest.write_bytes(change(content))
    holds = not refused(lambda: verify_log(folder, key))
    newest.write_bytes(_one_byte(content))
    return [holds, refused(lambda: verify_log(folder, key), LogBroken)]  # a LogBroken names the entry


def _names(act: Callable[[], object], item: str) -> bool:
    """True when the refusal says which item is meant."""
    try:
        act()
    except TrothError as error:
        return error.field == item
    return False


CHECKS = (
    Check(
        "sentences-bound",
        ("GOV-22",),
        "Every listed sentence of both source papers must be bound to promises that a stranger is shown with a state, "
        "or be marked as carrying none. The papers' text is not shipped, so whether the list is complete is not looked "
        "at.",
        lambda system: _bound(system, sentences()),
        _with_unbound,
        every=6 * 3600,
    ),
    Check(
        "evidence-offline",
        ("GOV-27",),
        "A certificate, a data set with its manifest and a whole log are verified from their bytes and public keys "
        "alone; one changed byte must be refused, naming the file or entry. They are not in one bundle yet, and a "
        "verifier by somebody else is not looked at.",
        lambda system: _documents(system, _same),
        lambda system: _documents(system, _one_byte),
        every=24 * 3600,
    ),
)
