"""Registers on the pages, without a script: open, propose, approve by a second person, history, a table."""

from __future__ import annotations

import html
import re

import pytest

from house import House, Person
from scriptless import Visit
from troth.governance.forms.reading import shipped


@pytest.fixture(scope="module")
def people(home: House) -> tuple[Person, Person]:
    owner = home.tenant("register-pages")
    return owner, home.member(owner, "second@register-pages.example.org", "owner")


def filled(**values: str) -> dict[str, str]:
    return {f"value-{name}": value for name, value in values.items()}


def opened(desk: Visit, form: str, **values: str) -> str:
    """Open a record; where its page is."""
    sent = desk.send(f"/registers/{form}", **filled(**values))
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"])


def test_a_policy_from_its_draft_to_its_approval(home: House, people: tuple[Person, Person]) -> None:
    mine, theirs = (Visit(home, person.headers) for person in people)
    place = opened(mine, "policies", name="Access <b>to</b> rooms", document="obj_1", change="major")
    draft = mine.see(place)
    assert "Access &lt;b&gt;to&lt;/b&gt; rooms" in draft
    assert mine.send(f"{place}/moves/propose", seen="1").status_code == 303
    dates = filled(effective="2026-01-01", review_by="2199-01-01")
    refused = mine.send(f"{place}/moves/approve", seen="2", **dates)
    assert (refused.status_code, "A second person is needed" in refused.text) == (403, True)
    assert theirs.send(f"{place}/moves/approve", seen="1", **dates).status_code == 412
    assert theirs.send(f"{place}/moves/approve", seen="2", **dates).status_code == 303
    page = theirs.see(place)
    assert re.search(r"in.force", page)
    assert page.count("<tr>") == 4  # the head, and three entries
    listed = mine.see("/registers/policies?state=in-force&text=rooms")
    assert place in listed
    assert place not in mine.see("/registers/policies?state=retired")
    overview = mine.see("/registers")
    assert place in overview  # its review is due one day
    assert "kept elsewhere" in overview


@pytest.mark.parametrize("seen", ["", "²", "1e0", "0", "9" * 5000])
def test_a_move_says_which_entry_was_seen(home: House, people: tuple[Person, Person], seen: str) -> None:
    """Otherwise nothing would guard against moving what somebody else changed meanwhile."""
    desk = Visit(home, people[0].headers)
    place = opened(desk, "policies", name="Keys", document="obj_1", change="major")
    assert desk.send(f"{place}/moves/propose", seen=seen).status_code == 422
    assert "draft" in desk.see(place)


def test_what_is_missing_is_said_on_the_page(home: House, people: tuple[Person, Person]) -> None:
    desk = Visit(home, people[0].headers)
    refused = desk.send("/registers/policies", **filled(name="Alone"))
    assert refused.status_code == 422
    assert "needs the field" in refused.text
    unknown = desk.send("/registers/policies", **filled(name="A", author="usr_other", document="d", change="major"))
    assert unknown.status_code == 422


def test_a_table_is_taken_away(home: House, people: tuple[Person, Person]) -> None:
    desk = Visit(home, people[0].headers)
    opened(desk, "policies", name="=1+1", document="obj_1", change="minor")
    table = home.client.get("/registers/policies/csv", headers=people[0].headers)
    assert table.headers["content-type"].startswith("text/csv")
    assert "'=1+1" in table.text


def test_every_form_has_its_page(home: House, people: tuple[Person, Person]) -> None:
    desk = Visit(home, people[0].headers)
    for form in shipped().values():
        if form.source is None:
            assert form.title in html.unescape(desk.see(f"/registers/{form.name}"))
    assert "Visitors" in desk.see("/registers/visitors")  # of the folder: no code knows it


def test_who_may_not_read_a_register_has_no_page_of_it(home: House, people: tuple[Person, Person]) -> None:
    owner, _ = people
    member = home.member(owner, "member@register-pages.example.org")
    for path in ("/registers", "/registers/policies"):
        assert home.client.get(path, headers=member.headers, follow_redirects=False).status_code == 403
