"""An operator says which tenant is the house: with a reason, in the log, and never a tenant of self-checks."""

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
        connection.execute(update(installation).values(house=None))


def named(home: House, tenant: str, **body: Any) -> Any:
    return home.call("POST", f"/v1/house/{tenant}", home.operator, **body)


def test_nobody_is_the_house_before_an_operator_says_so(home: House) -> None:
    assert home.ok("GET", "/v1/house", home.operator) == {"tenant": None, "name": None}


def test_an_operator_names_the_house_and_another_later(home: House, owner: Person) -> None:
    shown = {"tenant": owner.tenant, "name": "publisher"}
    assert named(home, owner.tenant, reason="checked").json() == shown
    assert home.ok("GET", "/v1/house", home.operator) == shown
    other = home.tenant("successor")
    assert named(home, other.tenant, reason="contract").json() == {"tenant": other.tenant, "name": "successor"}
    home.system.base.sequencer.flush()
    entry = next(
        one
        for one in home.ok("GET", "/v1/decisions", home.operator)["decisions"]
        if one["operation"] == "house.name" and one["outcome"] == "done"
    )
    assert entry["facts"] == {"tenant": other.tenant, "previous": owner.tenant}
    assert entry["reason"] == "contract"


def test_who_is_not_here_and_who_is_made_up_is_refused(home: House) -> None:
    probe = home.system.probe_tenant(PROBE_TENANT)
    for tenant, refusal in (("ten_aaaa", (404, "tenant-not-found")), (probe, (409, "house-synthetic"))):
        answer = named(home, tenant, reason="checked")
        assert (answer.status_code, answer.json()["code"]) == refusal
    assert named(home, "operators", reason="checked").status_code == 422
    assert home.ok("GET", "/v1/house", home.operator)["tenant"] is None


def test_no_tenant_names_itself(home: House, owner: Person) -> None:
    for method, path, body in (("GET", "/v1/house", {}), ("POST", f"/v1/house/{owner.tenant}", {"reason": "checked"})):
        assert home.call(method, path, owner.headers, **body).status_code == 403
        assert home.call(method, path, **body).status_code == 401


def test_the_command_takes_an_id_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception, match="begins with ten_"):
        troth.main(["house", "name", "a/b", "--reason", "checked"], standalone_mode=False)
