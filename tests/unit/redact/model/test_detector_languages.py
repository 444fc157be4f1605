"""Every tier with a model reads five languages, and leaves sentences alone that name nobody."""

from __future__ import annotations

import pytest

from troth.redact import tiers
from troth.redact.detect import KINDS

MODELS = [tier for tier in tiers.TIERS if tier != "rules"]
NAMED = (  # a text that the rules find nothing in, a person and a place
    ("Yesterday Nowicka flew to Rotterdam to sign the contract.", "Nowicka", "Rotterdam"),
    ("Gestern sagte Brinkmann in Wuppertal, der Vertrag sei unterschrieben.", "Brinkmann", "Wuppertal"),
    ("L'écrivaine Desrosiers vit à Grenoble avec sa famille.", "Desrosiers", "Grenoble"),
    ("El presidente Herrero viajó a Zaragoza para firmar el contrato.", "Herrero", "Zaragoza"),
    ("Ieri Ferrante è arrivato a Perugia per firmare il contratto.", "Ferrante", "Perugia"),
)
PLAIN = (
    "The meeting was moved to half past ten because the room was taken.",
    "Die Kosten des Verfahrens trägt die Beklagte, weil der Vertrag und die Rechnung fehlten.",
    "La décision sera publiée dans les prochains jours.",
    "El paciente evolucionó bien y recibió el alta.",
    "La riunione è stata spostata e la strada resta chiusa.",
)


@pytest.mark.parametrize("tier", MODELS)
@pytest.mark.parametrize(("text", "person", "place"), NAMED, ids=("en", "de", "fr", "es", "it"))
def test_names_and_places_are_found(tier: str, text: str, person: str, place: str) -> None:
    covered = [(KINDS[s.kind].label, text[s.start : s.end]) for s in tiers.detector(tier).detect(text)]
    assert any(label == "PERSON" and person in words for label, words in covered), covered
    assert any(label == "LOCATION" and place in words for label, words in covered), covered


@pytest.mark.parametrize("tier", MODELS)
def test_plain_sentences_are_left_alone(tier: str) -> None:
    assert {text: tiers.detector(tier).detect(text) for text in PLAIN} == {text: [] for text in PLAIN}


def test_all_tiers_are_shipped() -> None:
    assert tiers.TIERS == ("rules", "fast", "accurate", "cascade")
