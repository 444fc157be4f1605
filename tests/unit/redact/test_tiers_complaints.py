"""What users of other detectors complain of, held against the model tier."""

from __future__ import annotations

import pytest

from troth.redact.detect import Detector
from troth.redact.tiers import TIERS, detector


@pytest.fixture(scope="module", params=[tier for tier in TIERS if tier != "rules"])
def model(request: pytest.FixtureRequest) -> Detector:
    return detector(request.param)


def persons(model: Detector, text: str) -> str:
    return " ".join(text[s.start : s.end] for s in model.detect(text) if s.kind == "person")


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-11 08:12:55,120 INFO worker-3 processed 88213 rows in 34 ms",
        "[12:01:44] GET /api/v1/items 200 1532 0.034",
        "Total: 1,204.50 at 14:05; 77 % of 1993 items",
        "Error 404 at 0x7ffde3a1, retry 3 of 5",
        "commit 5fd7921525c555cc23525c5e718c145ca11d85c2 touches 14 files",
    ],
)
def test_numbers_and_time_stamps_of_logs_are_no_persons(model: Detector, text: str) -> None:
    assert persons(model, text) == ""


@pytest.mark.parametrize("name", ["Maria Gonzalez", "MARIA GONZALEZ", "maria gonzalez"])
def test_names_in_any_case(model: Detector, name: str) -> None:
    text = f"Please call {name} tomorrow, {name} is waiting."
    assert persons(model, text).split() == [*name.split(), *name.split()]


def test_short_codes_and_capitals_are_no_driving_licences(model: Detector) -> None:
    text = "INTRODUCTORY NOTE: see chapters A1 and H1 of the public licence."
    assert [s.kind for s in model.detect(text) if s.kind in ("driving_licence", "document_id")] == []


@pytest.mark.parametrize("address", ["250 Bel Marin Keys Boulevard, Novato", "Hauptstraße 12, 10115 Berlin"])
def test_addresses_are_found(model: Detector, address: str) -> None:
    text = f"My address is {address}."
    covered = {
        i for s in model.detect(text) if s.kind in ("address", "place", "postcode") for i in range(s.start, s.end)
    }
    value = text.index(address)
    wanted = [i for i in range(value, value + len(address)) if text[i].isalnum()]
    assert len([i for i in wanted if i in covered]) >= 0.8 * len(wanted)


def test_white_space_does_not_turn_an_address_of_mail_into_a_name(model: Detector) -> None:
    for text in ("anna.meier@example.org", " anna.meier@example.org", "\nanna.meier@example.org\n"):
        assert [s.kind for s in model.detect(text)] == ["email"]


def test_the_same_person_has_the_same_kind_everywhere(model: Detector) -> None:
    text = "Wolfgang Petersen wrote it. Petersen's draft was long; PETERSEN cut it. Later Petersen left."
    assert persons(model, text).count("etersen") + persons(model, text).count("PETERSEN") == 4


def test_decimals_and_identifiers_that_pass_luhn_are_no_cards(model: Detector) -> None:
    text = '{"id": 4539578763621486234, "ratio": 0.4111111111111111, "ts": 1700000000000}'
    assert [s.kind for s in model.detect(text) if s.kind == "payment_card"] == []
