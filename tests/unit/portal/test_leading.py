"""From a refusal to the page that mends it, and back: never to another site."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from troth.kernel.errors import Denied
from troth.portal.leading import back, mending, wants_page

REFUSAL = Denied("Prove that it is you first.", code="step-up-required")


def request(method: str, path: str, accept: str = "text/html,*/*;q=0.8") -> Request:
    headers = [(b"host", b"troth.test"), (b"accept", accept.encode())]
    return Request({"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""})


@pytest.mark.parametrize(
    ("method", "path", "place"),
    [
        ("GET", "/people", "/people"),
        ("GET", "/reviews/rev_1", "/reviews/rev_1"),
        ("POST", "/people/usr_1/roles", "/people"),
        ("POST", "/restrictions/usr_1/lift", "/holds"),
        ("POST", "/erasures/era_1/approve", "/requests"),
        ("POST", "/moves", "/placement"),
        ("GET", "/", "/"),
    ],
)
def test_who_is_led_comes_back_to_the_page(method: str, path: str, place: str) -> None:
    assert mending(request(method, path), REFUSAL) == f"/prove?back={place.replace('/', '%2F')}"


@pytest.mark.parametrize("place", ["/", "/people", "/reviews/rev_1", "/key-domains", "/.x".replace(".", "_")])
def test_a_place_of_ours_is_gone_back_to(place: str) -> None:
    assert back(place) == place


@pytest.mark.parametrize(
    "place",
    [
        None,
        "",
        "people",
        "//evil.example",
        "/\\evil.example",
        "/\\/evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/people\r\nset-cookie: a=b",
        "/people?x=1",
        "/./\t/evil.example",
        "/" + "a" * 300,
        "/ok\n",
        "/sign-in",
        "/sign-in/sso/con_1",
        "/sign-in/saml/con_1",
        "/people/../sign-in/sso/con_1",
    ],
)
def test_nothing_else_is(place: str | None) -> None:
    assert back(place) == "/"


@pytest.mark.parametrize(("accept", "page"), [("text/html", True), ("*/*", False), ("application/json", False)])
def test_only_who_goes_to_a_page_is_led(accept: str, page: bool) -> None:
    assert wants_page(request("POST", "/people", accept)) is page
