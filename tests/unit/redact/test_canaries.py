"""Canaries must be able to survive, or the measure says nothing."""

from __future__ import annotations

import pytest

from troth.redact.canaries import leak_bound, planted_kinds, survives, with_luhn
from troth.redact.detect import Span, rules_detector
from troth.redact.detect.checks import luhn
from troth.redact.policy import training_policy
from troth.redact.rows import RowRedactor

ROWS = [
    {"text": "The parcel is late. Nobody answers. What now?", "n": 3},
    {"nested": {"a": ["A short note.\nAnd more."]}},
]


class Blind:
    """Finds nothing of one kind, or nothing at all."""

    version = "blind"

    def __init__(self, kind: str = "") -> None:
        self.kind = kind

    def detect(self, text: str) -> list[Span]:
        return [s for s in rules_detector().detect(text) if self.kind and s.kind != self.kind]


def redactor(detector: object) -> RowRedactor:
    return RowRedactor(detector, training_policy(), b"k" * 32)  # type: ignore[arg-type]


def test_the_rules_leave_none() -> None:
    bound = leak_bound(ROWS, redactor(rules_detector()), 300, "seed")
    assert (bound.planted, bound.left) == (300, 0)
    assert bound.recall_lower == pytest.approx(0.05 ** (1 / 300), abs=1e-6)


def test_a_blind_detector_leaves_all() -> None:
    bound = leak_bound(ROWS, redactor(Blind()), 60, "seed")
    assert bound.left == 60
    assert bound.recall_lower == 0


@pytest.mark.parametrize("kind", ["iban", "us_ssn", "birth_date", "github_token"])
def test_one_missing_kind_shows(kind: str) -> None:
    assert 0 < leak_bound(ROWS, redactor(Blind(kind)), 60, "seed").left < 60


def test_repeatable_and_never_changes_the_rows() -> None:
    before = repr(ROWS)
    first = leak_bound(ROWS, redactor(Blind("iban")), 60, "a")
    assert first == leak_bound(ROWS, redactor(Blind("iban")), 60, "a")
    assert repr(ROWS) == before


def test_nothing_to_plant_in() -> None:
    assert leak_bound([], redactor(rules_detector()), 10, "x").planted == 0
    assert leak_bound([{"n": 1}], redactor(rules_detector()), 15, "x").left == 0


def test_survival_is_partial_and_new() -> None:
    assert survives("4111111111111111", {"t": "xx 41111111 xx"}, {"t": ""})
    assert not survives("4111111111111111", {"t": "<CREDIT_CARD>"}, {"t": ""})
    assert not survives("4111111111111111", {"t": "41111111"}, {"t": "41111111"})


def test_numbers() -> None:
    assert luhn(with_luhn("411111111111111"))
    assert "email" in planted_kinds(training_policy())
    assert "date" not in planted_kinds(training_policy())
