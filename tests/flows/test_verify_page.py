"""The page that checks a certificate: no document that a stranger pastes is a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from house import House, house

FORM = {
    "origin": "https://localhost",
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded",
}
ENVELOPE = {"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": []}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as built:
        yield built


@pytest.fixture(scope="module")
def certificate(home: House) -> str:
    owner = home.tenant("verify")
    erased = home.ok("DELETE", f"/v1/objects/{home.picture(owner)['object']}", owner.headers)
    return str(home.call("GET", f"/v1/certificates/{erased['certificate']}", owner.headers).text)


def test_a_certificate_holds(home: House, certificate: str) -> None:
    assert home.client.post("/verify", headers=FORM, data={"document": certificate}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-5],
        lambda text: text.replace("A", "B", 1),
        lambda _: "x",
        lambda _: "[" * 50_000,
        lambda _: "9" * 9999,
        lambda _: json.dumps(ENVELOPE),
        lambda _: json.dumps({**ENVELOPE, "signatures": [{"keyid": "localhost", "sig": "AA=="}]}),
        lambda _: json.dumps({**ENVELOPE, "payload": "\ud800", "payloadType": "\ud800"}),
        lambda _: "\x00",
        lambda _: "NaN",
    ],
)
def test_what_does_not_hold_is_refused_and_no_fault(home: House, certificate: str, change: Any) -> None:
    document = change(certificate)
    assert home.client.post("/verify", headers=FORM, data={"document": document}).status_code == 422
    assert home.call("POST", "/v1/certificates/verification", document=document).status_code == 422


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"document=%ff%fe", {}, 422),
        (b"document=\xff", {}, 422),
        (b"document=a&document=b", {}, 422),
        (b"=%", {}, 422),
        (b"", {}, 422),
        (b"document=x", {"content-length": "9" * 5000}, 413),
        (b"document=" + b"a" * (1 << 18), {}, 413),
    ],
)
def test_broken_forms_are_refused(home: House, content: bytes, headers: dict[str, str], status: int) -> None:
    assert home.client.post("/verify", headers={**FORM, **headers}, content=content).status_code == status
