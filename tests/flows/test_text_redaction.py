"""A text redacted by an operation: what comes back, what is refused, and that nothing of it stays here."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest

from house import House, Person
from troth.redact.text_operations import LARGEST

VENDOR = resources.files("troth.redact").joinpath("policies", "vendor.yaml").read_text(encoding="utf-8")
TEXT = "please ask tunde oyelaran, card 4111 1111 1111 1111, why Tunde left \U0001f600."


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("reading")


def redacted(home: House, person: Person, **wish: Any) -> Any:
    return home.ok("POST", "/v1/redactions", person.headers, **wish)


def test_what_comes_back(home: House, owner: Person) -> None:
    made = redacted(home, owner, text=TEXT)
    assert [TEXT[one["start"] : one["end"]] for one in made["spans"]] == [
        "tunde oyelaran", "4111 1111 1111 1111", "Tunde",
    ]  # fmt: skip
    assert [one["label"] for one in made["spans"]] == ["PERSON", "CREDIT_CARD", "PERSON"]
    assert [one["detector"] for one in made["spans"]][:2] == ["fast", "rules"]
    assert all(0 < one["score"] <= 1 for one in made["spans"])
    assert (made["counts"], made["tier"], made["policy"]) == ({"PERSON": 2, "CREDIT_CARD": 1}, "fast", "vendor")
    person = made["text"].split()[2].rstrip(",")
    assert made["text"].count(person) == 2  # one person, one pseudonym
    assert made["text"].endswith(" left \U0001f600.")
    assert person not in redacted(home, owner, text=TEXT)["text"]  # and another in the next answer


def test_tiers_and_policies(home: House, owner: Person) -> None:
    rules = redacted(home, owner, text=TEXT, tier="rules")
    assert ("oyelaran" in rules["text"], rules["version"][:6]) == (True, "rules-")
    training = redacted(home, owner, text="on 10.0.0.7 see https://example.org/x", policy="training")
    assert (training["text"], training["policy"]) == ("on <IP> see <URL>", "training")
    own = "detectors: [{name: project, words: [quarterly budget], decision: label}]\n" + VENDOR
    home.ok("PUT", "/v1/redaction-policy", owner.headers, policy=own, reason="checked")
    text = "the quarterly budget"
    assert redacted(home, owner, text=text)["text"] == "the <PROJECT>"
    assert redacted(home, owner, text=text, policy="vendor")["text"] == text
    other = home.tenant("reading-other")
    assert redacted(home, other, text=text)["text"] == text
    home.ok("DELETE", "/v1/redaction-policy", owner.headers, reason="checked")


def test_nothing_of_it_stays(home: House, owner: Person) -> None:
    redacted(home, owner, text="my needle is tunde oyelaran-needleworth")
    home.system.base.sequencer.flush()
    log = home.ok("GET", "/v1/activity", owner.headers)
    (entry,) = [e for e in log["entries"] if e["operation"] == "text.redact" and e["phase"] == "closed"][:1]
    assert set(entry["facts"]) == {"policy", "withheld", "kinds"}
    assert not any(b"needleworth" in content for content in home.contents())


@pytest.mark.parametrize(
    "wish",
    [
        {"text": ""},
        {"text": "x" * (LARGEST + 1)},
        {"text": "needle", "tier": "best"},
        {"text": "needle", "policy": "nothing"},
        {"text": "needle", "key": "mine"},
        {"text": ["needle"]},
        {},
    ],
)
def test_what_is_refused(home: House, owner: Person, wish: dict[str, Any]) -> None:
    response = home.call("POST", "/v1/redactions", owner.headers, **wish)
    assert response.status_code == 422
    assert "needle" not in response.text


def test_half_a_surrogate_pair_is_no_text(home: House, owner: Person) -> None:
    headers = owner.headers | {"content-type": "application/json"}
    response = home.client.post("/v1/redactions", headers=headers, content=b'{"text": "a \\ud800 b"}')
    assert response.status_code in (400, 422)


def test_a_key_needs_the_scope(home: House, owner: Person) -> None:
    for scopes, status in ((("generate",), 403), (("own-data", "own-data:write"), 200)):
        headers = home.key_headers(owner, *scopes)
        assert home.call("POST", "/v1/redactions", headers, text="hello").status_code == status
