"""Aligned, certified, attested are different words; contact lies in a domain of the company (rows 11 and 12)."""

from __future__ import annotations

import pytest

from troth.promises.paper.splitting import Sentence
from troth.promises.paper.wording import contacts, wordings


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("We are SOC 2 certified.", ["soc2-certified"]),
        ("Our SOC2 Type II certification is current.", ["soc2-certified"]),
        ("We comply with SOC 2.", ["soc2-complies"]),
        ("Our controls are attested in a SOC 2 Type II report.", []),
        ("Our system mirrors ISO/IEC 27001.", ["iso-mirrors"]),
        ("Our system is aligned with ISO/IEC 27001.", []),
        ("We are ISO 27001 compliant.", ["iso-complies"]),
        ("We are certified to ISO 27001.", ["certificate"]),
        ("We are GDPR certified.", ["law-certified"]),
        ("Certified under ISO 27017 and SOC 2.", ["soc2-certified", "certificate"]),
        ("Disks are wiped by NIST SP 800-88 Rev. 1.", ["withdrawn"]),
        ("Disks are wiped by NIST SP 800-88 Rev. 2.", []),
        ("We use military-grade encryption.", ["absolute"]),
        ("It is 100 % secure.", ["absolute"]),
        ("We comply with the GDPR.", []),
    ],
)
def test_words_that_say_more_than_can_be_shown(text: str, codes: list[str]) -> None:
    assert [one.code for one in wordings(Sentence(1, 0, text))] == [f"wording/{one}" for one in codes]


def test_marks_of_emphasis_hide_nothing() -> None:
    assert wordings(Sentence(1, 0, "We are **SOC 2** `certified`."))
    assert wordings(Sentence(1, 0, "We are \uff33OC\u00a02 certified."))  # a full-width letter, a hard space


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("Mail privacy@a.example.", 0),
        ("Mail help@mail.a.example or see https://a.example/x.", 0),
        ("Mail me@b-a.example.", 1),
        ("See https://a.example@evil.example/.", 1),
        ("See https://a.example.evil.example/.", 1),
        ("Mail X@A.EXAMPLE and y@B.EXAMPLE.", 1),
    ],
)
def test_contact_lies_in_a_domain_of_the_company(text: str, strange: int) -> None:
    found = contacts(Sentence(1, 0, text), ("a.example",))
    assert [one.code for one in found] == ["contact-domain"] * strange
