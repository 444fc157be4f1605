"""The register: people ask, see their own, and what can act at once does."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rights_world import RightsWorld, asker
from troth.kernel.errors import Conflict, Gone, Invalid, NotFound, TooMany
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind, Law
from troth.vault.rights.register import MAX_OPEN
from troth.vault.rights.requests import Level, State
from vault_world import ANN, BOB, OTHER, TENANT


def test_a_signed_in_person_is_known_and_told_at_once(rights: RightsWorld) -> None:
    made = rights.file(text="What do you have of me?")
    assert (made.state, made.level, made.confirmed_at) == (State.VERIFIED, Level.HIGH, made.received_at)
    opened = rights.register.own(TENANT, ANN, made.id)
    assert (opened.written.text, opened.answer) == ("What do you have of me?", None)
    assert rights.events() == ["request.received"]


def test_a_program_with_a_key_is_not_yet_the_person(rights: RightsWorld) -> None:
    made = rights.file(by=asker(level=Level.LOW))
    assert (made.state, made.level) == (State.CONFIRMED, Level.LOW)
    with pytest.raises(Conflict) as refusal:
        rights.register.confirm(asker(level=Level.LOW), made.id)
    assert refusal.value.code == "identity-not-shown"
    assert rights.register.confirm(asker(), made.id).state is State.VERIFIED


def test_nothing_is_kept_in_clear(rights: RightsWorld) -> None:
    rights.file(text="Quillfeather writes")
    with rights.vault.database.read() as connection:
        rows = connection.execute(select(store.requests)).all()
    assert b"uillfeather" not in repr([tuple(row) for row in rows]).encode()
    rights.vault.database.checkpoint()
    assert not any(b"uillfeather" in content for content in rights.vault.files().values())
    assert "uillfeather" not in repr(rights.entries())


@pytest.mark.parametrize("by", [asker(BOB), asker(ANN, OTHER)])
def test_requests_of_others_do_not_exist(rights: RightsWorld, by: object) -> None:
    made = rights.file()
    for act in (
        lambda: rights.register.own(by.tenant, by.subject, made.id),  # type: ignore[attr-defined]
        lambda: rights.register.confirm(by, made.id),  # type: ignore[arg-type]
        lambda: rights.register.withdraw(by, made.id),  # type: ignore[arg-type]
    ):
        with pytest.raises(NotFound):
            act()
    assert rights.register.listed(by.tenant, by.subject) == []  # type: ignore[attr-defined]


def test_an_objection_ends_the_use_at_once_and_for_as_long_as_it_stands(rights: RightsWorld) -> None:
    consents = rights.vault.consents
    consents.grant(TENANT, ANN, "training", notice="v1")
    kept = consents.grant(TENANT, ANN, "vendor-retention", notice="v1")
    rights.choices.change(ANN, "training", "by-consent")
    made = rights.file(Kind.OBJECTION, purpose="training")
    assert (made.state, made.closed_at) == (State.ANSWERED, made.received_at)
    assert consents.valid(TENANT, ANN, "training") is None
    assert consents.valid(TENANT, ANN, "vendor-retention") == kept.id
    assert rights.choices.of(ANN)["training"] == "off"
    with pytest.raises(Conflict) as refusal:
        consents.grant(TENANT, ANN, "training", notice="v2")
    assert refusal.value.code == "objected"
    assert consents.grant(TENANT, BOB, "training", notice="v1").subject == BOB
    (objection,) = rights.register.objections.history(TENANT, ANN)
    rights.register.objections.lift(TENANT, ANN, objection.id, request="req_own")
    assert consents.valid(TENANT, ANN, "training") is None  # taking it back is no consent
    rights.clock.forward(seconds=1)
    assert consents.grant(TENANT, ANN, "training", notice="v2").purpose == "training"


def test_an_objection_names_its_purpose(rights: RightsWorld) -> None:
    with pytest.raises(Invalid):
        rights.file(Kind.OBJECTION)
    with pytest.raises(Invalid):
        rights.file(Kind.OBJECTION, purpose="breathing")
    assert rights.register.listed(TENANT, ANN) == []


def test_an_opt_out_stops_sale_and_sharing(rights: RightsWorld) -> None:
    rights.choices.change(ANN, "sharing", "tenant")
    rights.file(Kind.OPT_OUT)
    assert rights.register.objections.standing(TENANT, ANN) == {"sale", "sharing"}
    assert rights.choices.of(ANN)["sharing"] == "off"


def test_a_browser_signal_counts_once(rights: RightsWorld) -> None:
    assert [rights.register.signal(TENANT, ANN, "req_gpc") for _ in range(3)] == [True, False, False]
    assert rights.events() == ["objection.raised"] * 2
    assert {one.source for one in rights.register.objections.history(TENANT, ANN)} == {"gpc"}
    assert rights.register.objections.standing(TENANT, BOB) == frozenset()


def test_the_signal_speaks_again_after_it_was_overruled(rights: RightsWorld) -> None:
    rights.register.signal(TENANT, ANN, "req_gpc")
    for one in rights.register.objections.history(TENANT, ANN):
        rights.register.objections.lift(TENANT, ANN, one.id, request="req_own")
    assert rights.register.objections.standing(TENANT, ANN) == frozenset()
    assert rights.register.signal(TENANT, ANN, "req_gpc")


def test_open_requests_are_bounded(rights: RightsWorld) -> None:
    for _ in range(MAX_OPEN):
        rights.file()
    with pytest.raises(TooMany):
        rights.file()
    rights.register.withdraw(asker(), rights.register.listed(TENANT, ANN)[0].id)
    assert rights.file().open


def test_forged_mails_shut_nobody_out(rights: RightsWorld) -> None:
    for number in range(MAX_OPEN):
        rights.mail("ann@example.org", text=f"Forged {number}")
    assert rights.file().open


def test_what_was_taken_back_is_closed(rights: RightsWorld) -> None:
    made = rights.file()
    assert rights.register.withdraw(asker(), made.id).state is State.WITHDRAWN
    with pytest.raises(Conflict):
        rights.register.withdraw(asker(), made.id)


def test_an_erased_person_asks_no_more(rights: RightsWorld) -> None:
    rights.vault.keep()
    rights.vault.erase()
    with pytest.raises(Gone):
        rights.file()


def test_the_law_can_be_named(rights: RightsWorld) -> None:
    assert rights.file(law=Law.CCPA).law is Law.CCPA
    assert rights.file().law is Law.GDPR
