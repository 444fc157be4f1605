"""Registers asked by those who may not: other tenants by every route, half-signed-in people, and loud input."""

from __future__ import annotations

from typing import Any

import pytest

from house import House, Person

RISK = {"name": "A fire", "touches": ["A"]}


@pytest.fixture(scope="module")
def both(home: House) -> tuple[Person, Person]:
    return home.tenant("books-here"), home.tenant("books-there")


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_another_tenant_finds_nothing(home: House, both: tuple[Person, Person]) -> None:
    here, there = both
    record = home.ok("POST", "/v1/registers/risks", here.headers, values=RISK)["id"]
    place = f"/v1/registers/risks/{record}"
    for method, path in (
        ("GET", place),
        ("GET", f"{place}/history"),
        ("POST", f"{place}/moves/close"),
    ):
        assert code(home.call(method, path, there.headers)) == (404, "record-not-found"), path
    act = home.call("POST", f"/v1/registers/policies/{record}/acts/attest", there.headers)
    assert code(act) == (404, "record-not-found")
    assert home.ok("GET", "/v1/registers/risks", there.headers)["records"] == []
    assert home.ok("GET", "/v1/registers/risks", there.headers, after=record)["records"] == []
    assert home.ok("GET", "/v1/register-dues", there.headers)["dues"] == []
    assert record not in home.call("GET", "/v1/register-exports/risks", there.headers).text
    known = home.ok("GET", "/v1/registers", there.headers)["registers"]
    assert {one["records"] for one in known} == {0}


def test_a_record_is_not_moved_by_the_rules_of_another_register(home: House, both: tuple[Person, Person]) -> None:
    here, _ = both
    record = home.ok("POST", "/v1/registers/risks", here.headers, values=RISK)["id"]
    taken = home.call("POST", f"/v1/registers/lessons/{record}/moves/do", here.headers)
    assert code(taken) == (404, "record-not-found")


@pytest.mark.parametrize(
    "values",
    [
        {**RISK, "author": "usr_other"},  # written by the engine
        {**RISK, "accepted_by": "usr_other"},
        {**RISK, "unknown": "x"},
        {**RISK, "name": {"a": 1}},
        {**RISK, "name": "x" * 161},
        {**RISK, "name": "a\u202eb"},  # turns the direction of reading
        {**RISK, "likelihood": 10**30},
        {**RISK, "likelihood": True},
        {**RISK, "touches": ["A"] * 600},
        {**RISK, "review_by": "2026-02-30"},
        {**RISK, "description": "\u0000"},
    ],
)
def test_bad_values_are_refused_by_their_field(
    home: House, both: tuple[Person, Person], values: dict[str, Any]
) -> None:
    refused = home.call("POST", "/v1/registers/risks", both[0].headers, values=values)
    assert code(refused) == (422, "bad-field"), refused.text


def test_an_entry_and_a_form_have_an_end(home: House, both: tuple[Person, Person]) -> None:
    here, _ = both
    long = {"purpose": "security", "address": "a", "own_domain": True, "answers": "p", "reason": "x" * 70_000}
    assert home.call("POST", "/v1/registers/contacts", here.headers, values=long).status_code in (413, 422)
    assert home.call("GET", "/v1/registers/no-such-one", here.headers).status_code == 404
    assert home.call("GET", "/v1/registers/..%2f..%2fetc", here.headers).status_code in (404, 422)


def test_a_custom_role_that_governs_counts_as_an_admin_and_never_as_an_owner(
    home: House, both: tuple[Person, Person]
) -> None:
    here, _ = both
    role = home.ok("POST", "/v1/custom-roles", here.headers, name="book-keeper", groups=["govern"])["id"]
    keeper = home.member(here, "keeper@books-here.example.org")
    home.ok("POST", f"/v1/users/{keeper.id}/roles", here.headers, role=role)
    record = home.ok("POST", "/v1/registers/risks", keeper.headers, values=RISK)["id"]
    close = home.call("POST", f"/v1/registers/risks/{record}/moves/close", keeper.headers, values={"reason": "gone"})
    assert code(close) == (403, "wrong-role")
