"""A review of administrators on the pages, from the empty table to the last finding cleared up."""

from __future__ import annotations

import re

from house import House
from scriptless import Visit
from troth.kernel.scope import SYSTEM, within


def test_a_review_on_the_pages(home: House) -> None:
    owner = home.tenant("reviewed")
    other = home.member(owner, "other@reviewed.example.org", "owner")
    home.system.base.sequencer.flush()
    page, theirs = Visit(home, other), Visit(home, owner)
    assert "waits" in page.see("/reviews")
    begun = page.send("/reviews")
    assert begun.status_code == 303
    here = begun.headers["location"]
    shown = page.see(here)
    assert "Added a person" in shown
    assert other.id in shown  # whom it concerned
    (index,) = re.findall(r'id="act-(\d+)"', shown)
    assert f'href="/entries/{index}"' in shown
    assert "Somebody else judges this one" in theirs.see(here)
    assert theirs.send(f"{here}/acts/{index}/verdict", verdict="fine").status_code == 403
    assert page.send(f"{here}/closing").status_code == 409
    assert page.send(f"{here}/acts/{index}/verdict", verdict="wrong").status_code == 422
    assert page.send(f"{here}/acts/{index}/verdict", verdict="wrong", reason="mistake").status_code == 303
    assert "To clear up" in page.see("/reviews")
    assert page.send(f"{here}/closing").status_code == 303
    assert page.send(f"{here}/acts/{index}/follow-up", reason="corrected").status_code == 303
    assert "Cleared up: it was corrected" in page.see(here)
    home.system.base.sequencer.flush()
    table = page.see("/reviews")
    assert ("reviewed</span>" in table, "nothing waits" in table, "To clear up" in table) == (True, True, False)
    assert "Judged an act in a review" in page.see("/decisions")
    with within(SYSTEM):
        assert home.system.reviewing.watch.sound(owner.tenant)
    auditor = home.member(owner, "auditor@reviewed.example.org", "auditor")
    home.system.base.sequencer.flush()
    assert "Begin the next review" in page.see("/reviews")
    reading = Visit(home, auditor)  # an auditor reads what others judged
    assert "Begin the next review" not in reading.see("/reviews")
    assert "Cleared up" in reading.see(here)
    assert reading.send("/reviews").status_code == 403


def test_others_see_no_reviews(home: House) -> None:
    owner = home.tenant("closed")
    member = home.member(owner, "member@closed.example.org")
    for path in ("/reviews", "/decisions"):
        headers = {"cookie": f"__Host-sid={member.headers['authorization'][7:]}", "accept": "text/html"}
        assert home.client.get(path, headers=headers).status_code == 403
    assert "nothing waits" in Visit(home, home.tenant("idle")).see("/reviews")


def test_an_operator_reviews_the_operators_log(home: House) -> None:
    home.system.base.sequencer.flush()
    page = Visit(home, home.operator)
    table = page.see("/reviews")
    assert "of this service" in table
    assert "any operator" in table
