"""What sentences claim, in several companies' words."""

from __future__ import annotations

import pytest

from troth.promises.paper.claims import Claim, claimed, claims
from troth.promises.paper.splitting import Sentence, sentences


def said(text: str) -> dict[str, object]:
    return {one.parameter: set(one.value) if isinstance(one.value, frozenset) else one.value
            for one in claims(Sentence(1, 0, text))}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Traffic uses TLS 1.2 or 1.3.", {"tls-minimum": 1.2}),
        ("Everything travels over TLSv1.3, with AES-128 at rest.", {"tls-minimum": 1.3, "aes-bits": 128}),
        ("Models are trained on redacted data, with permission.", {"training-needs": {"redaction", "consent"}}),
        ("Your prompts never train a model.", {"training-needs": {"no-training-at-all"}}),
        ("Our staff is trained how models fail, yearly.", {"training-months": 12}),
        ("Customers and users are informed of a breach within two working days.",
         {"told": {"clients", "users"}, "notice-hours": 48}),
        ("The regulator is told no later than 72 hours after a breach.", {"authority-hours": 72}),
        ("All servers stand in Germany and Canada.", {"regions": {"Germany", "Canada"}}),
        ("We host with AWS and Azure.", {"hosting-providers": {"aws", "azure"}}),
        ("Keys live in HSMs validated to FIPS 140-3.", {"key-place": "fips-140-3"}),
        ("Keys lie in files.", {"key-place": "software"}),
        ("Everybody does a course every three months.", {"training-months": 3}),
        ("Two penetration tests per year are made by others.", {"pentests-per-year": 2}),
        ("Pentests take place 5 times a year.", {"pentests-per-year": 5}),
        ("Regular penetration tests are made.", {}),
        ("Our security team is on duty 24/7.", {"watch-hours": 168}),
        ("Somebody is on call during office hours.", {"watch-hours": 40}),
        ("Alarms are acknowledged within 5 minutes.", {"alarm-minutes": 5}),
        ("No vendor may retain data.", {"vendor-terms": {"no-retention-at-all"}}),
        ("Providers sign an agreement and encrypt.", {"vendor-terms": {"contract", "encryption"}}),
        ("We erase live copies and backups by NIST SP 800-88.", {"erasure": {"live", "backups", "nist-800-88"}}),
        ("Deletion is done within a week.", {"erasure-days": 7}),
        ("Configuration reviews are monthly.", {"config-reviews-per-year": 12}),
        ("An external audit takes place annually.", {"external-audits-per-year": 1}),
        ("We bake bread.", {}),
    ],
)  # fmt: skip
def test_what_a_sentence_claims(text: str, expected: dict[str, object]) -> None:
    assert said(text) == {name: pytest.approx(value) if isinstance(value, float | int) else value
                          for name, value in expected.items()}  # fmt: skip


def test_only_belongs_to_the_claim() -> None:
    assert claims(Sentence(1, 0, "Data is stored only in Europe.")) == (Claim("regions", frozenset({"EU"}), only=True),)


def test_what_leads_to_an_item_counts_for_it() -> None:
    found = sentences("We delete from:\n\n• live systems\n• backups")
    values = [claim.value for _, claim in claimed(found)["erasure"]]
    assert values == [frozenset({"live"}), frozenset({"backups"})]
