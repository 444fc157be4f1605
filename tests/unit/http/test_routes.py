"""One declaration, one route; refusals in the shape the client expects."""

from __future__ import annotations

import pytest

from .conftest import World


def test_a_result_comes_back_with_its_request_id(world: World) -> None:
    response = world.client.post("/echo/hi", json={}, headers=world.good)
    assert response.json() == {"word": "hi", "limit": 5}
    assert response.headers["x-request-id"] == world.recorder.entries[0].request


def test_bytes_come_back_as_a_download(world: World) -> None:
    response = world.client.get("/echo?word=x", headers=world.good)
    assert response.content == b"x"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''w%C3%B6rds.txt"


def test_a_stream_comes_back_in_pieces(world: World) -> None:
    with world.client.stream("GET", "/stream", headers=world.good) as response:
        assert b"".join(response.iter_bytes()) == b"ab"
        assert response.headers["content-type"].startswith("text/event-stream")


def test_a_stranger_gets_401_and_a_way_in(world: World) -> None:
    response = world.client.post("/echo/hi", json={})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic x", "Bearer", "Bearer wrong", "Bearer troth_sk_wrong"])
def test_a_credential_that_does_not_hold_is_401_and_recorded(world: World, header: str) -> None:
    response = world.client.get("/echo", headers={"authorization": header})
    assert response.status_code == 401
    assert world.recorder.entries[-1].outcome.value == "refused"


def test_openai_routes_refuse_in_openai_shape(world: World) -> None:
    response = world.client.post("/refuse", json={}, headers=world.good)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_now")


@pytest.mark.parametrize("header", ["idempotency-key", "x-request-id"])
def test_a_request_id_counts_once(world: World, header: str) -> None:
    first = world.client.post("/echo/hi", json={}, headers={**world.good, header: "one"})
    second = world.client.post("/echo/hi", json={}, headers={**world.good, header: "one"})
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json()["code"] == "duplicate-request"


def test_a_request_that_cannot_be_read_does_not_use_up_its_id(world: World) -> None:
    headers = {**world.good, "idempotency-key": "one"}
    assert world.client.post("/echo/hi", json={"other": 1}, headers=headers).status_code == 422
    assert world.client.post("/echo/hi", json={}, headers=headers).status_code == 200


def test_strangers_do_not_take_each_other_s_ids(world: World) -> None:
    for _ in range(2):
        assert world.client.get("/echo", headers={"idempotency-key": "one"}).json()["code"] == "unauthenticated"


@pytest.mark.parametrize("body", [b"{", b"x" * 5000])
def test_who_may_not_is_told_so_before_the_body_is_read(world: World, body: bytes) -> None:
    headers = {"authorization": "Bearer poor", "content-type": "text/plain", "idempotency-key": "one"}
    response = world.client.post("/echo/hi", content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, "access-denied")
    (entry,) = world.recorder.entries
    assert (entry.phase, entry.code, entry.policies) == ("closed", "access-denied", ("by-role",))


def test_a_flood_is_slowed_and_not_recorded(world: World) -> None:
    codes = [world.client.post("/echo/hi").status_code for _ in range(30)]
    assert codes.count(429) == 10
    assert len(world.recorder.entries) == 20
    assert world.client.get("/echo", headers=world.good).status_code == 200
