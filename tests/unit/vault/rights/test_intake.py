"""Messages become requests of nobody, or of somebody who must still confirm them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rights_world import OFFICER, RightsWorld, asker
from troth.kernel.errors import Conflict, Gone, NotFound, TooMany
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.register import MAX_OPEN, Wish
from troth.vault.rights.requests import Level, State
from vault_world import ANN, BOB, OTHER, TENANT


def test_a_stranger_is_received_and_not_believed(rights: RightsWorld) -> None:
    made = rights.mail()
    assert (made.state, made.level, made.kind, made.subject) == (State.RECEIVED, Level.NONE, Kind.UNSORTED, None)
    opened = rights.handling.opened(TENANT, made.id)
    assert (opened.written.text, opened.written.address) == ("Please erase me.", "stranger@example.org")


def test_the_sender_is_sealed(rights: RightsWorld) -> None:
    rights.mail("quillfeather@example.org", text="I am Quillfeather")
    rights.vault.database.checkpoint()
    assert not any(b"uillfeather" in content for content in rights.vault.files().values())
    assert "uillfeather" not in repr(rights.entries())


def test_an_address_with_an_account_is_asked_to_confirm(rights: RightsWorld) -> None:
    made = rights.mail("Ann@Example.org")
    assert (made.subject, made.level, made.state) == (ANN, Level.LOW, State.RECEIVED)
    assert [one.id for one in rights.register.listed(TENANT, ANN)] == [made.id]
    confirmed = rights.register.confirm(asker(), made.id)
    assert (confirmed.state, confirmed.level) == (State.VERIFIED, Level.HIGH)
    assert confirmed.confirmed_at is not None


def test_an_account_of_another_tenant_is_a_stranger(rights: RightsWorld) -> None:
    assert rights.mail("eve@example.org").subject is None


def test_a_forged_message_alone_reaches_nothing(rights: RightsWorld) -> None:
    made = rights.mail("ann@example.org")
    rights.handling.sort(OFFICER, made.id, Wish(kind=Kind.ERASURE))
    rights.handling.take(OFFICER, made.id)
    with pytest.raises(Conflict) as refusal:
        rights.handling.answer(OFFICER, made.id, "Here is everything.")
    assert refusal.value.code == "identity-not-shown"


def test_the_same_message_twice_is_one_request(rights: RightsWorld) -> None:
    assert rights.mail().id == rights.mail().id
    assert rights.mail(text="Another one.").id != rights.mail().id
    assert rights.events() == ["request.received"] * 2


def test_one_sender_cannot_fill_the_desk(rights: RightsWorld) -> None:
    for number in range(MAX_OPEN):
        rights.mail(text=f"Message {number}")
    with pytest.raises(TooMany):
        rights.mail("STRANGER@example.org", text="One more")
    assert rights.mail("other@example.org").open


def test_a_stranger_becomes_a_person_and_their_own_key_goes(rights: RightsWorld) -> None:
    made = rights.mail(text="It is me, Bob")
    before = _row(rights, made.id)
    rights.handling.verify(OFFICER, made.id, "known-channel", BOB)
    assert rights.register.own(TENANT, BOB, made.id).written.text == "It is me, Bob"
    assert rights.upkeep.tidy() == 1
    assert rights.upkeep.tidy() == 0
    assert rights.register.own(TENANT, BOB, made.id).written.text == "It is me, Bob"
    with pytest.raises(Gone):  # an old copy of the row opens no more
        rights.register.texts.written(before)


def test_nobody_is_given_what_belongs_to_somebody(rights: RightsWorld) -> None:
    made = rights.mail("ann@example.org")
    with pytest.raises(Gone):
        rights.handling.verify(OFFICER, made.id, "known-channel", BOB)
    other = rights.mail()
    with pytest.raises(NotFound):
        rights.handling.verify(OFFICER, other.id, "known-channel", "usr_eve")
    assert rights.people.belongs(OTHER, "usr_eve")


def _row(rights: RightsWorld, request: str) -> dict[str, object]:
    with rights.vault.database.read() as connection:
        found = connection.execute(select(store.requests).where(store.requests.c.id == request)).mappings().one()
        return {str(name): value for name, value in found.items()}


def test_of_two_officers_who_say_whose_it_is_the_second_is_refused(
    rights: RightsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, body = rights.mail(), rights.register.texts.body

    def slow(*given: object) -> object:
        monkeypatch.undo()
        assert rights.intake.adopt(TENANT, made.id, BOB)
        return body(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rights.register.texts, "body", slow)
    with pytest.raises(Gone) as refusal:
        rights.handling.verify(OFFICER, made.id, "document-seen", ANN)
    assert refusal.value.code == "request-adopted"
    assert rights.handling.opened(TENANT, made.id).request.level is Level.NONE
