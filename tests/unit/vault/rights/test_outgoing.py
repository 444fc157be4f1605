"""Notices that wait: who may send them, how often, and that the forgotten get none."""

from __future__ import annotations

from rights_world import OFFICER, RightsWorld
from troth.vault.rights.notices import Notice
from troth.vault.rights.outgoing import MAX_ATTEMPTS
from vault_world import ANN, TENANT


def test_the_first_notice_names_the_day_and_nothing_personal(rights: RightsWorld) -> None:
    made = rights.mail(text="I am Quillfeather")
    (letter,) = rights.outgoing.waiting()
    assert (letter.request.id, letter.notice, letter.automatic) == (made.id, Notice.RECEIPT, True)
    assert "22 December 2026" in letter.text
    assert "Quillfeather" not in letter.text + letter.title


def test_what_must_not_be_answered_by_a_machine_waits_for_a_person(rights: RightsWorld) -> None:
    rights.mail(answerable=False)
    (letter,) = rights.outgoing.waiting()
    assert not letter.automatic


def test_a_relay_that_never_takes_it_hands_it_to_a_person(rights: RightsWorld) -> None:
    rights.mail()
    for _ in range(MAX_ATTEMPTS):
        (letter,) = rights.outgoing.waiting()
        assert letter.automatic
        rights.outgoing.tried(letter)
    assert not rights.outgoing.waiting()[0].automatic


def test_the_forgotten_get_no_mail(rights: RightsWorld) -> None:
    rights.mail("ann@example.org")
    assert len(rights.outgoing.waiting()) == 1
    rights.holder.forget(TENANT, ANN)
    assert rights.outgoing.waiting() == []


def test_a_receipt_after_the_end_confirms_nothing(rights: RightsWorld) -> None:
    made = rights.mail()
    rights.handling.refuse(OFFICER, made.id, "not-a-request", "")
    rights.outgoing.sent(OFFICER, made.id, Notice.RECEIPT)
    assert [letter.notice for letter in rights.outgoing.waiting()] == [Notice.REFUSAL]
