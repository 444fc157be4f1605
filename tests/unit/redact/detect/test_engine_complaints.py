"""What users of other detectors complain of, held against the rule tier (the model tier has its own file)."""

from __future__ import annotations

import pytest

from troth.redact.detect import rules_detector


def found(text: str) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.kind) for s in rules_detector().detect(text)]


@pytest.mark.parametrize(
    "text",
    [
        "[12:01:44] GET /api/v1/items 200 1532 0.034",
        "Total: 1,204.50 at 14:05; 77 % of 1993 items",
        "Error 404 at 0x7ffde3a1, retry 3 of 5",
        "worker-3 processed 88213 rows in 34 ms, seq 1764001122 epoch 1764001122331",
    ],
)
def test_numbers_of_logs_are_nothing(text: str) -> None:
    """presidio#786, #1173, #1352; openai/privacy-filter#38."""
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Name: MARIA GONZALEZ", "MARIA GONZALEZ"),
        ("my name is maria gonzalez.", "maria gonzalez"),
        ("me llamo María González", "María González"),
    ],
)
def test_names_in_any_case_where_they_are_announced(text: str, name: str) -> None:
    """presidio#1354."""
    assert (name, "person") in found(text)


@pytest.mark.parametrize(
    "text",
    ["INTRODUCTORY NOTE: see chapters A1 and H1", "the public 12345678 figures", "A1, H1 and licentious 1234567"],
)
def test_short_codes_and_parts_of_words_are_no_licence(text: str) -> None:
    """presidio#1063, PR #2283: `lic` in `public` lifts nothing."""
    assert [kind for _, kind in found(text) if kind in ("driving_licence", "document_id")] == []


def test_numbers_of_other_countries_are_not_taken_for_american_ones() -> None:
    """presidio#1425, #1555."""
    assert found("ring 020 7946 0958") == [("020 7946 0958", "phone")]
    assert found("Patente U1K24R971Z") == [("U1K24R971Z", "driving_licence")]
    assert found("rodné číslo 710319/2745") == [("710319/2745", "cz_rc")]


def test_message_ids_are_no_telephones() -> None:
    """rocketride-server PR #1825: 124 `telephones` in one run, all message ids."""
    ids = "\n".join(f"msg {17640011223300 + 7919 * i} queued, id={9000000000 + 104729 * i}" for i in range(60))
    assert [kind for _, kind in found(ids) if kind == "phone"] == []


@pytest.mark.parametrize(
    "text",
    ["0.4111111111111111", "x=-12.4012888888881881", "ratio 3.378282246310005 of 1", "1.5500000000000004"],
)
def test_decimals_that_pass_luhn_are_no_cards(text: str) -> None:
    """zaproxy#6639, #8986."""
    assert found(text) == []


@pytest.mark.parametrize("text", ["platelets 15000 per ul", "WBC 12345, glucose 10115 umol", "dose 02110 mg"])
def test_clinical_values_are_no_postcodes(text: str) -> None:
    """Clinical-Insight-Engine#2275."""
    assert found(text) == []


def test_white_space_does_not_turn_an_address_of_mail_into_a_name() -> None:
    """presidio#635."""
    for text in ("anna.meier@example.org", " anna.meier@example.org", "\nanna.meier@example.org\n"):
        assert [kind for _, kind in found(text)] == ["email"]
