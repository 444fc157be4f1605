"""The paper on a server: two operators publish it, what it takes away is announced, and nobody edits it unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import delete, update

from house import House
from paper_texts import bound_text, known
from troth.kernel.scope import SYSTEM
from troth.promises.catalogue import catalogue
from troth.promises.paper import publishing, store
from troth.promises.paper.publishing import Papers
from troth.promises.paper.shipped import shipped_file
from troth.promises.paper.store import paper_version
from troth.wiring.identity import relying_party

DAY = 86_400_000
TEXT = "All connections use TLS 1.3.\nWe delete what you delete."
ROWS: list[dict[str, Any]] = [{"carries": ["CRY-01"]}, {"carries": ["DEL-01"]}]
REASON = {"reason": "checked"}


def files(text: str, rows: list[dict[str, Any]], version: str) -> dict[str, str]:
    """A small paper as a server takes it."""
    paper = bound_text(text, rows, version=version)
    header = yaml.safe_load(paper.binding.model_dump_json(exclude_defaults=True))
    return {"text": text, "binding": yaml.safe_dump(header)}


@pytest.fixture(scope="module")
def second(home: House) -> dict[str, str]:
    email = "papers@troth.example.org"
    made = home.ok("POST", "/v1/operators", home.operator, email=email, display_name="Second of papers")
    return home.settle(email, made["password"]).headers


@pytest.fixture(autouse=True)
def _unpublished(home: House) -> Iterator[None]:
    yield
    with home.system.base.database.write(SYSTEM) as connection:
        connection.execute(delete(paper_version))


def published(home: House, second: dict[str, str], **sent: str) -> dict[str, Any]:
    made = home.ok("POST", "/v1/papers", home.operator, **sent, **REASON)
    return dict(home.ok("POST", f"/v1/papers/{made['number']}/approval", second, **REASON))


def refused(home: House, *asked: Any, **body: Any) -> tuple[int, str]:
    answer = home.call(*asked, **body)
    return answer.status_code, answer.json()["code"]


def test_a_paper_is_proposed_by_one_operator_and_approved_by_another(home: House, second: dict[str, str]) -> None:
    sent = {"text": shipped_file("harbour.md").decode(), "binding": shipped_file("harbour.paper.yaml").decode(),
            "promises": shipped_file("harbour.promises.yaml").decode()}  # fmt: skip
    made = home.ok("POST", "/v1/papers", home.operator, **sent, **REASON)
    place = f"/v1/papers/{made['number']}"
    assert (made["state"], made["paper"]) == ("proposed", "harbour")
    assert home.ok("GET", "/v1/papers") == {"papers": []}, "a proposal is no paper yet"
    assert refused(home, "GET", place) == (404, "no-paper")
    assert home.ok("GET", place, second)["text"] == sent["text"]
    assert refused(home, "POST", f"{place}/approval", home.operator, **REASON) == (403, "own-proposal")
    done = home.ok("POST", f"{place}/approval", second, **REASON)
    assert refused(home, "POST", f"{place}/approval", second, **REASON) == (409, "not-waiting")
    (listed,) = home.ok("GET", "/v1/papers")["papers"]
    assert listed == done | {"proposed_by": None, "approved_by": None}, "who did it is nobody else's business"
    assert home.ok("GET", place)["binding"] == sent["binding"]
    assert home.ok("GET", f"{place}/changes") == {"number": 1, "against": 0, "weakens": False, "changes": []}
    home.system.base.sequencer.flush()
    newest = home.ok("GET", "/v1/activity", home.operator, limit=50)["entries"]
    facts = {one["operation"]: one["facts"] for one in reversed(newest) if "digest" in one["facts"]}
    assert facts["paper.approve"]["digest"] == facts["paper.publish"]["digest"] == done["digest"]


def test_what_has_findings_is_refused_and_the_sentence_named(home: House) -> None:
    good = files(TEXT, ROWS, "1")
    changed = good | {"text": TEXT.replace("1.3", "1.2")}
    answer = home.call("POST", "/v1/papers", home.operator, **changed, **REASON)
    assert (answer.status_code, answer.json()["code"]) == (422, "paper-findings")
    assert "line 1 sentence 1: changed" in answer.json()["detail"]
    found = home.ok("POST", "/v1/paper-findings", home.operator, **changed)["findings"]
    assert {"changed": "All connections use TLS 1.2."}.items() <= {one["code"]: one["quote"] for one in found}.items()
    assert refused(home, "POST", "/v1/papers", home.operator, text="x", binding="a: [", **REASON) == (422, "bad-yaml")
    assert home.ok("GET", "/v1/papers", home.operator) == {"papers": []}


def test_what_a_version_takes_away_is_announced_first(home: House, second: dict[str, str]) -> None:
    first = published(home, second, **files(TEXT, ROWS, "1"))
    assert first["state"] == "in force"
    less = published(home, second, **files(TEXT.splitlines()[0], ROWS[:1], "2"))
    assert (less["state"], less["effective_at"] - less["approved_at"]) == ("announced", 30 * DAY)
    diff = home.ok("GET", f"/v1/papers/{less['number']}/changes")
    assert (diff["against"], diff["weakens"]) == (first["number"], True)
    assert [(one["promise"], one["kind"]) for one in diff["changes"]] == [("DEL-01", "dropped")]
    assert refused(home, "POST", "/v1/papers", home.operator, **files(TEXT, ROWS, "2"), **REASON) == (
        409,
        "paper-published",
    )
    without_waiting(home)
    (announced,) = home.ok("GET", "/v1/trust")["announced"]
    assert [(one["promise"], one["kind"]) for one in announced["takes"]] == [("DEL-01", "dropped")]
    assert '<a href="/trust/DEL-01">DEL-01</a>: dropped.' in home.client.get("/trust").text
    more = published(home, second, **files(TEXT, ROWS, "3"))
    assert more["effective_at"] == more["approved_at"], "nothing that anybody relies on goes"
    states = {one["version"]: one["state"] for one in home.ok("GET", "/v1/papers")["papers"]}
    assert states == {"3": "in force", "2": "replaced", "1": "replaced"}


def test_strangers_make_one_query_for_the_list_and_one_comparison(
    home: House, second: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, text, rows in (("11", TEXT, ROWS), ("12", TEXT.splitlines()[0], ROWS[:1]), ("13", TEXT, ROWS)):
        published(home, second, **files(text, rows, version))
    read, compared = list[str](), list[str]()
    heads, changed = store.heads, publishing.changed
    monkeypatch.setattr(store, "heads", lambda *asked: read.append("") or heads(*asked))
    monkeypatch.setattr(publishing, "changed", lambda *asked: compared.append("") or changed(*asked))
    assert len(home.ok("GET", "/v1/papers")["papers"]) == 3
    assert len(read) == 1
    found = [home.ok("GET", "/v1/papers/2/changes") for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert len(compared) == 1


def test_only_the_newest_proposal_is_approved(home: House, second: dict[str, str]) -> None:
    old = home.ok("POST", "/v1/papers", home.operator, **files(TEXT, ROWS, "1"), **REASON)
    home.ok("POST", "/v1/papers", second, **files(TEXT, ROWS, "2"), **REASON)
    assert refused(home, "POST", f"/v1/papers/{old['number']}/approval", second, **REASON) == (409, "paper-proposed")
    assert refused(home, "POST", "/v1/papers/99/approval", second, **REASON) == (404, "no-paper")


@pytest.mark.parametrize("change", [{"text": TEXT + " Always."}, {"digest": "0" * 64}, {"effective_at": 1}])
def test_what_was_edited_in_the_database_is_not_shown(
    home: House, second: dict[str, str], change: dict[str, Any]
) -> None:
    made = published(home, second, **files(TEXT, ROWS, "1"))
    with home.system.base.database.write(SYSTEM) as connection:
        connection.execute(update(paper_version).values(change))
    assert refused(home, "GET", f"/v1/papers/{made['number']}")[1] == "paper-changed"


def test_a_day_to_come_that_was_brought_forward_is_not_announced(home: House, second: dict[str, str]) -> None:
    published(home, second, **files(TEXT, ROWS, "1"))
    less = published(home, second, **files(TEXT.splitlines()[0], ROWS[:1], "2"))
    with home.system.base.database.write(SYSTEM) as connection:
        row = update(paper_version).where(paper_version.c.number == less["number"])
        connection.execute(row.values(effective_at=less["effective_at"] - DAY))
    without_waiting(home)
    assert home.ok("GET", "/v1/trust")["announced"] == []


def without_waiting(home: House) -> None:
    """Answers for a crowd are some seconds old: forget them."""
    trust = home.system.dispatcher.registry["trust.show"].run.__self__
    trust._kept.view = trust._kept.feed = None


def test_the_trust_page_shows_the_paper_in_force_and_its_twins_agree(home: House, second: dict[str, str]) -> None:
    made = published(home, second, **files(TEXT, ROWS, "1"))
    without_waiting(home)
    shown = home.ok("GET", "/v1/trust")
    assert shown["paper"]["number"] == made["number"]
    assert [(one["text"], one["carries"]) for one in shown["sentences"]] == [
        (text, row["carries"]) for text, row in zip(TEXT.splitlines(), ROWS, strict=True)
    ]
    assert {one["id"] for one in shown["promises"]} == {"CRY-01", "DEL-01"}
    page = home.client.get("/trust")
    assert "All connections use TLS 1.3." in page.text
    assert 'href="/trust/CRY-01"' in page.text
    assert page.content == home.client.get("/trust").content
    assert home.client.get("/trust.json").json() == home.client.get("/.well-known/troth-trust.json").json() == shown
    told = home.client.get("/trust/CRY-01")
    assert "All connections use TLS 1.3." in told.text
    assert "How it is checked" in told.text
    assert home.client.get("/trust/ABC-99", headers={"accept": "text/html"}).status_code == 404
    feed = home.client.get("/trust/changes.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert f"trust/paper-{made['number']}</id>" in feed.text
    assert made["digest"] in feed.text


def test_a_feed_takes_its_addresses_from_no_request(home: House, second: dict[str, str]) -> None:
    published(home, second, **files(TEXT, ROWS, "1"))
    without_waiting(home)
    feed = home.client.get("/trust/changes.atom", headers={"host": "evil.example"})
    assert "evil.example" not in feed.text
    own = relying_party(home.system.base.settings).origins[0]
    assert f'href="{own}/trust"' in feed.text
    assert home.ok("GET", "/v1/trust-changes")["address"] == own


def own_promises(*names: str) -> str:
    told = {"statement": "We like locks.", "kind": "recorded", "bound": "all", "acceptance": "So."}
    return yaml.safe_dump({"promises": [{"id": one, "checks": ["sentences-bound"], **told} for one in names]})


def test_a_promise_of_its_own_has_a_page_with_its_year(home: House, second: dict[str, str]) -> None:
    sent = files(TEXT, [{"carries": ["CRY-01"]}, {"carries": ["OWN-01", "DEL-01"]}], "1")
    sent["binding"] = yaml.safe_dump(yaml.safe_load(sent["binding"]) | {"promises": "own.yaml"})
    published(home, second, **sent, promises=own_promises("OWN-01"))
    without_waiting(home)
    view = home.ok("GET", "/v1/trust")
    (one,) = [one for one in view["promises"] if one["id"] == "OWN-01"]
    assert (len(one["months"]), one["statement"]) == (len(view["months"]), "We like locks.")
    page = home.client.get("/trust/OWN-01").text
    assert "Twelve months" in page
    assert f'<td data-label="Month">{view["months"][-1]}</td>' in page
    assert "/v1/promises/OWN-01" not in page, "no catalogue has it"


def test_a_promise_of_its_own_never_stands_for_one_of_the_catalogue(home: House, second: dict[str, str]) -> None:
    """After an upgrade both may have an id: then nobody can say which one the sentence means."""
    binding = yaml.safe_load(files(TEXT, ROWS, "1")["binding"]) | {"promises": "own.yaml"}
    shown = {one["id"]: one["state"] for one in home.ok("GET", "/v1/promises")["data"]}
    asked = store.Files(TEXT, yaml.safe_dump(binding), own_promises("CRY-01"))
    base = home.system.base
    older = known(promises={"DEL-01": catalogue()["DEL-01"]}, checks=("sentences-bound",))
    before = Papers(base.database, base.clock, base.signer, notice=timedelta(1), known=lambda _: older)
    before.approve(before.publish(asked, "usr_one").number, "usr_two")
    without_waiting(home)
    view = home.ok("GET", "/v1/trust")
    (one,) = [one for one in view["promises"] if one["id"] == "CRY-01"]
    assert (one["state"], one["statement"] != "We like locks.") == ("unknown", True)
    assert "a promise of its own under this id" in one["reason"]
    assert {*one["months"], *view["sentences"][0]["months"]} <= {"unknown"}
    assert view["sentences"][0]["state"] == "unknown"
    assert "rename its own" in home.client.get("/trust/CRY-01").text
    assert {one["id"]: one["state"] for one in home.ok("GET", "/v1/promises")["data"]} == shown


def test_a_paper_that_was_edited_leaves_the_promises_alone_on_the_page(home: House, second: dict[str, str]) -> None:
    published(home, second, **files(TEXT, ROWS, "1"))
    with home.system.base.database.write(SYSTEM) as connection:
        connection.execute(update(paper_version).values(text=TEXT + " Always."))
    without_waiting(home)
    shown = home.ok("GET", "/v1/trust")
    assert (shown["broken"], shown["sentences"], len(shown["promises"])) == (True, [], 134)
    assert "not what was approved" in home.client.get("/trust").text
