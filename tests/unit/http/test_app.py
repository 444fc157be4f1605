"""Every answer carries the security headers; health tells what works."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from troth.http.app import create_app
from troth.http.limits import RateLimit

from .conftest import World

HEADERS = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    ),
}


@pytest.mark.parametrize("place", ["/livez", "/readyz", "/openapi.json", "/nowhere", "/echo"])
def test_security_headers_are_on_every_answer(world: World, place: str) -> None:
    response = world.client.get(place)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert not any(name.startswith("access-control-") for name in response.headers)


def test_health(world: World) -> None:
    assert world.client.get("/livez").json() == {"live": True}
    assert world.client.get("/readyz").json() == {"ready": True}


@pytest.mark.parametrize(("method", "place", "status"), [("GET", "/nowhere", 404), ("PUT", "/echo", 405)])
def test_what_is_not_there_is_a_problem(world: World, method: str, place: str, status: int) -> None:
    response = world.client.request(method, place)
    assert (response.status_code, response.json()["code"]) == (status, "no-route")


def told(world: World, *, host: str = "203.0.113.7", **headers: str) -> tuple[int, dict[str, bool]]:
    """What readiness says to a client at `host` while one part is broken."""
    app = create_app(world.door, ready=lambda: ({"keys": False}, False), start=lambda: None, stop=lambda: None)
    with TestClient(app, base_url="https://troth.test", client=(host, 50000)) as client:
        response = client.get("/readyz", headers={name.replace("_", "-"): value for name, value in headers.items()})
    return response.status_code, response.json()


def test_strangers_learn_no_part(world: World) -> None:
    assert told(world) == (503, {"ready": False})
    assert told(world, authorization="Bearer good") == (503, {"ready": False})  # a person, not an operator
    assert told(world, authorization="Bearer wrong") == (503, {"ready": False})
    assert told(world, host="127.0.0.1", x_forwarded_for="203.0.113.7") == (503, {"ready": False})
    assert told(world, host="127.0.0.1", via="1.1 proxy") == (503, {"ready": False})


def test_this_machine_and_operators_see_the_parts(world: World) -> None:
    assert told(world, host="127.0.0.1") == (503, {"keys": False})
    assert told(world, authorization="Bearer operator") == (503, {"keys": False})


def test_a_refusal_names_its_request_in_a_header(world: World) -> None:
    response = world.client.get("/nowhere")
    assert response.headers["x-request-id"] == response.json()["request"]


def test_strangers_ask_for_readiness_so_often_and_this_machine_as_it_likes(world: World) -> None:
    asked = []

    def ready() -> tuple[dict[str, bool], bool]:
        asked.append(1)
        return {}, True

    door = replace(world.door, rate=RateLimit(100, 3))
    app = create_app(door, ready=ready, start=lambda: None, stop=lambda: None)
    for host, expected in (("203.0.113.7", [200, 200, 200, 429, 429]), ("127.0.0.1", [200] * 5)):
        with TestClient(app, base_url="https://troth.test", client=(host, 50000)) as client:
            assert [client.get("/readyz").status_code for _ in range(5)] == expected
    assert len(asked) == 8
