"""The officer's moves, and what each leaves on record and in the post."""

from __future__ import annotations

import pytest

from rights_world import OFFICER, RightsWorld, asker
from troth.kernel.errors import Conflict, Denied, Gone, NotFound
from troth.vault.rights.clocks import Kind, Law, Urgency
from troth.vault.rights.handling import Handling
from troth.vault.rights.notices import Notice
from troth.vault.rights.register import By, Wish
from troth.vault.rights.requests import Level, State
from vault_world import ANN, OTHER, TENANT

STRANGER = By(tenant=OTHER, actor="usr_eve", call="req_eve")


def test_from_receipt_to_answer(rights: RightsWorld) -> None:
    made = rights.file(text="Everything, please.")
    assert rights.handling.take(OFFICER, made.id).officer == OFFICER.actor
    rights.clock.forward(days=3)
    done = rights.handling.answer(OFFICER, made.id, "Take the archive.")
    assert (done.state, done.closed_at) == (State.ANSWERED, rights.vault.ground.now())
    assert rights.register.own(TENANT, ANN, made.id).answer == "Take the archive."
    assert rights.events() == ["request.received", "request.taken", "request.answered"]
    assert {entry["actor"] for entry in rights.entries()} == {ANN, OFFICER.actor}


def test_a_longer_term_once(rights: RightsWorld) -> None:
    made = rights.file()
    rights.handling.take(OFFICER, made.id)
    longer = rights.handling.extend(OFFICER, made.id, "complexity")
    assert longer.due(rights.calendar).isoformat() == "2027-02-22"
    with pytest.raises(Conflict) as refusal:
        rights.handling.extend(OFFICER, made.id, "complexity")
    assert refusal.value.code == "extended-already"
    rights.clock.forward(days=40)
    assert (
        rights.handling.answer(OFFICER, made.id, "Here.").urgency(rights.clock.now(), rights.calendar)
        is Urgency.ON_TIME
    )


def test_a_longer_term_after_the_first_is_refused(rights: RightsWorld) -> None:
    made = rights.file()
    rights.clock.forward(days=31)
    with pytest.raises(Conflict) as refusal:
        rights.handling.extend(OFFICER, made.id, "complexity")
    assert refusal.value.code == "extension-too-late"


def test_refusing_says_why(rights: RightsWorld) -> None:
    made = rights.file()
    done = rights.handling.refuse(OFFICER, made.id, "legal-duty", "Tax law keeps it until 2030.")
    assert (done.state, done.reason) == (State.REFUSED, "legal-duty")
    assert rights.register.own(TENANT, ANN, made.id).answer == "Tax law keeps it until 2030."
    assert rights.entries()[-1]["facts"]["reason"] == "legal-duty"


def test_sorting_keeps_the_clock_from_receipt(rights: RightsWorld) -> None:
    made = rights.mail("ann@example.org")
    rights.clock.forward(days=5)
    found = rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ACCESS))
    assert (found.kind, found.received_at) == (Kind.ACCESS, made.received_at)
    with pytest.raises(Conflict):
        rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.UNSORTED))


def test_a_message_nobody_sorted_is_not_answered(rights: RightsWorld) -> None:
    made = rights.mail("ann@example.org")
    rights.register.confirm(asker(), made.id)
    rights.handling.take(OFFICER, made.id)
    with pytest.raises(Conflict) as refusal:
        rights.handling.answer(OFFICER, made.id, "Hello.")
    assert refusal.value.code == "unsorted"


def test_answering_an_objection_from_a_mail_ends_the_use(rights: RightsWorld) -> None:
    rights.vault.consents.grant(TENANT, ANN, "training", notice="v1")
    made = rights.mail("ann@example.org", text="No training with my data")
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.OBJECTION, purpose="training"))
    rights.handling.take(OFFICER, made.id)
    rights.handling.answer(OFFICER, made.id, "It is off.")
    assert rights.vault.consents.valid(TENANT, ANN, "training") is None
    assert rights.register.objections.standing(TENANT, ANN) == {"training"}


def test_verification_by_an_officer_says_how(rights: RightsWorld) -> None:
    made = rights.mail()
    seen = rights.handling.verify(OFFICER, made.id, "in-person", None)
    assert (seen.level, seen.state) == (Level.HIGH, State.VERIFIED)
    assert rights.handling.opened(TENANT, made.id).means == "in-person"


def test_officers_of_another_tenant_find_nothing(rights: RightsWorld) -> None:
    made = rights.mail()
    for act in (
        lambda: rights.handling.opened(OTHER, made.id),
        lambda: rights.handling.take(STRANGER, made.id),
        lambda: rights.handling.sort(STRANGER, made.id, Wish(kind=Kind.ACCESS)),
        lambda: rights.handling.verify(STRANGER, made.id, "in-person", None),
        lambda: rights.handling.extend(STRANGER, made.id, "complexity"),
        lambda: rights.handling.answer(STRANGER, made.id, "x"),
        lambda: rights.handling.refuse(STRANGER, made.id, "duplicate", ""),
        lambda: rights.handling.acknowledge(STRANGER, made.id, Notice.RECEIPT),
    ):
        with pytest.raises(NotFound):
            act()
    assert rights.handling.queue(OTHER) == []
    assert rights.outgoing.waiting(OTHER) == []


def test_the_most_urgent_stands_first(rights: RightsWorld) -> None:
    late = rights.file()
    rights.clock.forward(days=25)
    soon = rights.file()
    done = rights.file(Kind.OPT_OUT)
    rights.clock.forward(days=6)
    assert [one.id for one in rights.handling.queue(TENANT)] == [late.id, soon.id, done.id]


def test_a_receipt_sent_by_hand_confirms_once(rights: RightsWorld) -> None:
    made = rights.mail()
    (letter,) = rights.outgoing.waiting(TENANT)
    assert (letter.address, letter.notice) == ("stranger@example.org", Notice.RECEIPT)
    told = rights.handling.acknowledge(OFFICER, made.id, Notice.RECEIPT)
    assert (told.state, told.confirmed_at) == (State.CONFIRMED, rights.vault.ground.now())
    rights.clock.forward(days=1)
    assert rights.handling.acknowledge(OFFICER, made.id, Notice.RECEIPT).confirmed_at == told.confirmed_at
    assert rights.outgoing.waiting(TENANT) == []
    with pytest.raises(NotFound):
        rights.handling.acknowledge(OFFICER, made.id, Notice.ANSWER)


def test_who_wrote_a_mail_is_told_by_mail(rights: RightsWorld) -> None:
    made = rights.mail()
    rights.handling.acknowledge(OFFICER, made.id, Notice.RECEIPT)
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ACCESS))
    rights.handling.verify(OFFICER, made.id, "in-person", None)
    rights.handling.take(OFFICER, made.id)
    rights.handling.extend(OFFICER, made.id, "number-of-requests")
    rights.clock.forward(seconds=1)
    rights.handling.answer(OFFICER, made.id, "We hold nothing of you.")
    extension, answer = rights.outgoing.waiting(TENANT)
    assert "22 February 2027" in extension.text
    assert "We hold nothing of you." in answer.text


def test_who_asked_in_the_portal_gets_no_mail(rights: RightsWorld) -> None:
    made = rights.file()
    rights.handling.refuse(OFFICER, made.id, "duplicate", "")
    assert rights.outgoing.waiting(TENANT) == []


def test_nobody_handles_their_own_request(rights: RightsWorld) -> None:
    made, mailed = rights.file(), rights.mail()
    ann = By(tenant=TENANT, actor=ANN, call="req_ann")
    for attempt in (
        lambda: rights.handling.take(ann, made.id),
        lambda: rights.handling.sort(ann, made.id, Wish(kind=Kind.ERASURE)),
        lambda: rights.handling.verify(ann, made.id, "in-person", None),
        lambda: rights.handling.verify(ann, mailed.id, "in-person", ANN),
        lambda: rights.handling.acknowledge(ann, made.id, Notice.RECEIPT),
        lambda: rights.handling.extend(ann, made.id, "complexity"),
        lambda: rights.handling.answer(ann, made.id, "Done."),
        lambda: rights.handling.refuse(ann, made.id, "duplicate", ""),
    ):
        with pytest.raises(Denied) as refusal:
            attempt()
        assert refusal.value.code == "own-request"
    assert rights.register.listed(TENANT, ANN) == [made]


def test_a_wish_to_be_erased_is_answered_by_an_erasure(rights: RightsWorld) -> None:
    kept = rights.vault.keep()
    made = rights.file(Kind.ERASURE)
    rights.handling.take(OFFICER, made.id)
    with pytest.raises(Conflict) as refusal:
        rights.handling.answer(OFFICER, made.id, "Erased.")
    assert refusal.value.code == "not-erased"
    rights.vault.erasures.request(TENANT, ANN, actor=OFFICER.actor, request="req_1", object_id=kept.id)
    assert rights.handling.answer(OFFICER, made.id, "That picture is erased.").state is State.ANSWERED


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.UNSORTED])
def test_an_address_alone_neither_gives_out_nor_takes_away(rights: RightsWorld, kind: Kind) -> None:
    """Every kind: refused, or a use stops and everything that is kept stays."""
    given = rights.vault.consents.grant(TENANT, ANN, "training", notice="v1")
    kept = rights.vault.keep(b"by consent", purpose="training")
    made = rights.mail("ann@example.org")
    rights.handling.sort(OFFICER, made.id, Wish(kind=kind, purpose="training"))
    rights.handling.take(OFFICER, made.id)
    if kind in (Kind.OBJECTION, Kind.OPT_OUT):
        rights.handling.answer(OFFICER, made.id, "The use has stopped.")
        stopped = {"training"} if kind is Kind.OBJECTION else {"sale", "sharing"}
        assert rights.register.objections.standing(TENANT, ANN) == stopped
        assert (rights.vault.consents.valid(TENANT, ANN, "training") is None) == (kind is Kind.OBJECTION)
        for purpose in stopped:
            with pytest.raises(Denied):
                rights.vault.keep(b"more", purpose=purpose)
    else:
        with pytest.raises(Conflict) as refusal:
            rights.handling.answer(OFFICER, made.id, "Here.")
        assert refusal.value.code == "identity-not-shown"
        assert "My requests" in refusal.value.advice
    rights.vault.retention.sweep()
    assert rights.vault.objects.open(TENANT, ANN, kept.id)[1] == b"by consent"
    assert next(one for one in rights.vault.consents.history(TENANT, ANN)).withdrawn_at is given.withdrawn_at is None


@pytest.mark.parametrize("proof", ["sign-in", "officer"])
def test_a_proven_objection_ends_what_was_kept_by_the_consent(rights: RightsWorld, proof: str) -> None:
    rights.vault.consents.grant(TENANT, ANN, "training", notice="v1")
    kept = rights.vault.keep(b"by consent", purpose="training")
    forged = rights.mail("ann@example.org", text="Stop.")
    rights.handling.sort(OFFICER, forged.id, Wish(kind=Kind.OBJECTION, purpose="training"))
    rights.handling.take(OFFICER, forged.id)
    rights.handling.answer(OFFICER, forged.id, "The use has stopped.")  # unproven: what is kept stays
    made = rights.mail("ann@example.org", text="And end it.")
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.OBJECTION, purpose="training"))
    if proof == "sign-in":
        rights.register.confirm(asker(), made.id)
    else:
        rights.handling.verify(OFFICER, made.id, "video-call", None)
    rights.handling.take(OFFICER, made.id)
    rights.handling.answer(OFFICER, made.id, "It ended.")
    with pytest.raises(Gone):
        rights.vault.objects.open(TENANT, ANN, kept.id)


def test_a_key_and_a_browser_signal_stop_a_use_and_keep_the_data(rights: RightsWorld) -> None:
    rights.vault.consents.grant(TENANT, ANN, "training", notice="v1")
    kept = rights.vault.keep(b"by consent", purpose="training")
    assert rights.register.signal(TENANT, ANN, "req_gpc")
    rights.file(Kind.OBJECTION, by=asker(level=Level.LOW), purpose="training")
    assert rights.vault.consents.valid(TENANT, ANN, "training") is None
    assert rights.vault.objects.open(TENANT, ANN, kept.id)
    (raised,) = [one for one in rights.register.objections.history(TENANT, ANN) if one.purpose == "training"]
    rights.register.objections.lift(TENANT, ANN, raised.id, request="req_lift")
    assert rights.vault.consents.valid(TENANT, ANN, "training")  # nobody withdrew it


def test_what_an_officer_does_on_request_asks_for_proof_too(rights: RightsWorld) -> None:
    rights.register.require_proven(TENANT, ANN, Kind.RESTRICTION)  # nobody asked: the officer's own decision
    made = rights.mail("ann@example.org")
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.RESTRICTION))
    with pytest.raises(Conflict) as refusal:
        rights.register.require_proven(TENANT, ANN, Kind.RESTRICTION)
    assert refusal.value.code == "identity-not-shown"
    rights.register.confirm(asker(), made.id)
    rights.register.require_proven(TENANT, ANN, Kind.RESTRICTION)


def test_sorting_an_overdue_message_anew_leaves_it_overdue(rights: RightsWorld) -> None:
    made = rights.mail("ann@example.org")
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ACCESS))
    rights.clock.forward(days=35)
    again = rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ERASURE, law=Law.CCPA))
    assert again.urgency(rights.clock.now(), rights.calendar) is Urgency.OVERDUE
    (stored,) = [one for one in rights.handling.queue(TENANT) if one.id == made.id]
    assert (stored.due(rights.calendar).isoformat(), stored.law) == ("2026-12-22", Law.CCPA)


def test_the_only_officer_may_where_the_settings_say_so(rights: RightsWorld) -> None:
    made = rights.file()
    ann = By(tenant=TENANT, actor=ANN, call="req_ann")
    alone = Handling(rights.register, rights.intake, rights.outgoing, sole_officer=True)
    with pytest.raises(Denied):  # another officer can
        alone.take(ann, made.id)
    rights.people.officers = {ANN}
    with pytest.raises(Denied):  # the settings do not permit it
        rights.handling.take(ann, made.id)
    alone.take(ann, made.id)
    alone.answer(ann, made.id, "Here.")
    assert [entry["facts"].get("role") for entry in rights.entries()] == [None, "sole-officer", "sole-officer"]


def test_the_accounts_own_address_learns_what_another_address_asked(rights: RightsWorld) -> None:
    made = rights.mail("stranger@example.org", text="It is me, Ann.")
    rights.handling.verify(OFFICER, made.id, "known-channel", ANN)
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ACCESS))
    rights.handling.take(OFFICER, made.id)
    rights.clock.forward(seconds=1)
    rights.handling.answer(OFFICER, made.id, "Here it is.")
    letters = {(one.notice, one.address): one for one in rights.outgoing.waiting(TENANT)}
    assert letters.keys() == {
        (Notice.RECEIPT, "stranger@example.org"),
        (Notice.RECEIPT_COPY, "ann@example.org"),
        (Notice.ANSWER, "stranger@example.org"),
        (Notice.ANSWER_COPY, "ann@example.org"),
    }
    copy = letters[Notice.ANSWER_COPY, "ann@example.org"]
    assert "Here it is." in copy.text
    assert "another" in copy.text
    for letter in letters.values():
        rights.outgoing.went(OFFICER, letter)
    assert rights.outgoing.waiting(TENANT) == []


def test_who_writes_from_their_own_address_is_told_once(rights: RightsWorld) -> None:
    made = rights.mail("Ann@example.org")
    rights.handling.refuse(OFFICER, made.id, "duplicate", "Answered last week.")
    assert [one.notice for one in rights.outgoing.waiting(TENANT)] == [Notice.RECEIPT, Notice.REFUSAL]
