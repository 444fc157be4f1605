"""Fixed paths are found at once, and answer exactly as the list of routes would."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, NoMatchFound, Route
from starlette.testclient import TestClient

from troth.http.table import FixedPaths


async def _said(request: Request) -> Response:
    return PlainTextResponse(f"{request.scope['route'].name} {request.path_params}")


ROUTES = [
    Route("/a", _said, methods=["GET"], name="get-a"),
    Route("/a", _said, methods=["POST"], name="post-a"),
    Route("/a/{one}", _said, methods=["GET"], name="one"),
]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/a"), ("HEAD", "/a"), ("POST", "/a"), ("PUT", "/a"), ("GET", "/a/b"), ("GET", "/b"), ("GET", "/a/")],
)
def test_the_answer_is_that_of_the_list(method: str, path: str) -> None:
    plain = TestClient(Starlette(routes=ROUTES)).request(method, path)
    quick = TestClient(Starlette(routes=[FixedPaths(ROUTES), *ROUTES])).request(method, path)
    assert (quick.status_code, quick.text, dict(quick.headers)) == (
        plain.status_code,
        plain.text,
        dict(plain.headers),
    )


def test_a_fixed_path_is_found_and_another_is_left_to_the_list() -> None:
    table = FixedPaths(ROUTES)
    scope = {"type": "http", "method": "POST", "path": "/a", "root_path": ""}
    match, child = table.matches(scope)
    assert (match, child["route"].name) == (Match.FULL, "post-a")
    assert table.matches(scope | {"path": "/a/b"}) == (Match.NONE, {})
    assert table.matches(scope | {"type": "websocket"}) == (Match.NONE, {})


def test_names_are_found_in_the_list_only() -> None:
    with pytest.raises(NoMatchFound):
        FixedPaths(ROUTES).url_path_for("get-a")
    assert Starlette(routes=[FixedPaths(ROUTES), *ROUTES]).url_path_for("one", one="b") == "/a/b"
