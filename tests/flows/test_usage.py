"""What was used, from a request through the door to the page, the sums and the file."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from house import House, Person
from scriptless import Visit
from troth.gateway.limits.own import OwnLimits


def _see(home: House, who: Person, path: str) -> str:
    cookie = {"cookie": f"__Host-sid={who.headers['authorization'].removeprefix('Bearer ')}", "accept": "text/html"}
    response = home.client.get(path, headers=cookie)
    assert response.status_code == 200, (path, response.status_code)
    return str(response.text)


def test_a_request_is_seen_by_who_made_it_and_who_administers(home: House) -> None:
    owner = home.tenant("usage")
    ada, ben = (home.member(owner, f"{name}@usage.example.org") for name in ("ada", "ben"))
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "an-unusual-word"}]}
    home.ok("POST", "/v1/chat/completions", home.key_headers(ada, "generate"), **said)
    mine = home.ok("GET", "/v1/usage", ada.headers)
    assert (mine["total"]["requests"], list(mine["people"]), list(mine["models"])) == (1, [ada.id], ["troth-echo-1"])
    assert home.ok("GET", "/v1/usage", ben.headers)["total"]["requests"] == 0
    assert home.ok("GET", "/v1/tenant-usage", owner.headers)["people"].keys() == {ada.id}
    assert home.call("GET", "/v1/tenant-usage", ben.headers).status_code == 403
    assert home.call("GET", "/v1/tenant-usage/export", ben.headers).status_code == 403
    assert home.ok("GET", "/v1/tenant-usage", home.tenant("usage-elsewhere").headers)["total"]["requests"] == 0
    text = home.call("GET", "/v1/tenant-usage/export", owner.headers).text
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["subject"], row["operation"], row["outcome"]) == (ada.id, "chat.complete", "answered")
    assert "unusual" not in text
    shown = _see(home, ada, "/usage")
    assert shown.count("<rect") >= 28
    assert ("By day" in shown, "By person" in shown) == (True, False)
    assert ada.id in _see(home, owner, "/usage?of=tenant")
    assert ada.id not in _see(home, ben, "/usage?of=tenant")


def test_budgets_and_limits_are_set_on_a_page_and_seen_on_the_other(home: House) -> None:
    owner = home.tenant("budget-pages")
    visit, member = Visit(home, owner), Visit(home, home.member(owner, "mia@budget-pages.example.org"))
    budget = {"of": "tenant", "target": "", "per": "month", "amount": "250.00", "at_end": "stop"}
    assert visit.send("/limits/budgets", **budget).status_code == 422  # nobody said why
    assert visit.send("/limits/budgets", **budget, reason="rule").status_code == 303
    for name, most in (("requests-per-minute", "60"), ("money-per-day", "2.5"), ("requests-per-minute", "")):
        limit = {"of": "user", "target": "", "name": name, "most": most, "reason": "rule"}
        assert visit.send("/limits", **limit).status_code == 303
    shown = visit.see("/limits")
    assert ("money per day</td>" in shown, "requests per minute</td>" in shown) == (True, False)
    assert "0.00 of 250.00 USD" in visit.see("/usage?of=tenant")
    assert "Set a budget" not in member.see("/limits")
    assert member.send("/limits/budgets", **budget, reason="rule").status_code == 403
    (place,) = re.findall(r'action="(/limits/budgets/[^"]+/remove)"', shown)
    assert visit.send(place, reason="no-longer-needed").status_code == 303
    assert "No budget is set." in visit.see("/limits")


def test_a_limit_that_a_program_sets_meanwhile_is_not_lost_on_the_page(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = home.tenant("limits-at-once")
    setting = OwnLimits.set

    def interrupted(*place: Any, seen: int | None = None) -> None:
        monkeypatch.setattr(OwnLimits, "set", setting)
        home.ok("PUT", "/v1/limits", owner.headers, of="user", limits={"images-per-day": 7}, reason="rule")
        setting(*place, seen=seen)

    monkeypatch.setattr(OwnLimits, "set", interrupted)
    limit = {"of": "user", "target": "", "name": "tokens-per-day", "most": "9", "reason": "rule"}
    assert Visit(home, owner).send("/limits", **limit).status_code == 303
    (standing,) = home.ok("GET", "/v1/tenant-limits", owner.headers)["own"]
    assert standing["limits"] == {"images-per-day": "7", "tokens-per-day": "9"}
    stale = {"of": "user", "limits": {}, "seen": standing["set_at"] - 1, "reason": "rule"}
    answer = home.call("PUT", "/v1/limits", owner.headers, **stale)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale-limits")


def test_a_month_is_taken_as_a_file_from_the_page(home: House) -> None:
    owner = home.tenant("usage-file")
    visit = Visit(home, owner)
    place = "/usage/export?of=tenant&format="
    files = {one: home.client.get(place + one, headers=visit.cookie) for one in ("csv", "json")}
    assert files["csv"].text.startswith("at,request,subject,key,")
    assert files["json"].json() == []
    assert ".csv" in files["csv"].headers["content-disposition"]
