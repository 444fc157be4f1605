"""The calendar from the door on: what registers and other rooms keep with an end, for those who may read it."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from gateway_world import due_diligence
from house import House, Person
from register_calls import opened
from scriptless import Visit
from troth.governance.calendar_feeds import Feeds
from troth.governance.calendar_letters import Letters, composed
from troth.governance.calendar_tables import deliveries
from troth.governance.deliveries import Letter
from troth.governance.webhooks import PAPER, SUB_PROCESSOR
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Gone, NotFound
from troth.kernel.scope import SYSTEM, within
from troth.mail.alarms import Message
from troth.promises.paper.store import paper_version
from troth.wiring.reminding import People

LATE = {"name": "A fire", "touches": "A"}  # nobody said when it is looked at again: that is due at once


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("calendar")
    roles = {"officer": "privacy-officer", "analyst": "security-analyst", "member": "member"}
    made = {name: home.member(owner, f"{name}@calendar.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


def test_registers_and_rooms_stand_in_one_list(home: House, people: dict[str, Person]) -> None:
    late = opened(home, people["owner"], "risks", **LATE)
    home.ok("POST", "/v1/requests", people["member"].headers, kind="access")
    found = home.ok("GET", "/v1/calendar", people["owner"].headers, days=400)
    rooms = {one["form"] for one in found["dues"]}
    assert {"risks", "requests", "access-reviews", "keys"} <= rooms
    assert (found["unjudged"], found["overdue"] >= 1) == ([], True)
    states = [one["state"] for one in found["dues"]]
    assert sorted(states, key=["lapsed", "overdue", "due", "soon", "later"].index) == states
    assert late in {one["record"] for one in found["dues"] if one["state"] == "overdue"}
    assert len(found["weeks"]) == 13
    short = home.ok("GET", "/v1/calendar", people["owner"].headers, limit=1)
    assert (len(short["dues"]), short["more"]) == (1, True)


def test_each_sees_what_their_role_reads(home: House, people: dict[str, Person]) -> None:
    home.ok("POST", "/v1/requests", people["member"].headers, kind="portability")

    def rooms(who: str) -> set[str]:
        return {one["form"] for one in home.ok("GET", "/v1/calendar", people[who].headers, days=800)["dues"]}

    assert "requests" in rooms("officer")
    assert "requests" not in rooms("analyst")
    assert "keys" not in rooms("officer")
    assert home.call("GET", "/v1/calendar", people["member"].headers).status_code == 403
    assert home.call("GET", "/v1/calendar").status_code == 401
    assert home.call("GET", "/v1/calendar", people["owner"].headers, days=801).status_code == 422


def test_another_tenant_sees_its_own(home: House, people: dict[str, Person]) -> None:
    late = opened(home, people["owner"], "risks", **LATE)
    request = home.ok("POST", "/v1/requests", people["member"].headers, kind="objection", purpose="analytics")["id"]
    found = home.ok("GET", "/v1/calendar", home.tenant("calendar-there").headers, days=800)
    assert not {late, request} & {one["record"] for one in found["dues"]}


def test_the_page_says_overdue_in_words(home: House, people: dict[str, Person]) -> None:
    late = opened(home, people["owner"], "risks", **LATE)
    seen = Visit(home, people["owner"].headers).see("/calendar")
    assert f"/registers/risks/{late}" in seen
    assert 'class="state broken">overdue' in seen
    assert "<svg" in seen
    assert "<script" not in seen
    officers = Visit(home, people["officer"].headers).see("/calendar")
    assert "Keys of the service" not in officers


def test_a_feed_is_for_its_person_until_it_ends(home: House, people: dict[str, Person]) -> None:
    opened(home, people["owner"], "risks", **LATE)
    home.ok("POST", "/v1/requests", people["member"].headers, kind="rectification")
    officer, analyst = (
        home.ok("POST", "/v1/calendar/feed", people[who].headers)["url"] for who in ("officer", "analyst")
    )
    assert home.ok("GET", "/v1/calendar", people["officer"].headers)["subscribed"]
    read = home.client.get(path(officer))
    assert read.headers["content-type"].startswith("text/calendar")
    assert "(requests)" in read.text
    assert "(requests)" not in home.client.get(path(analyst)).text
    for person in people.values():
        assert person.id not in read.text
        assert person.email not in read.text
    second = home.ok("POST", "/v1/calendar/feed", people["officer"].headers)["url"]
    assert home.client.get(path(officer)).json()["code"] == "no-feed"
    home.ok("DELETE", "/v1/calendar/feed", people["officer"].headers)
    assert home.client.get(path(second)).status_code == 404
    assert home.call("DELETE", "/v1/calendar/feed", people["officer"].headers).json()["code"] == "no-feed"
    assert home.call("POST", "/v1/calendar/feed", people["member"].headers).status_code == 403
    assert home.client.get("/v1/calendar-feeds/short").status_code == 422


def path(url: str) -> str:
    return "/v1/calendar-feeds/" + url.rpartition("/")[2]


def test_a_wrong_address_writes_nothing(home: House) -> None:
    """Anybody may try addresses: none of it takes the turn of who writes."""
    feeds: Feeds = home.system.dispatcher.registry["calendar.subscribe"].run.__self__.feeds
    reading: Any = SimpleNamespace(read=home.system.base.database.read)  # that cannot write
    with pytest.raises(NotFound) as refused:
        replace(feeds, database=reading).read("A" * 43)
    assert refused.value.code == "no-feed"


def test_a_feed_shows_nothing_to_who_lost_the_role(home: House, people: dict[str, Person]) -> None:
    left = home.member(people["owner"], "left@calendar.example.org", "privacy-officer")
    feed = path(home.ok("POST", "/v1/calendar/feed", left.headers)["url"])
    assert home.client.get(feed).status_code == 200
    home.ok("DELETE", f"/v1/users/{left.id}/roles/privacy-officer", people["owner"].headers)
    assert home.client.get(feed).status_code == 404
    home.ok("POST", f"/v1/users/{left.id}/roles", people["owner"].headers, role="privacy-officer")
    assert home.client.get(feed).status_code == 404  # an address that died stays dead


def test_a_feed_of_a_custom_role_is_what_the_role_reads_then(home: House, people: dict[str, Person]) -> None:
    owner = people["owner"].headers
    opened(home, people["owner"], "risks", **LATE)
    wish = {"name": "calendar-reader", "groups": ["govern"]}
    role = home.ok("POST", "/v1/custom-roles", owner, **wish)["id"]
    reader = home.member(people["owner"], "custom@calendar.example.org", "member")
    assert home.call("POST", "/v1/calendar/feed", reader.headers).status_code == 403
    home.ok("POST", f"/v1/users/{reader.id}/roles", owner, role=role)
    feed = path(home.ok("POST", "/v1/calendar/feed", reader.headers)["url"])
    seen = {one["form"] for one in home.ok("GET", "/v1/calendar", reader.headers, days=800)["dues"]}
    read = home.client.get(feed).text
    rooms = {"risks", "requests", "keys"}
    assert {name for name in rooms if f"({name})" in read} == seen & rooms
    assert {"risks", "keys"} <= seen  # as an admin, and not what officers alone read
    home.ok("POST", f"/v1/custom-roles/{role}", owner, groups=["audit"])
    assert home.client.get(feed).status_code == 404


def test_the_page_says_that_nobody_is_told(home: House) -> None:
    owner = home.tenant("untold")
    assert "<strong>Nobody is told:</strong>" in Visit(home, owner.headers).see("/calendar")
    home.ok("POST", "/v1/webhooks", owner.headers, url="https://hooks.example.org/troth")
    seen = Visit(home, owner.headers).see("/calendar")
    assert "<strong>No mail is sent:</strong>" in seen
    assert "Nobody is told" not in seen
    assert home.ok("GET", "/v1/calendar", owner.headers)["told_by"] == ["webhook"]


def test_a_letter_goes_only_to_who_is_here(home: House, people: dict[str, Person]) -> None:
    """The address is looked up when the letter goes: who went meanwhile, or stands elsewhere, is not written to."""
    known = People(home.system.base, lambda: home.system)
    left = home.member(people["owner"], "gone@calendar.example.org", "admin")
    assert known.address(left.tenant, left.id) == left.email
    with pytest.raises(NotFound):
        known.address(home.tenant("letters-there").tenant, left.id)
    home.ok("POST", f"/v1/users/{left.id}/disable", people["owner"].headers)
    letter = Letter("dlv_a", left.tenant, "mail", left.id, "test", "{}", 1)
    with pytest.raises(Gone):
        Letters(Taking, known.address, "https://troth.example.org", "calendar@example.org").send(letter)


class Taking:
    """A relay that takes everything."""

    def post(self, message: Message, sender: str) -> None:
        raise AssertionError(f"{sender} wrote {message.title}")


def test_webhooks_are_for_administrators_and_public_addresses(home: House, people: dict[str, Person]) -> None:
    owner, officer = people["owner"].headers, people["officer"].headers
    made = home.ok("POST", "/v1/webhooks", owner, url="https://hooks.example.org/troth")
    assert made["secret"].startswith("whsec_")
    (shown,) = home.ok("GET", "/v1/webhooks", officer)["webhooks"]
    assert (shown["id"], "secret" in shown) == (made["id"], False)
    assert home.call("POST", "/v1/webhooks", officer, url="https://hooks.example.org/b").status_code == 403
    for url in ("https://127.0.0.1/x", "http://hooks.example.org/x", "https://[::1]/x", "https://169.254.169.254/"):
        refused = home.call("POST", "/v1/webhooks", owner, url=url)
        assert (refused.status_code, refused.json()["code"]) == (422, "webhook-address-refused")
    there = home.tenant("webhooks-there").headers
    place = f"/v1/webhooks/{made['id']}"
    for method, at in (("POST", f"{place}/test"), ("POST", f"{place}/rotate"), ("DELETE", place)):
        assert home.call(method, at, officer).status_code == 403
        assert home.call(method, at, there).json()["code"] == "webhook-not-found"
    assert home.ok("GET", "/v1/webhooks", there)["webhooks"] == []
    assert home.ok("POST", f"{place}/rotate", owner)["secret"] != made["secret"]
    home.ok("DELETE", place, owner)
    assert home.ok("GET", "/v1/webhooks", owner)["webhooks"] == []


def test_reminders_reach_webhooks_and_what_fails_is_red(home: House, people: dict[str, Person]) -> None:
    owner = home.tenant("reminded")
    desk = Visit(home, owner.headers)
    added = desk.send("/calendar/webhooks", url="https://hooks.example.org/troth")
    assert "whsec_" in added.text
    opened(home, owner, "risks", **LATE)
    governance = home.system.governance
    with within(SYSTEM):
        assert governance.reminders.round(owner.tenant) >= 1
        assert governance.reminders.round(owner.tenant) == 0
        mine = update(deliveries).where(deliveries.c.tenant == owner.tenant)
        with home.system.base.database.write() as connection:
            assert connection.execute(mine.values(tries=4, trouble="webhook-away")).rowcount == 1
    page = desk.see("/calendar")
    assert "Not everybody was told" in page
    assert "the server cannot be reached" in page
    shown = home.ok("GET", "/v1/calendar", owner.headers)
    assert (shown["failing"], shown["dead"]) == (1, 0)
    assert "Not everybody was told" in desk.see("/home")
    hook = home.ok("GET", "/v1/webhooks", owner.headers)["webhooks"][0]["id"]
    assert desk.send(f"/calendar/webhooks/{hook}/remove").status_code == 200
    assert "Not everybody was told" not in desk.see("/calendar")
    assert desk.send(f"/calendar/webhooks/{hook}/celebrate").status_code == 404
    assert "/v1/calendar-feeds/" in desk.send("/calendar/feed").text
    assert "Done." in desk.send("/calendar/feed/end").text


def test_who_asked_for_news_is_told_once_of_sub_processors_and_of_the_paper(home: House) -> None:
    base, governance = home.system.base, home.system.governance
    now = epoch_ms(base.clock.now())
    asked, other = home.tenant("news"), home.tenant("no-news")
    wish = {"url": "https://hooks.example.org/news", "events": ["sub-processor.announced", "paper.published"]}
    hook = home.ok("POST", "/v1/webhooks", asked.headers, **wish)["id"]
    wish = {"url": "https://hooks.example.org/due", "events": ["calendar.reminder"]}
    home.ok("POST", "/v1/webhooks", other.headers, **wish)
    assert home.call("POST", "/v1/webhooks", asked.headers, **wish | {"events": ["sky"]}).status_code == 422
    facts = due_diligence(now, base_url="https://vendor.example.org", regions=("eu",))
    with within(SYSTEM):
        vendors = home.system.gateway.vendors
        vendors.add("acme", facts, None, "usr_first")
        assert governance.news.run() == 0  # a draft is nobody's business
        vendors.approve("acme", "usr_second")
        version = {"number": 1, "paper": "ours", "version": "2", "text": "", "binding": "", "digest": "d"}
        proposed = {"proposed_by": "usr_1", "proposed_at": now}
        with base.database.write() as connection:
            connection.execute(insert(paper_version), version | proposed)
        assert (governance.news.run() >= 1, governance.news.run()) == (True, 0)
        approved = {"approved_by": "usr_2", "approved_at": now, "effective_at": now + 1}
        with base.database.write() as connection:
            connection.execute(update(paper_version).values(approved))
        assert (governance.remind() >= 1, governance.news.run()) == (True, 0)
        with base.database.write() as connection:
            mine = deliveries.c.tenant.in_([asked.tenant, other.tenant]), deliveries.c.kind != "calendar.reminder"
            rows = connection.execute(select(deliveries).where(*mine).order_by(deliveries.c.kind)).mappings().all()
            connection.execute(delete(paper_version))
    assert [(row["target"], row["kind"]) for row in rows] == [(hook, PAPER), (hook, SUB_PROCESSOR)]
    told = [json.loads(row["body"])["data"] for row in rows]
    assert (told[0]["version"], told[1]["name"], told[1]["region"]) == ("2", "Acme Models", "eu")
    letter = Letter("dlv_a", asked.tenant, "mail", asked.id, PAPER, rows[0]["body"], now, hook)
    title, text = composed(letter, "https://troth.example.org/calendar")
    assert title == "Our paper ours has a version 2"
    assert "/trust" in text
    assert "What it is told" in (seen := Visit(home, asked.headers).see("/calendar"))
    assert "new sub-processors, versions of our paper" in seen
