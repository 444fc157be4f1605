"""The vault behind its doors: every operation through the one road, for its owner and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from troth.kernel.caller import Caller
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Conflict, Denied, Gone, NotFound
from troth.kernel.operation import Binary, Registry
from troth.vault import messages as m
from troth.vault.certificate import verify_certificate, verify_subject
from troth.vault.deadlines import DAY_MS
from troth.vault.dual_control import Control
from troth.vault.erasure_operations import ErasureOperations
from troth.vault.moving.pin_operations import MovePin
from troth.vault.operations import ConsentOperations, ObjectOperations
from troth.vault.sharing_messages import PersonOfObject
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld
from worlds import FaultList, ListRecorder, RoleDecider, person

Run = Callable[..., Any]


@pytest.fixture
def recorder() -> ListRecorder:
    return ListRecorder()


@pytest.fixture
def run(world: VaultWorld, recorder: ListRecorder) -> Run:
    registry = Registry(
        ObjectOperations(objects=world.objects, erasures=world.erasures, exporter=world.exporter),
        ConsentOperations(consents=world.consents),
        ErasureOperations(erasures=world.erasures, require_proven=lambda *_: None),
    )
    dispatcher = Dispatcher(registry, RoleDecider(), recorder, world.clock, FaultList())

    def ask(name: str, caller: Caller = caller_of(ANN), **members: Any) -> Any:  # noqa: B008 (frozen)
        operation = registry[name]
        return dispatcher.run(name, caller, operation.declaration.request(**members))

    return ask


def caller_of(subject: str, *roles: str, tenant: str = TENANT) -> Caller:
    return person(*(roles or ("own-data", "own-rights", "own-erasure")), tenant=tenant, actor=subject)


def test_owner_lists_shows_opens_and_takes_away(world: VaultWorld, run: Run) -> None:
    kept = world.keep(b"hello", name="note.txt")
    assert run("object.list").objects == (m.ObjectShown.of(kept),)
    assert run("object.list", kind="output").objects == ()
    assert run("object.show", object_id=kept.id).name == "note.txt"
    assert run("object.open", object_id=kept.id) == Binary(b"hello", "text/plain", "note.txt")
    assert run("data.export").media_type == "application/zip"


def test_pages_follow_each_other(world: VaultWorld, run: Run) -> None:
    kept = [world.keep().id for _ in range(5)]
    first = run("object.list", limit=3)
    second = run("object.list", limit=3, after=first.after)
    assert [one.id for one in (*first.objects, *second.objects)] == kept[::-1]
    assert second.after is None


def test_deletion_answers_with_a_certificate(world: VaultWorld, run: Run) -> None:
    kept = world.keep()
    answer = run("object.delete", object_id=kept.id)
    document = run("certificate.show", certificate_id=answer.certificate)
    certificate = verify_certificate(document.content, world.keys(), log_keys=[world.log_key()])
    assert certificate.objects.identifiers == [kept.id]
    verify_subject(certificate, bytes.fromhex(answer.salt), TENANT, ANN)
    with pytest.raises(Gone):
        run("object.open", object_id=kept.id)


def test_strangers_find_nothing(world: VaultWorld, run: Run) -> None:
    kept = world.keep()
    consent = run("consent.grant", purpose="training", notice="v1")
    for caller in (caller_of(BOB), caller_of(ANN, tenant=OTHER)):
        for name in ("object.show", "object.open", "object.delete"):
            with pytest.raises(NotFound):
                run(name, caller, object_id=kept.id)
        with pytest.raises(NotFound):
            run("consent.withdraw", caller, consent_id=consent.id)
        assert run("object.list", caller).objects == ()
    erasure = run("erasure.own", confirm="erase everything about me")
    for name, members in (
        ("erasure.show", {"erasure_id": erasure.id}),
        ("certificate.show", {"certificate_id": erasure.certificate}),
    ):
        with pytest.raises(NotFound):
            run(name, caller_of(BOB, tenant=OTHER), **members)


def test_a_colleague_sees_neither_erasure_nor_certificate(world: VaultWorld, run: Run) -> None:
    world.keep()
    officer = caller_of(BOB, "privacy")
    done = run("erasure.request", officer, subject=ANN)
    wanted = (("erasure.show", {"erasure_id": done.id}), ("certificate.show", {"certificate_id": done.certificate}))
    colleague = "usr_" + "e" * 26
    for name, members in wanted:
        for caller in (caller_of(colleague), replace(caller_of(colleague, "own-rights", "owner"), kind="api-key")):
            with pytest.raises(NotFound):
                run(name, caller, **members)
        run(name, caller_of(BOB), **members)  # asked for it
        run(name, caller_of(ANN), **members)  # is concerned; a session that ends with the answer
        for role in ("owner", "privacy-officer", "auditor"):
            run(name, caller_of(colleague, "own-rights", role), **members)


def test_certificates_are_listed_page_by_page_for_whom_they_concern(
    world: VaultWorld, run: Run, recorder: ListRecorder
) -> None:
    done = []
    for _ in range(3):
        done.append(run("object.delete", object_id=world.keep().id))
        world.clock.forward(seconds=1)
    officer, colleague = caller_of(BOB, "privacy"), "usr_" + "e" * 26
    world.keep()
    person = run("erasure.request", officer, subject=ANN)
    listed = [person.certificate, *(one.certificate for one in reversed(done))]
    first = run("certificate.list", limit=2)
    assert recorder.entries[-1].facts == {"count": 2}
    second = run("certificate.list", limit=2, after=first.after)
    assert second.after is None
    shown = (*first.certificates, *second.certificates)
    assert [one.id for one in shown] == listed
    assert (shown[0].scope, shown[0].erasure, shown[1].scope) == ("subject", person.id, "object")
    asked = run("certificate.list", caller_of(BOB)).certificates  # what he asked for, as an officer
    assert [one.id for one in asked] == [person.certificate]
    strangers = (colleague, TENANT), (ANN, OTHER), (BOB, OTHER)
    assert [run("certificate.list", caller_of(who, tenant=at)).certificates for who, at in strangers] == [(), (), ()]
    for role in ("owner", "privacy-officer", "auditor"):
        whole = run("certificate.list", caller_of(colleague, "own-rights", role)).certificates
        assert [one.id for one in whole] == listed
    for who, at in strangers:
        with pytest.raises(NotFound):  # nor as the place to go on from
            run("certificate.list", caller_of(who, tenant=at), after=person.certificate)


def test_consent_is_given_shown_and_withdrawn(run: Run) -> None:
    given = run("consent.grant", purpose="training", notice="v1")
    assert given.valid
    assert run("consent.list").consents == (given,)
    assert not run("consent.withdraw", consent_id=given.id).valid
    assert not run("consent.list").consents[0].valid
    assert json.loads(run("consent.receipt", consent_id=given.id).content)["signatures"]


def test_privacy_role_erases_a_person_on_request(world: VaultWorld, run: Run) -> None:
    kept = world.keep()
    officer = caller_of(BOB, "privacy", "own-data", "own-rights")
    with pytest.raises(Denied):
        run("erasure.request", caller_of(BOB), subject=ANN)
    done = run("erasure.request", officer, subject=ANN)
    assert (done.state, done.scope) == ("done", "subject")
    assert run("erasure.show", officer, erasure_id=done.id).salt is None
    certificate = verify_certificate(
        run("certificate.show", officer, certificate_id=done.certificate).content, world.keys()
    )
    assert certificate.approvals[0].actor == BOB
    assert certificate.objects.identifiers == [kept.id]
    with pytest.raises(NotFound):
        run("erasure.request", officer, subject="usr_unknown")


def test_who_was_erased_is_told_to_nobody_but_who_asked(world: VaultWorld, run: Run) -> None:
    world.keep()
    world.keep(subject=BOB)
    first, second = (caller_of("usr_" + letter * 25 + "a", "privacy") for letter in "ef")
    done = run("erasure.request", first, subject=ANN)
    assert done.salt is not None
    assert run("erasure.request", first, subject=ANN) == done  # an answer that got lost
    run("erasure.own", caller_of(BOB), confirm="erase everything about me")
    for officer, subject in ((second, ANN), (first, BOB), (second, BOB)):
        with pytest.raises(Gone) as refusal:
            run("erasure.request", officer, subject=subject)
        assert refusal.value.code == "subject-erased"


def test_an_erasure_that_waits_gives_its_salt_to_who_asked_only(world: VaultWorld) -> None:
    world.keep()
    world.control = Control(approval_above=0)
    world.build()
    operations = ErasureOperations(erasures=world.erasures, require_proven=lambda *_: None)
    dispatcher = Dispatcher(Registry(operations), RoleDecider(), ListRecorder(), world.clock, FaultList())
    first, second = (caller_of("usr_" + letter * 25 + "a", "privacy") for letter in "ef")
    asked = [dispatcher.run("erasure.request", one, m.EraseSubject(subject=ANN)) for one in (first, second, first)]
    assert {one.state for one in asked} == {"waiting"}
    assert [one.salt is None for one in asked] == [False, True, False]


def test_of_what_went_with_somebody_else_their_erasure_is_not_told(world: VaultWorld, run: Run) -> None:
    ours = world.keep(shown=(BOB,))
    run("erasure.own", caller_of(BOB), confirm="erase everything about me")
    with pytest.raises(Gone):
        run("object.delete", object_id=ours.id)


def test_held_erasure_is_told_with_its_basis(world: VaultWorld, run: Run) -> None:
    kept = world.keep()
    ends = world.ground.now() + DAY_MS
    world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=ends, subject=ANN)
    with pytest.raises(Conflict):
        run("erasure.own", confirm="erase everything about me")
    (waiting,) = world.erasures.all(TENANT)
    shown = run("erasure.show", erasure_id=waiting.id)
    assert (shown.state, shown.held_for) == ("held", "tax-law")
    assert run("object.open", object_id=kept.id).content == b"content"


def test_records_carry_ids_and_never_names(world: VaultWorld, run: Run, recorder: ListRecorder) -> None:
    kept = world.keep(name="needle.txt", kind="needle")
    run("object.open", object_id=kept.id)
    run("object.delete", object_id=kept.id)
    assert [entry.facts.get("object") for entry in recorder.entries if entry.phase == "closed"] == [kept.id] * 2
    assert "needle" not in str(recorder.entries)


@pytest.mark.parametrize(
    ("model", "members"),
    [
        (m.ObjectList, {"limit": 0}),
        (m.ObjectList, {"limit": 1001}),
        (m.ObjectList, {"kind": "Not A Token"}),
        (m.ObjectNamed, {"object_id": "../etc"}),
        (m.ConsentGrant, {"purpose": "Free text", "notice": "v1"}),
        (m.EraseOwn, {"confirm": "yes"}),
        (m.EraseSubject, {"subject": ""}),
        (m.Nothing, {"surprise": 1}),
        (PersonOfObject, {"object_id": "obj_a", "person": "usr_" + "a" * 26}),  # whose it is stays unknown
    ],
)
def test_bad_requests_are_refused(model: type[m.Message], members: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**members)


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f"])
def test_control_characters_reach_no_column(sign: str) -> None:
    with pytest.raises(ValidationError):
        PersonOfObject(object_id="obj_a", person=f"a{sign}@example.org")
    with pytest.raises(ValidationError):
        MovePin(tenant_id="ten_a", signer=f"eu{sign}=" + "b" * 64)
