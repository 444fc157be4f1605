"""Operators say which tenant is the house, two when it is another: with a reason, in the log, never a self-check's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from house import House, Person
from troth.cli.main import troth
from troth.promises.system import PROBE_TENANT
from troth.storage.placement import installation


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("publisher")


@pytest.fixture(autouse=True)
def nobody_named(home: House) -> Iterator[None]:
    """The house of the tests is shared: it stays as it was."""
    yield
    with home.system.base.database.write() as connection:
        row = dict.fromkeys(("house", "house_at", "house_proposed", "house_proposed_by", "house_proposed_at"))
        connection.execute(update(installation).values(row))


@pytest.fixture(scope="module")
def second(home: House) -> dict[str, str]:
    email = "houses@troth.example.org"
    made = home.ok("POST", "/v1/operators", home.operator, email=email, display_name="Second of houses")
    return home.settle(email, made["password"]).headers


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def named(home: House, tenant: str, by: dict[str, str] | None = None, **body: Any) -> Any:
    return home.call("POST", f"/v1/house/{tenant}", by or home.operator, **({"reason": "checked"} | body))


def approved(home: House, tenant: str, by: dict[str, str]) -> Any:
    return home.call("POST", f"/v1/house/{tenant}/approval", by, reason="contract")


def now_named(home: House) -> tuple[str | None, str | None]:
    shown = home.ok("GET", "/v1/house", home.operator)
    assert (shown["tenant"] is None) == (shown["named_at"] is None)
    return shown["tenant"], shown["proposed"]


def test_nobody_is_the_house_before_an_operator_says_so(home: House) -> None:
    assert set(home.ok("GET", "/v1/house", home.operator).values()) == {None}


def test_one_operator_names_the_first_house_and_another_one_takes_two(
    home: House, owner: Person, second: dict[str, str]
) -> None:
    first = named(home, owner.tenant).json()
    assert (first["tenant"], first["name"], first["proposed"]) == (owner.tenant, "publisher", None)
    other = home.tenant("successor").tenant
    waiting = named(home, other).json()
    assert (waiting["tenant"], waiting["proposed"]) == (owner.tenant, other), "one operator alone changes nothing"
    assert refusal(approved(home, other, home.operator)) == (403, "own-proposal")
    assert refusal(approved(home, owner.tenant, second)) == (409, "not-waiting")
    done = approved(home, other, second).json()
    assert (done["tenant"], done["name"], done["proposed"], done["proposed_by"]) == (other, "successor", None, None)
    assert done["named_at"] > first["named_at"], "what was agreed to before does not excuse"
    assert refusal(approved(home, other, second)) == (409, "not-waiting")
    home.system.base.sequencer.flush()
    decided = home.ok("GET", "/v1/decisions", home.operator)["decisions"]
    entry = next(one for one in decided if one["operation"] == "house.approve" and one["outcome"] == "done")
    assert entry["facts"] == {"tenant": other, "previous": owner.tenant}
    assert entry["reason"] == "contract"


def test_a_proposal_is_taken_back_by_naming_the_house_that_stands(
    home: House, owner: Person, second: dict[str, str]
) -> None:
    named(home, owner.tenant)
    assert refusal(named(home, owner.tenant)) == (409, "house-unchanged")
    since = home.ok("GET", "/v1/house", home.operator)["named_at"]
    other = home.tenant("never").tenant
    named(home, other)
    assert named(home, owner.tenant, by=second).json()["named_at"] == since
    assert refusal(approved(home, other, second)) == (409, "not-waiting")
    assert now_named(home) == (owner.tenant, None)


def test_a_later_proposal_takes_the_place_of_an_earlier_one(home: House, owner: Person, second: dict[str, str]) -> None:
    named(home, owner.tenant)
    mine, theirs = home.tenant("mine").tenant, home.tenant("theirs").tenant
    named(home, mine)
    named(home, theirs, by=second)
    assert refusal(approved(home, mine, second)) == (409, "not-waiting")
    assert refusal(approved(home, theirs, second)) == (403, "own-proposal")
    assert now_named(home) == (owner.tenant, theirs)


def test_who_is_not_here_and_who_is_made_up_is_refused(home: House) -> None:
    probe = home.system.probe_tenant(PROBE_TENANT)
    for tenant, expected in (("ten_aaaa", (404, "tenant-not-found")), (probe, (409, "house-synthetic"))):
        assert refusal(named(home, tenant)) == expected
    assert named(home, "operators").status_code == 422
    assert home.ok("GET", "/v1/house", home.operator)["tenant"] is None


def test_no_tenant_names_itself(home: House, owner: Person) -> None:
    place, why = f"/v1/house/{owner.tenant}", {"reason": "checked"}
    asked = (("GET", "/v1/house", {}), ("POST", place, why), ("POST", f"{place}/approval", why))
    for method, path, body in asked:
        assert home.call(method, path, owner.headers, **body).status_code == 403
        assert home.call(method, path, **body).status_code == 401


def test_the_command_takes_an_id_only(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("name", "approve"):
        with pytest.raises(Exception, match="begins with ten_"):
            troth.main(["house", command, "a/b", "--reason", "checked"], standalone_mode=False)
