"""What a certificate says of the class of the roots that were destroyed."""

from __future__ import annotations

from typing import Any

import pytest

from troth.keys.units import Destruction, RootDestroyed
from troth.vault.claims import keys_of
from troth.vault.ledger import Erasure
from troth.vault.residual import EMPTIED, residual

DONE: dict[str, Any] = {"clear": {"by_deletion": {"count": 0}, "vendors": []}, "journal": {"journal": EMPTIED}}
DONE |= {"elsewhere": {"away": []}, "tombstone": {}}


def said(erasure: Erasure, *classes: str) -> str:
    roots = tuple(RootDestroyed(f"d{at}", "r", one, 1, "evidence") for at, one in enumerate(classes))
    return " ".join(residual(erasure, keys_of(Destruction(1, 1, 2, "a", "b", roots)), [], DONE))


@pytest.mark.parametrize(
    ("classes", "named"),
    [(("A0",), {"A0"}), (("A1",), {"A1"}), (("A2",), set()), (("A2", "A0"), {"A0"}), (("A1", "A0"), {"A0", "A1"})],
)
def test_every_class_but_hardware_has_its_reservation(classes: tuple[str, ...], named: set[str]) -> None:
    erasure = Erasure(**{name: "" for name in Erasure.__dataclass_fields__})  # type: ignore[arg-type]
    text = said(erasure, *classes)
    assert {one for one in ("A0", "A1", "A2") if f"class {one}" in text} == named
    assert ("snapshot" in text) is bool(named)


def test_domains_given_up_as_lost_are_named_in_every_certificate() -> None:
    erasure = Erasure(**{name: "" for name in Erasure.__dataclass_fields__})  # type: ignore[arg-type]
    root = (RootDestroyed("d0", "r", "A2", 1, "evidence"),)
    keys = keys_of(Destruction(1, 1, 2, "a", "b", root))
    text = " ".join(residual(erasure, keys, [], DONE | {"destroy": {"lost": ["hsm-old"]}}))
    assert "given up as lost: hsm-old. Their roots were not confirmed destroyed" in text
    assert "given up" not in " ".join(residual(erasure, keys, [], DONE | {"destroy": {"lost": []}}))


@pytest.mark.parametrize(("scope", "told"), [("subject", True), ("object", False), ("tenant", False)])
def test_the_address_of_the_last_letter_is_told(scope: str, told: bool) -> None:
    erasure = Erasure(**{name: "" for name in Erasure.__dataclass_fields__} | {"scope": scope})  # type: ignore[arg-type]
    assert ("at most 30 days" in said(erasure, "A2")) is told
