"""Every answer carries the security headers; health tells what works."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from troth.http.app import create_app

from .conftest import World

HEADERS = ("strict-transport-security", "x-content-type-options", "referrer-policy", "content-security-policy")


@pytest.mark.parametrize("place", ["/livez", "/readyz", "/openapi.json", "/nowhere", "/echo"])
def test_security_headers_are_on_every_answer(world: World, place: str) -> None:
    response = world.client.get(place)
    assert all(name in response.headers for name in HEADERS)


def test_health(world: World) -> None:
    assert world.client.get("/livez").json() == {"live": True}
    assert world.client.get("/readyz").json() == {"database": True}


@pytest.mark.parametrize(("method", "place", "status"), [("GET", "/nowhere", 404), ("PUT", "/echo", 405)])
def test_what_is_not_there_is_a_problem(world: World, method: str, place: str, status: int) -> None:
    response = world.client.request(method, place)
    assert (response.status_code, response.json()["code"]) == (status, "no-route")


@pytest.mark.parametrize(
    ("parts", "status"),
    [({"keys": True, "key-domains": False}, 200), ({"keys": False}, 503), ({"keys": False, "key-domains": True}, 503)],
)
def test_an_absent_key_domain_is_shown_and_keeps_nobody_out(world: World, parts: dict[str, bool], status: int) -> None:
    app = create_app(world.door, ready=lambda: parts, start=lambda: None, stop=lambda: None)
    with TestClient(app, base_url="https://troth.test") as client:
        response = client.get("/readyz")
    assert (response.status_code, response.json()) == (status, parts)
