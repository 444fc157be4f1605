"""Bad input is a typed refusal with a stable code, and the record closes as refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.http.room import Room

from .conftest import World

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "broken-json"),
        (b"[1]", JSON, 400, "broken-json"),
        (b"{" * 900, JSON, 400, "broken-json"),
        (b'{"limit": NaN}', JSON, 400, "broken-json"),
        (b'{"limit": 1}', {"content-type": "text/plain"}, 415, "wrong-content-type"),
        (b'{"wrod": 1}', JSON, 422, "unknown-field"),
        (b'{"limit": "many"}', JSON, 422, "bad-field"),
        (b'{"limit": 1, "word": "' + b"x" * 3000 + b'"}', JSON, 413, "body-too-large"),
    ],
)
def test_bad_bodies(world: World, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    response = world.client.post("/echo/hi", content=body, headers={**world.good, **headers})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert [(entry.outcome.value, entry.code) for entry in world.recorder.entries] == [("refused", code)]


def test_values_are_never_echoed(world: World) -> None:
    response = world.client.post("/echo/hi", json={"limit": "jane@example.com"}, headers=world.good)
    assert "jane" not in response.text


def test_a_body_longer_than_it_says_is_refused(world: World) -> None:
    def pieces() -> Any:
        for _ in range(30):
            yield b" " * 100

    response = world.client.post("/echo/hi", content=pieces(), headers={**world.good, **JSON})
    assert response.status_code == 413


def test_the_path_wins_over_the_body(world: World) -> None:
    response = world.client.post("/echo/path", json={"word": "body"}, headers=world.good)
    assert response.json()["word"] == "path"


def test_a_repeated_query_parameter_is_refused(world: World) -> None:
    assert world.client.get("/echo?word=a&word=b", headers=world.good).json()["code"] == "broken-query"


def test_uploads_in_openai_list_shape(world: World) -> None:
    files = [("image[]", ("a.png", b"12345", "image/png")), ("image[]", ("b.png", b"1", "image/png"))]
    response = world.client.post("/photo", files=files, data={"expires_after[anchor]": "x"}, headers=world.good)
    assert response.json() == {"word": "2 5", "limit": 5}


def test_large_uploads_stay_in_memory(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))  # any spool to disk would now fail
    object.__setattr__(world.door, "max_body_bytes", 8 << 20)
    monkeypatch.setattr("troth.http.forms._MemoryParser.spool_max_size", 1 << 31)
    response = world.client.post("/photo", files={"image": ("a", b"x" * 1_000_000)}, headers=world.good)
    assert response.json()["word"] == "1 1000000"


@pytest.mark.parametrize("body", [b"--x\r\nnonsense", b"", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--"])
def test_broken_multipart(world: World, body: bytes) -> None:
    headers = {**world.good, "content-type": "multipart/form-data; boundary=x"}
    response = world.client.post("/photo", content=body, headers=headers)
    assert response.status_code in (400, 422)
    assert "error" in response.json()


def test_a_form_field_sent_twice_is_refused(world: World) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n' * 2 + b"--x--\r\n"
    headers = {**world.good, "content-type": "multipart/form-data; boundary=x"}
    assert world.client.post("/photo", content=body, headers=headers).json()["error"]["code"] == "broken_multipart"


@given(body=st.binary(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_cause_an_untyped_answer(world: World, body: bytes) -> None:
    world.door.rate._credentials._counts.clear()
    for place, kind in (("/echo/hi", "application/json"), ("/photo", "multipart/form-data; boundary=x")):
        response = world.client.post(place, content=body, headers={**world.good, "content-type": kind})
        assert response.status_code in (200, 400, 413, 415, 422)


def test_there_is_room_for_so_many_bytes_of_all_bodies(world: World) -> None:
    object.__setattr__(world.door, "room", Room(100))
    files = {"image": ("a", b"x" * 200)}
    refused = world.client.post("/photo", files=files, headers=world.good)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_room")
    assert [(one.operation, one.code) for one in world.recorder.entries if one.phase == "closed"] == [
        ("image.photo", "no-room")
    ]
    assert world.client.post("/echo/hi", json={}, headers=world.good).status_code == 200
    assert world.door.room.taken == 0
