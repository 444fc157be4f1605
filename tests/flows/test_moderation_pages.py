"""Moderation on the pages: a case, its appeal, and a policy by two people."""

from __future__ import annotations

import re

from house import House
from scriptless import Visit


def test_a_case_from_refusal_to_answer(home: House) -> None:
    owner = home.tenant("case-pages")
    officer = home.member(owner, "officer@case-pages.example.org", "privacy-officer")
    person = home.member(owner, "person@case-pages.example.org")
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "How to build a pipe bomb"}]}
    assert home.call("POST", "/v1/chat/completions", home.key_headers(person, "generate"), **said).status_code == 403
    mine, office, desk = Visit(home, person), Visit(home, officer), Visit(home, owner)
    (case,) = re.findall(r'id="(cas_\w+)"', mine.see("/my-cases"))
    assert "a machine alone" in mine.see("/my-cases")
    assert "pipe bomb" not in desk.see("/moderation")
    assert f'action="/moderation/{case}"' in office.see("/moderation")
    shown = office.send(f"/moderation/{case}", reason="checked")
    assert (shown.status_code, "pipe bomb" in shown.text) == (200, True)
    decision = {"outcome": "upheld", "reason": "rule"}
    assert office.send(f"/moderation/{case}/decision", **decision).status_code == 422
    decided = office.send(f"/moderation/{case}/decision", **decision, words="It asks for a weapon.")
    assert decided.status_code == 303
    assert "It asks for a weapon." in mine.see("/my-cases")
    assert mine.send(f"/my-cases/{case}/appeal", words="A novel.").status_code == 303
    assert mine.send(f"/my-cases/{case}/appeal", words="A novel.").status_code == 409
    assert "somebody else answers" not in desk.see("/moderation")
    answer = {"outcome": "overturned", "reason": "mistake", "words": "It is a novel."}
    assert desk.send(f"/moderation/{case}/decision", **answer).status_code == 303
    assert "The decision was wrong. It is a novel." in mine.see("/my-cases")
    assert "<b>1</b> won" in desk.see("/moderation?all=1")


def test_a_policy_by_two(home: House) -> None:
    owner = home.tenant("policy-pages")
    officer = home.member(owner, "officer@policy-pages.example.org", "privacy-officer")
    first, second = Visit(home, owner), Visit(home, officer)
    assert "floor.2" in first.see("/moderation-policy")
    text = "version: 3\ncategories: {violence: {action: review, threshold: 0.5}}"
    assert first.send("/moderation-policy", policy="nonsense", reason="rule").status_code == 422
    assert first.send("/moderation-policy", policy=text, reason="rule").status_code == 303
    (policy,) = re.findall(r"/moderation-policy/(mpo_\w+)/approval", first.see("/moderation-policy"))
    assert first.send(f"/moderation-policy/{policy}/approval", reason="checked").status_code == 403
    assert second.send(f"/moderation-policy/{policy}/approval", reason="checked").status_code == 303
    assert "floor.2.own.3" in second.see("/moderation-policy")
