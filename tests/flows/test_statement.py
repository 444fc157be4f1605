"""The privacy statement: one operator proposes what is true, another approves it, and everybody may read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, delete, insert, select, update

from house import House
from troth.cli.client import Client
from troth.cli.main import troth
from troth.governance.data_map.map import Supplier
from troth.governance.statement import store
from troth.governance.statement.store import digest_of, statement_version
from troth.kernel.scope import SYSTEM

OWN_ACTIVITIES = Path(__file__).parent / "own_activities.yaml"
PLACE = "/v1/privacy-statement"
WHY = {"reason": "checked"}


@pytest.fixture(scope="module")
def second(home: House) -> dict[str, str]:
    email = "statements@troth.example.org"
    made = home.ok("POST", "/v1/operators", home.operator, email=email, display_name="Second of statements")
    return home.settle(email, made["password"]).headers


@pytest.fixture(autouse=True)
def _unpublished(home: House) -> Iterator[None]:
    yield
    with home.system.base.database.write(SYSTEM) as connection:
        connection.execute(delete(statement_version))


def proposed(home: House) -> dict[str, Any]:
    accepts = [one.id for one in home.system.governance.statements.draft().hard]
    return dict(home.ok("POST", f"{PLACE}s", home.operator, accepts=accepts, **WHY))


def refused(home: House, *asked: Any, **body: Any) -> tuple[int, str]:
    answer = home.call(*asked, **body)
    return answer.status_code, answer.json()["code"]


def test_two_operators_publish_what_everybody_may_read(home: House, second: dict[str, str]) -> None:
    draft = home.ok("GET", PLACE)
    assert (draft["number"], draft["state"], draft["unsaid"], draft["untrue"]) == (0, "not published", [], [])
    made = proposed(home)
    assert made["state"] == "proposed"
    assert home.ok("GET", PLACE)["state"] == "not published"
    unseen = home.client.get(PLACE, params={"number": made["number"]})
    assert (unseen.status_code, unseen.json()["code"]) == (404, "no-statement")
    approval = f"{PLACE}s/{made['number']}/approval"
    assert refused(home, "POST", approval, home.operator, **WHY) == (403, "own-proposal")
    home.ok("POST", approval, second, **WHY)
    assert refused(home, "POST", approval, second, **WHY) == (409, "not-waiting")
    told = home.ok("GET", PLACE)
    assert (told["number"], told["state"], told["digest"]) == (made["number"], "in force", made["digest"])
    assert all(one["grade"] <= 8 for one in told["sections"])
    assert [one.get("proposed_by") for one in told["versions"]] == [None], "who did it is nobody else's business"
    assert refused(home, "POST", f"{PLACE}s", home.operator, **WHY) == (409, "statement-unchanged")


def test_members_and_owners_publish_nothing(home: House) -> None:
    owner = home.tenant("statement-owners")
    assert home.call("POST", f"{PLACE}s", owner.headers, **WHY).status_code == 403
    assert home.call("POST", f"{PLACE}s/1/approval", owner.headers, **WHY).status_code == 403
    assert home.call("POST", f"{PLACE}s", **WHY).status_code == 401
    member = home.member(owner, "m@statement.example.org")
    assert home.call("GET", "/v1/data-map", member.headers).status_code == 403
    assert home.ok("GET", "/v1/data-map", owner.headers)["record"]


def test_what_is_no_longer_true_is_not_approved_and_shown_as_out_of_date(
    home: House, second: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = home.system.governance.statements
    made = proposed(home)
    true = statements.current()
    stranger = Supplier("stranger", "Stranger", ("stranger",), ("elsewhere",), "days", 90)
    with monkeypatch.context() as changed:
        changed.setattr(statements, "current", lambda: replace(true, suppliers=(*true.suppliers, stranger)))
        approval = f"{PLACE}s/{made['number']}/approval"
        assert refused(home, "POST", approval, second, **WHY) == (409, "statement-outdated")
    home.ok("POST", approval, second, **WHY)
    with monkeypatch.context() as changed:
        changed.setattr(statements, "current", lambda: replace(true, suppliers=(*true.suppliers, stranger)))
        told = home.ok("GET", PLACE)
        assert told["state"] == "out of date"
        assert told["unsaid"]
        assert "Out of date." in home.client.get("/statement").text
    assert home.ok("GET", PLACE)["state"] == "in force"


def test_an_edited_version_is_not_shown(home: House, second: dict[str, str]) -> None:
    made = proposed(home)
    home.ok("POST", f"{PLACE}s/{made['number']}/approval", second, **WHY)
    with home.system.base.database.write(SYSTEM) as connection:
        connection.execute(update(statement_version).values(content="[]", digest=digest_of("[]")))
    answer = home.call("GET", PLACE)
    assert answer.status_code == 500
    assert answer.json()["code"] == "statement-changed"


@contextmanager
def saying(home: House, purpose: str) -> Iterator[None]:
    """Meanwhile the map explains the first purpose so; its facts stay the same."""
    statements = home.system.governance.statements
    true = statements.current()
    purposes = {**true.words["purpose"], "accounts": purpose}
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(statements, "current", lambda: replace(true, words={**true.words, "purpose": purposes}))
        yield


def test_what_would_be_said_in_other_words_is_not_approved_and_shown_as_out_of_date(
    home: House, second: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = f"{PLACE}s/{proposed(home)['number']}/approval"
    with saying(home, "to sell you an account"):
        assert refused(home, "POST", approval, second, **WHY) == (409, "statement-outdated")
    home.ok("POST", approval, second, **WHY)
    with saying(home, "to sell you an account"):
        told = home.ok("GET", PLACE)
        assert (told["state"], told["unsaid"], told["untrue"], told["reworded"]) == (
            "out of date",
            [],
            [],
            ["accounts"],
        )
        assert "1 part that would be said otherwise today" in home.client.get("/statement").text
        asked = SimpleNamespace(call=lambda method, path, _wish: home.call(method, path))
        monkeypatch.setattr(Client, "from_environment", lambda: asked)
        shown = CliRunner().invoke(troth, ["privacy-statement", "show", "--server"])
        assert "out of date: 1 parts said otherwise today, version 1" in shown.output
    assert home.ok("GET", PLACE)["state"] == "in force"


def test_versions_and_what_one_says_otherwise_than_another_are_public(
    home: House, second: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = proposed(home)["number"]
    home.ok("POST", f"{PLACE}s/{first}/approval", second, **WHY)
    with saying(home, "to keep an account for you"):
        later = proposed(home)["number"]
        waiting = home.client.get(PLACE, params={"against": later})
        assert (waiting.status_code, waiting.json()["code"]) == (404, "no-statement")
        home.ok("POST", f"{PLACE}s/{later}/approval", second, **WHY)
        told = home.client.get(PLACE, params={"against": first}).json()
    assert [(one["number"], one["state"]) for one in told["versions"]] == [(later, "in force"), (first, "replaced")]
    (change,) = told["changes"]
    assert (change["section"], change["kind"]) == ("accounts", "changed")
    assert change["before"] == ["We do it to give you an account."]
    assert change["after"] == ["We do it to keep an account for you."]
    page = home.client.get("/statement", params={"number": later, "against": first}).text
    assert "<del>We do it to give you an account.</del>" in page
    assert f"/statement?number={later}&amp;against={first}" in page
    assert f"Version {first}, replaced." in home.client.get("/statement", params={"number": first}).text
    assert home.client.get("/statement", params={"number": "x"}).status_code == 422
    asked = SimpleNamespace(call=lambda _method, path, wish: home.client.get(path, params=wish))
    monkeypatch.setattr(Client, "from_environment", lambda: asked)
    shown = CliRunner().invoke(troth, ["privacy-statement", "diff", str(first), str(later)])
    assert "- We do it to give you an account." in shown.output
    assert "+ We do it to keep an account for you." in shown.output


def test_all_versions_are_read_at_once_however_many_are_shown(
    home: House, second: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = proposed(home)
    home.ok("POST", f"{PLACE}s/{made['number']}/approval", second, **WHY)
    waiting = {"approved_by": None, "approved_at": None, "signer": None, "signature": None}
    with home.system.base.database.write(SYSTEM) as connection:
        row = connection.execute(select(statement_version)).mappings().one()
        later = [{**row, **waiting, "number": row["number"] + more} for more in range(1, 6)]
        connection.execute(insert(statement_version), later)
    read: list[int] = []
    real = store.heads

    def counting(connection: Connection) -> list[store.Head]:
        read.append(1)
        return real(connection)

    monkeypatch.setattr(store, "heads", counting)
    assert len(home.ok("GET", PLACE, home.operator)["versions"]) == 6
    assert len(read) == 1


def test_what_a_deployment_does_beyond_troth_is_said_and_recorded(
    home: House, second: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the file of `governance.data_map`; the page, the record of processing and what two people publish have it."""
    assert "We do it to send you our news." in home.client.get("/statement").text
    home.ok("POST", f"{PLACE}s/{proposed(home)['number']}/approval", second, **WHY)
    told = home.ok("GET", PLACE)
    assert (told["state"], told["sections"][-3]["id"], told["unsaid"]) == ("in force", "newsletter", [])
    owner = home.tenant("statement-records")
    record = home.ok("GET", "/v1/data-map", owner.headers)["record"]
    (mine,) = [row for row in record if row["id"] == "newsletter"]
    assert mine["stores"] == ["The tool that mails our news, in Dublin"]
    shown = CliRunner().invoke(troth, ["data-map", "show", "--own", str(OWN_ACTIVITIES)])
    assert "to send you our news" in shown.output


def test_the_page_needs_no_script(home: House) -> None:
    page = home.client.get("/statement")
    assert page.status_code == 200
    assert "<script" not in page.text


def test_the_command_shows_grades_and_grades_any_text() -> None:
    shown = CliRunner().invoke(troth, ["privacy-statement", "show"])
    assert shown.exit_code == 0, shown.output
    assert "grade" in shown.output
    exported = CliRunner().invoke(troth, ["data-map", "show"])
    assert exported.exit_code == 0, exported.output
