"""A tenant takes out more of its prompts than the service does, and cannot take out less."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from house import House, Person
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM, within
from troth.redact import tenant_policies
from troth.redact.tenant_policies import policies
from troth.vault import fences
from troth.vault.ground import tenant_digest

VENDOR = resources.files("troth.redact").joinpath("policies", "vendor.yaml").read_text(encoding="utf-8")
OWN = "detectors: [{name: project, words: [quarterly budget], decision: label}]\n" + VENDOR.replace(
    "name: vendor", "name: omega"
)
SAME = {"origin": "https://localhost", "sec-fetch-site": "same-origin", "accept": "text/html"}


@pytest.fixture(scope="module")
def redacting(home: House) -> Person:
    return home.tenant("redacting")


@pytest.fixture
def owner(home: House, redacting: Person) -> Person:
    home.call("DELETE", "/v1/redaction-policy", redacting.headers, reason="checked")  # of the test before
    return redacting


def ask(home: House, person: Person, text: str) -> tuple[str, dict[str, Any]]:
    """(the answer, the receipt) of one message to the model of this machine."""
    key = home.key_headers(person, "generate", "own-data")
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": text}]}
    response = home.call("POST", "/v1/chat/completions", key, **said)
    assert response.status_code == 200, response.text
    receipt = home.ok("GET", f"/v1/receipts/{response.headers['x-request-id']}", person.headers)
    return response.json()["choices"][0]["message"]["content"], receipt


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_policy_in_force(home: House, owner: Person) -> None:
    text = "What is the quarterly budget, asks maria@example.org?"
    before = ask(home, owner, text)[1]
    shown = home.ok("GET", "/v1/redaction-policy", owner.headers)
    assert (shown["own"], shown["name"], shown["detectors"]) == (False, "vendor", [])
    made = home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=OWN, reason="checked")
    assert (made["own"], made["name"], made["detectors"]) == (True, "omega", ["project"])
    after = ask(home, owner, text)[1]
    assert "quarterly budget" in str(before)
    assert "quarterly budget" not in str(after)
    assert home.call("GET", "/v1/redaction-policy/text", owner.headers).content.decode() == OWN
    with home.system.base.database.read(SYSTEM) as connection:
        row = connection.execute(select(policies).where(policies.c.tenant == owner.tenant)).one()
    assert b"quarterly" not in row.sealed
    home.system.base.sequencer.flush()
    log = home.ok("GET", "/v1/activity", owner.headers)
    assert "redaction.policy" in str(log)
    assert "quarterly" not in str(log)


def test_other_tenants_keep_theirs(home: House, owner: Person) -> None:
    home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=OWN, reason="checked")
    other = home.tenant("unredacting")
    assert not home.ok("GET", "/v1/redaction-policy", other.headers)["own"]
    assert "quarterly budget" in str(ask(home, other, "What is the quarterly budget?")[1])
    assert refusal(home.call("GET", "/v1/redaction-policy/text", other.headers)) == (404, "no-own-policy")


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (VENDOR.replace("  phone: pseudonym\n", ""), 422, "policy-incomplete"),
        (VENDOR.replace("  phone: pseudonym", "  phone: {keep: we like to call people}"), 403, "policy-too-weak"),
        ("kinds: {us_ssn: {keep: we like numbers a lot}}\n" + VENDOR, 403, "policy-too-weak"),
        ("allow: [{value: a@example.org, reason: our public desk}]\n" + VENDOR, 403, "policy-too-weak"),
        ("detectors: [{name: x_y, entry_point: nowhere, decision: label}]\n" + VENDOR, 503, "detector-down"),
        ("a: &a [*a]", 422, "policy-invalid"),
        ("{" * 5000, 422, "policy-invalid"),
    ],
)
def test_what_is_refused(home: House, owner: Person, text: str, status: int, code: str) -> None:
    assert refusal(home.call("PUT", "/v1/redaction-policy", owner.headers, policy=text, reason="checked")) == (
        status,
        code,
    )


def test_what_only_a_model_finds(home: House, owner: Person) -> None:
    text = "Tell Priya Raghunathan that Lufthansa called."
    vendors = str(ask(home, owner, text)[1])
    assert ("Raghunathan" in vendors, "Lufthansa" in vendors) == (False, True)
    stricter = VENDOR.replace("  organisation:\n    keep:", "  organisation: label\n  #")
    home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=stricter, reason="checked")
    assert "Lufthansa" not in str(ask(home, owner, text)[1])
    home.ok("DELETE", "/v1/redaction-policy", owner.headers, reason="checked")


def test_members_see_it_and_do_not_change_it(home: House, owner: Person) -> None:
    member = home.member(owner, "mia@redacting.example.org")
    assert home.ok("GET", "/v1/redaction-policy", member.headers)["name"]
    for method, path in (("PUT", ""), ("DELETE", ""), ("GET", "/text")):
        body = {"policy": OWN} if method == "PUT" else {}
        assert home.call(method, f"/v1/redaction-policy{path}", member.headers, **body).status_code == 403


def test_a_changed_row_stops_everything(home: House, owner: Person) -> None:
    home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=OWN, reason="checked")
    database = home.system.base.database
    with database.write(SYSTEM) as connection:
        sealed = connection.execute(select(policies.c.sealed).where(policies.c.tenant == owner.tenant)).scalar()
        wrong = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute(update(policies).where(policies.c.tenant == owner.tenant).values(sealed=wrong))
    with within(SYSTEM), pytest.raises(IntegrityError):
        home.system.gateway.redactor.begin(owner.tenant)
    assert home.ok("DELETE", "/v1/redaction-policy", owner.headers, reason="checked")["name"] == "vendor"
    assert refusal(home.call("DELETE", "/v1/redaction-policy", owner.headers, reason="checked")) == (
        404,
        "no-own-policy",
    )


def test_the_page(home: House, owner: Person) -> None:
    cookie = {"cookie": f"__Host-sid={owner.headers['authorization'].removeprefix('Bearer ')}"} | SAME
    seen = home.client.get("/redaction", headers=cookie)
    assert "Telephone and fax numbers" in seen.text
    form = cookie | {"content-type": "application/x-www-form-urlencoded"}
    sent = home.client.post("/redaction", headers=form, data={"policy": OWN, "reason": "rule"}, follow_redirects=False)
    assert sent.status_code == 303
    assert "quarterly budget" in home.client.get("/redaction", headers=cookie).text
    weak = VENDOR.replace("  phone: pseudonym", "  phone: {keep: we like to call people}")
    weakly = {"policy": weak, "reason": "rule"}
    refused = home.client.post("/redaction", headers=form, data=weakly, follow_redirects=False)
    assert refused.status_code == 403
    assert "the kind phone" in refused.text
    cleared = home.client.post("/redaction/clear", headers=form, data={"reason": "rule"}, follow_redirects=False)
    assert cleared.status_code == 303
    assert not home.ok("GET", "/v1/redaction-policy", owner.headers)["own"]


def test_a_request_in_flight_puts_nothing_back_after_the_erasure(home: House) -> None:
    leaving = home.tenant("redacting-and-leaving")
    home.ok("PUT", "/v1/redaction-policy", leaving.headers, policy=OWN, reason="checked")
    with within(SYSTEM), home.system.base.database.write(SYSTEM) as connection:
        fences.end(connection, tenant_digest(leaving.tenant), "ers_1", 0)
    (holder,) = (one for one in home.system.vault.holders if one.name == "redaction")
    with within(SYSTEM):
        holder.close(leaving.tenant)  # type: ignore[attr-defined]
    late = home.call("PUT", "/v1/redaction-policy", leaving.headers, policy=OWN, reason="checked")
    assert refusal(late) == (410, "subject-erased")
    with home.system.base.database.read(SYSTEM) as connection:
        assert connection.execute(select(policies).where(policies.c.tenant == leaving.tenant)).first() is None


def test_an_erasure_in_another_process_reaches_the_memory_of_this_one(
    home: House, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=OWN, reason="checked")
    database = home.system.base.database
    with database.write(SYSTEM) as connection:
        connection.execute(delete(policies).where(policies.c.tenant == owner.tenant))
    assert tenant_policies._opened.cache_info().currsize
    monkeypatch.setattr("troth.redact.tenant_policies._OPENED_FOR", timedelta())
    assert not home.ok("GET", "/v1/redaction-policy", owner.headers)["own"]
    assert not tenant_policies._opened.cache_info().currsize


def test_gone_with_the_tenant(home: House, owner: Person) -> None:
    home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=OWN, reason="checked")
    assert tenant_policies._opened.cache_info().currsize
    (holder,) = (one for one in home.system.vault.holders if one.name == "redaction")
    with within(SYSTEM):
        assert holder.close(owner.tenant).identifiers == ("redaction-policy",)  # type: ignore[attr-defined]
        assert holder.close(owner.tenant).identifiers == ()  # type: ignore[attr-defined]
    assert not tenant_policies._opened.cache_info().currsize  # its lists may name people
    assert not home.ok("GET", "/v1/redaction-policy", owner.headers)["own"]
