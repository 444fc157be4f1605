"""Promises about deletion: synthetic people are erased for real, and everything that could bring them back is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.restore import Forget, bytes_only
from troth.promises.probe import SERVICE, Probe, ground, probe, refused
from troth.promises.system import System
from troth.vault.certificate import verify_certificate
from troth.vault.holds import Holds
from troth.vault.messages import CertificateNamed, EraseOwn


def _live_gone(system: System, forget: Forget) -> Facts:
    """Index, key and ciphertext after an erasure, raw bytes taken before it, and the neighbour who must stay."""
    with probe(system) as person, probe(system) as bystander:
        stays = bystander.keep(b"stays").id
        kept = [person.keep(b"to be forgotten").id for _ in range(3)]
        units = [bytes.fromhex(person.row(one)["unit"]) for one in kept]
        blobs = [person.row(one)["blob"] for one in kept]
        forget(person)
        outcomes = [refused(lambda one=one: person.open(one), Gone, NotFound) for one in kept]  # type: ignore[misc]
        outcomes += [refused(lambda one=one: system.base.tree.key(one), Gone) for one in units]  # type: ignore[misc]
        outcomes += [refused(lambda one=one: system.base.objects.get(one), NotFound) for one in blobs]  # type: ignore[misc]
        outcomes += [person.row(one)["facts"] is None for one in kept]
        outcomes.append(bystander.open(stays) == b"stays")
    return counted(outcomes)


def _certified(system: System, change: Callable[[bytes], bytes]) -> Facts:
    """The certificate of an erasure: checked offline, complete, and refused with any of some bytes changed."""
    with probe(system) as person:
        person.keep()
        erasure = person.erase()
        document = change(system.vault.erasures.certificate(person.tenant, erasure.certificate or ""))
        outcomes = [_complete(system, person.tenant, document)]
        for place in range(0, len(document), max(1, len(document) // 40)):
            bad = document[:place] + bytes([document[place] ^ 1]) + document[place + 1 :]
            outcomes.append(refused(lambda bad=bad: _verified(system, person.tenant, bad), IntegrityError))  # type: ignore[misc]
    return counted(outcomes)


def _verified(system: System, tenant: str, document: bytes) -> Any:
    signer, origins = system.base.signer, system.base.sequencer.origins
    return verify_certificate(document, {signer.name: signer.public_key}, log_keys=[str(origins.key(tenant))])


def _complete(system: System, tenant: str, document: bytes) -> bool:
    try:
        said = _verified(system, tenant, document)
    except IntegrityError:
        return False
    named = said.technique and said.tool and said.log.proof and said.keys and said.keys.roots
    honest = all(root.assurance != "A0" or any("A0" in one for one in said.residual) for root in said.keys.roots)
    return bool(named) and honest and said.verification.keys_refused == said.verification.keys_tried > 0


def _one_byte(document: bytes) -> bytes:
    """The known-bad certificate."""
    middle = len(document) // 2
    return document[:middle] + bytes([document[middle] ^ 1]) + document[middle + 1 :]


def _by_request(system: System, ask: Callable[[Probe], str | None]) -> Facts:
    """A person asks for their own erasure and downloads the certificate, by the operations behind every door."""
    with probe(system) as person:
        kept = person.keep().id
        certificate = ask(person)
        outcomes = [refused(lambda: person.open(kept), Gone, NotFound), certificate is not None]
        document = person.run("certificate.show", CertificateNamed(certificate_id=certificate)) if certificate else None
        outcomes.append(document is not None and _complete(system, person.tenant, document.content))
    return counted(outcomes)


def _asks(person: Probe) -> str | None:
    shown = person.run("erasure.own", EraseOwn(confirm="erase everything about me"))
    certificate: str | None = shown.certificate
    return certificate


def _unheard(_person: Probe) -> str | None:
    """The known-bad desk: it takes the request and does nothing."""
    return None


def _held(system: System, whom: Callable[[Probe, Probe], Probe]) -> Facts:
    """A hold on a person: the erasure waits and says why; lifted, it completes by itself."""
    now = ground(system).now()
    with probe(system) as person, probe(system) as stranger:
        kept, holds = person.keep(b"held").id, Holds(ground(system))
        bound = whom(person, stranger)
        hold = holds.place(
            bound.tenant, basis="self-check", approver=SERVICE, ends_at=now + 3_600_000, subject=bound.subject
        )
        try:
            waits = refused(person.erase, Conflict, code="held")
            asked = [one for one in system.vault.erasures.all(person.tenant) if one.subject == person.subject]
            shown = [one.basis for one in asked] == ["self-check"]
            stays = not refused(lambda: person.open(kept))
        finally:
            holds.lift(bound.tenant, hold.id, actor=SERVICE)
        system.vault.erasures.resume()
        gone = refused(lambda: person.open(kept), Gone, NotFound)
        done = all(system.vault.erasures.show(person.tenant, one.id).state == "done" for one in asked)
    return counted([waits, shown, stays, gone, done])


def _derived(system: System, parents: Callable[[str], tuple[str, ...]]) -> Facts:
    """An upload with a thumbnail, an embedding, a score and a cached answer: all go with it, and are certified."""
    with probe(system) as person:
        upload = person.keep(kind="upload")
        thumbnail = person.keep(kind="thumbnail", derived_from=parents(upload.id))
        answer = person.keep(kind="answer", derived_from=parents(thumbnail.id))
        others = [
            person.keep(kind=kind, data_class=DataClass.SYSTEM, derived_from=parents(upload.id))
            for kind in ("embedding", "score")
        ]
        copies = [thumbnail, answer, *others]
        units = [bytes.fromhex(person.row(one.id)["unit"]) for one in copies]
        outcomes = [one.data_class is upload.data_class and one.expires_at is not None for one in copies]
        outcomes += [(one.expires_at or 0) <= (upload.expires_at or 0) for one in copies]
        erasure = person.erase(object_id=upload.id)
        outcomes += [refused(lambda one=one: person.open(one.id), Gone) for one in copies]  # type: ignore[misc]
        outcomes += [refused(lambda one=one: system.base.tree.key(one), Gone) for one in units]  # type: ignore[misc]
        document = system.vault.erasures.certificate(person.tenant, erasure.certificate or "")
        listed = set(_verified(system, person.tenant, document).objects.identifiers)
    return counted([*outcomes, listed >= {upload.id, *(one.id for one in copies)}])


CHECKS = (
    Check(
        "erased-live",
        ("DEL-02",),
        "A synthetic person with three objects is erased: nothing may open, every key must be gone, the ciphertext "
        "deleted, the sealed names dropped, and a bystander untouched. What the disk keeps of deleted bytes is not "
        "looked at: without keys it is noise.",
        lambda system: _live_gone(system, Probe.erase),
        lambda system: _live_gone(system, bytes_only),
        every=6 * 3600,
        scope="objects of two synthetic people, one of them erased",
        population="objects, keys, ciphertext and names",
    ),
    Check(
        "certificate-holds",
        ("DEL-04",),
        "The certificate of a synthetic erasure must verify offline, name method, tool, keys, attempts and log proof, "
        "and be refused with one bit changed in any of 40 places. With software roots it claims no sanitisation of the "
        "medium, and says so.",
        lambda system: _certified(system, lambda document: document),
        lambda system: _certified(system, _one_byte),
        every=6 * 3600,
        scope="the certificate of one synthetic erasure",
        population="readings of the certificate, whole and changed",
    ),
    Check(
        "erasure-by-oneself",
        ("DEL-05",),
        "A synthetic person asks for their own erasure and downloads a certificate that verifies, by the operations "
        "that portal, API and command line share. The portal's pages themselves are not looked at.",
        lambda system: _by_request(system, _asks),
        lambda system: _by_request(system, _unheard),
        every=6 * 3600,
        scope="one synthetic person's own erasure",
        population="duties of an erasure that one asks for oneself",
    ),
    Check(
        "hold-beats-erasure",
        ("DEL-07",),
        "A synthetic person under a hold asks to be erased: it must wait, show the basis, and complete without a new "
        "request once the hold is lifted. Whether the duty behind a hold is real is for its approver.",
        lambda system: _held(system, lambda person, _: person),
        lambda system: _held(system, lambda _, stranger: stranger),
        every=6 * 3600,
        scope="one synthetic person under a hold",
        population="steps of an erasure that must wait",
    ),
    Check(
        "derived-copies-follow",
        ("CLS-08",),
        "A synthetic upload with a thumbnail, an embedding, a score and a cached answer is erased: class and deadline "
        "must have followed, all four must be gone by key, and the certificate must list them.",
        lambda system: _derived(system, lambda parent: (parent,)),
        lambda system: _derived(system, lambda _: ()),
        every=6 * 3600,
        scope="copies made of one synthetic upload",
        population="copies, with their classes, deadlines and keys",
    ),
)
