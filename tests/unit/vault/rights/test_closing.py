"""Who asked to be forgotten is told once they are: the address was sealed apart, and goes with the letter."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from rights_world import OFFICER, RightsWorld, asker
from troth.kernel.errors import Gone, NotFound
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.closing import KEPT_MS
from troth.vault.rights.holder import RightsHolder
from troth.vault.rights.notices import Notice
from troth.vault.rights.outgoing import MAX_ATTEMPTS
from troth.vault.rights.register import Wish
from vault_world import ANN, TENANT


def asked_by_mail(rights: RightsWorld, sender: str = "ann@example.org", **members: object) -> str:
    made = rights.mail(sender, **members)
    if sender != "ann@example.org":
        rights.handling.verify(OFFICER, made.id, "known-channel", ANN)
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ERASURE))
    return made.id


def closings(rights: RightsWorld) -> list[dict[str, object]]:
    with rights.vault.database.read() as connection:
        return [dict(row) for row in connection.execute(select(store.closings)).mappings()]


def forgotten(rights: RightsWorld) -> None:
    """The keys of the person go first: the letter needs none of them."""
    rights.vault.tree.destroy_subject(TENANT, ANN)
    rights.holder.forget(TENANT, ANN)


def test_the_sender_and_the_account_are_told_after_the_keys_are_gone(rights: RightsWorld) -> None:
    made = asked_by_mail(rights, "ann.private@example.org")
    rights.upkeep.tidy()  # the message's own key goes; the letter has another
    assert {one.notice for one in rights.outgoing.waiting()} == {Notice.RECEIPT, Notice.RECEIPT_COPY}
    forgotten(rights)
    letters = rights.outgoing.waiting(TENANT)
    assert {(one.notice, one.address) for one in letters} == {
        (Notice.ERASED, "ann.private@example.org"),
        (Notice.ERASED, "ann@example.org"),
    }
    assert all(made in one.text and one.automatic for one in letters)
    assert ANN not in repr(closings(rights))
    for letter in letters:
        rights.outgoing.went(OFFICER, letter)
    assert rights.outgoing.waiting() == []
    assert rights.upkeep.tidy() == 2
    assert closings(rights) == []
    with pytest.raises(Gone):
        rights.register.texts.closing(TENANT, letters[0].closing or "", "x")


def test_a_letter_sealed_while_the_person_is_forgotten_goes_out_and_ends(
    rights: RightsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL another process may put it there until the request's row is locked."""
    made = asked_by_mail(rights)
    (letter,) = closings(rights)
    with rights.vault.database.write() as connection:
        connection.execute(delete(store.closings))
    let_go = RightsHolder._let_go

    def late(self: RightsHolder, connection: Any, row: dict[str, Any]) -> None:
        connection.execute(insert(store.closings), letter)
        let_go(self, connection, row)

    monkeypatch.setattr(RightsHolder, "_let_go", late)
    forgotten(rights)
    assert [one.request.id for one in rights.outgoing.waiting(TENANT)] == [made]


def test_who_asked_in_the_portal_is_told_at_their_account(rights: RightsWorld) -> None:
    rights.file(Kind.ERASURE)
    forgotten(rights)
    assert [one.address for one in rights.outgoing.waiting()] == ["ann@example.org"]


def test_nothing_is_sent_or_kept_when_it_ends_otherwise(rights: RightsWorld) -> None:
    made = asked_by_mail(rights)
    rights.handling.refuse(OFFICER, made, "nothing-held", "")
    assert [one["ready_at"] for one in closings(rights)] == [None]
    assert Notice.ERASED not in {one.notice for one in rights.outgoing.waiting()}
    assert rights.upkeep.tidy() == 1
    forgotten(rights)
    assert rights.outgoing.waiting() == []


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.OBJECTION])
def test_other_wishes_of_an_address_alone_seal_nothing(rights: RightsWorld, kind: Kind) -> None:
    made = rights.mail("ann@example.org")
    rights.handling.sort(OFFICER, made.id, Wish(kind=kind, purpose="sale"))
    rights.file(Kind.ACCESS)
    assert closings(rights) == []
    rights.register.confirm(asker(), made.id)
    assert len(closings(rights)) == 1


def test_a_list_that_proves_nothing_is_not_written_to(rights: RightsWorld) -> None:
    asked_by_mail(rights, answerable=False)
    assert closings(rights) == []


def test_what_cannot_be_sent_goes_to_a_person_and_in_the_end_unsent(rights: RightsWorld) -> None:
    made = asked_by_mail(rights)
    with pytest.raises(NotFound):
        rights.outgoing.sent(OFFICER, made, Notice.ERASED)  # nobody was forgotten yet
    forgotten(rights)
    for _ in range(MAX_ATTEMPTS):
        (letter,) = rights.outgoing.waiting()
        assert letter.automatic
        rights.outgoing.tried(letter)
    assert not rights.outgoing.waiting()[0].automatic
    rights.clock.forward(seconds=KEPT_MS / 1000 + 1)
    assert rights.upkeep.tidy() == 1
    assert (rights.outgoing.waiting(), closings(rights)) == ([], [])


def test_sent_by_hand_is_the_end_of_it(rights: RightsWorld) -> None:
    made = asked_by_mail(rights)
    forgotten(rights)
    rights.outgoing.sent(OFFICER, made, Notice.ERASED)
    assert rights.outgoing.waiting() == []


def test_the_letters_of_a_tenant_go_with_it(rights: RightsWorld) -> None:
    asked_by_mail(rights)
    rights.holder.forget(TENANT, ANN)
    rights.holder.close(TENANT)
    assert closings(rights) == []
