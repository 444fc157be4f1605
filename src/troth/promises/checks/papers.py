"""Promises about being checkable: sentences and their promises, and documents that a stranger verifies offline."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from troth.audit.export import export_log
from troth.audit.log import LogPublisher
from troth.audit.verifier_page import NAME, verifier_page
from troth.audit.verify import LogBroken, Trust, verify_log
from troth.kernel.caller import Connection, anonymous
from troth.kernel.errors import IntegrityError, TrothError
from troth.promises.catalogue import catalogue
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.redaction import training_set
from troth.promises.evidence import EvidenceWish
from troth.promises.operations import Nothing
from troth.promises.paper.binding import Paper, paper_of
from troth.promises.paper.lint import BINDING, Known, lint
from troth.promises.paper.parameters import parameters
from troth.promises.paper.shipped import SHIPPED, shipped, shipped_file
from troth.promises.paper.skeleton import refreshed
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.redact.consent import NoSubjects
from troth.redact.manifest import verify_manifest
from troth.vault.certificate import verify_certificate
from troth.vault.evidence_bundle import SIGNED, is_subject, verify_bundle

_ROWS = [{"text": f"The pump in hall {n} was repaired before noon."} for n in range(5)]
_STATES = frozenset({"kept", "kept with exception", "not kept", "unknown", "not configured"})


def _bound(system: System, papers: Sequence[Paper]) -> Facts:
    """Each sentence of the texts: bound to promises that a stranger sees with a state, or marked as carrying none."""
    stranger = anonymous(Connection(None, "in-process"))
    shown = {row.id: row.state for row in system.dispatcher.run("promise.list", stranger, Nothing()).data}
    named = {check for paper in papers for one in paper.own for check in one.checks}  # whether they exist: lint, tests
    known = Known(
        {name: one for name, one in catalogue().items() if name in shown},
        parameters(),
        named,
        system.base.clock.now().date(),
    )
    outcomes = [state in _STATES for state in shown.values()]
    for paper in papers:
        outcomes += _sentences(paper, known)
    restated = {source.partition(" ")[0] for source in _sources()}
    outcomes.append(restated <= {paper.binding.text.file for paper in papers})
    return counted(outcomes)


def _sentences(paper: Paper, known: Known) -> list[bool]:
    """One verdict for each sentence, and a bad one for each further finding about the binding."""
    found = [one for one in lint(paper, known) if one.code in BINDING]
    wrong = {one.sentence.at for one in found if one.sentence}
    return [one.at not in wrong for one in paper.sentences] + [False for one in found if one.sentence is None]


def _sources() -> set[str]:
    return {source for promise in catalogue().values() for source in promise.source}


def _with_unbound(system: System) -> Facts:
    """The known-bad paper: one more sentence in its text, which nobody bound."""
    first, *others = SHIPPED
    more = shipped_file(f"{first}.txt") + b"\nNothing ever goes wrong here.\n"
    binding = refreshed(shipped(first), more).text.encode()
    return _bound(system, [paper_of(more, binding), *map(shipped, others)])


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
        outcomes += _bundle(person, Path(name) / "log", change)
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


def _bundle(person: Probe, folder: Path, change: Change) -> list[bool]:
    """The evidence bundle of that log: it holds, and a changed byte in any item is refused under the item's name."""
    base, again = person.system.base, folder.with_name("again")
    files = {
        "proofs/0.tlog-proof": base.prover.proof(person.tenant, 0).encode(),  # first: the log may grow meanwhile
        "proofs/0.json": base.reader.entry(person.tenant, 0),
        NAME: verifier_page(),
    }
    export_log(partial(LogPublisher(base.database).resource, person.tenant), again)
    files |= {f"log/{one.relative_to(again)}": one.read_bytes() for one in again.rglob("*") if one.is_file()}
    wish = EvidenceWish(items={name: sha256(one).hexdigest() for name, one in files.items() if is_subject(name)})
    signed = person.system.dispatcher.run("evidence.sign", person.caller("auditor"), wish).content
    files |= {SIGNED: change(signed)}
    trust = Trust(base.sequencer.origins.key(person.tenant))
    outcomes = [not refused(lambda: verify_bundle(files, trust), IntegrityError)]
    files[SIGNED] = signed
    for name, content in files.items():
        item = "log" if name.startswith("log/tile/") else name
        changed = {**files, name: _one_byte(content)}
        outcomes.append(_said(lambda changed=changed: verify_bundle(changed, trust), f"{item}: "))  # type: ignore[misc]
    return outcomes


def _said(act: Callable[[], object], beginning: str) -> bool:
    """True when the refusal begins like that."""
    try:
        act()
    except IntegrityError as error:
        return error.advice.startswith(beginning)
    return False


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
        "Every sentence of the shipped texts of both source papers and of a third must be bound, by its digest, to "
        "promises that a stranger is shown with a state, or be marked as carrying none for a reason. A paper of your "
        "own is for `troth paper lint`: it is not looked at.",
        lambda system: _bound(system, [shipped(name) for name in SHIPPED]),
        _with_unbound,
        every=6 * 3600,
        scope="texts of the shipped papers",
        population="sentences, and states of promises",
    ),
    Check(
        "evidence-offline",
        ("GOV-27",),
        "A certificate, a data set with its manifest, a whole log, and an evidence bundle (log, proof, signed promise "
        "table, verifier) are verified from their bytes and public keys alone; one changed byte in any of them must be "
        "refused, naming the file or entry. The second verifier, the page, is not run here: the tests do that.",
        lambda system: _documents(system, _same),
        lambda system: _documents(system, _one_byte),
        every=24 * 3600,
        scope="documents about synthetic data, and one tenant's log",
        population="documents and items of a bundle, whole and changed",
    ),
)
