"""Every check of scim2-tester against a running installation, for two tenants at once; neither sees the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Required, ScimProvider, Uniqueness
from scim2_tester import Status, check_server
from starlette.testclient import TestClient

from house import ADDRESS, House, house
from scim_world import BASE, FreshAddresses, Provider, provider
from troth.identity.scim import protocol


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("scim")) as built:
        yield built


def checked(who: Provider) -> list[Any]:
    """All checks of the tester, told only of which domain addresses must be."""

    class User(protocol.User):
        user_name: Annotated[str | None, Required.true, Uniqueness.server] = Field(
            None, examples=FreshAddresses(who.domain)
        )

    described = protocol.service().provider
    client = TestClient(who.home.client.app, base_url=ADDRESS + BASE, headers=who.headers)
    asked = SyncSCIMClient(client, provider=ScimProvider([User, protocol.Group], described.resource_types))
    return check_server(asked)


def test_all_checks_of_the_tester_for_two_tenants_at_once(home: House) -> None:
    providers = [provider(home, home.tenant(f"scim-{name}"), f"{name}.example.org") for name in ("one", "two")]
    found: dict[str, list[Any]] = {}
    threads = [
        threading.Thread(target=lambda who=who: found.__setitem__(who.domain, checked(who))) for who in providers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for who in providers:
        results = found[who.domain]
        bad = sorted({f"{one.title}: {one.reason}" for one in results if one.status is not Status.SUCCESS})
        assert not bad, bad
        assert len(results) >= 60
    for who, other in (providers, reversed(providers)):
        mine, theirs = (one.ok("GET", "/Users?count=200")["Resources"] for one in (who, other))
        assert {one["id"] for one in mine}.isdisjoint(one["id"] for one in theirs)
        for one in theirs:
            assert who.call("GET", f"/Users/{one['id']}").status_code == 404
            assert who.call("DELETE", f"/Users/{one['id']}").status_code == 404
