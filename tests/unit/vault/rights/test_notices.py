"""What people are told: the day, the reason, where to complain, and nothing that would tell a forger anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rights_world import RightsWorld
from troth.vault.rights.notices import Notice, subject_line, text_of
from troth.vault.rights.requests import REASONS, WHY_LONGER

DUE = date(2027, 2, 3)


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_names_the_request(rights: RightsWorld, notice: Notice) -> None:
    made = rights.mail(text="I am Quillfeather")
    text = text_of(notice, made, DUE, "As we wrote.")
    assert made.id in text
    assert made.id in subject_line(notice, made.id)
    assert "Quillfeather" not in text
    assert "{" not in text


def test_terms_are_told_as_a_day(rights: RightsWorld) -> None:
    made = rights.mail()
    assert "3 February 2027" in text_of(Notice.RECEIPT, made, DUE)
    for reason in WHY_LONGER:
        told = text_of(Notice.EXTENSION, replace(made, reason=reason), DUE)
        assert "3 February 2027" in told
        assert "because it is complex" in told or "because there are many requests" in told


@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_says_why_and_where_to_complain(rights: RightsWorld, reason: str) -> None:
    told = text_of(Notice.REFUSAL, replace(rights.mail(), reason=reason), DUE, "We are sorry.")
    assert reason.replace("-", " ") in told
    assert "We are sorry." in told
    assert "data protection authority" in told
    assert "court" in told


def test_the_receipt_asks_for_a_sign_in_and_promises_nothing_before(rights: RightsWorld) -> None:
    told = text_of(Notice.RECEIPT, rights.mail(), DUE)
    assert "sign in" in told
    assert "nothing happens without the confirmation" in told
