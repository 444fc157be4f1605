"""A picture leaves, and a stranger asks where it comes from: by the API and by the page, without an account."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest
from PIL import Image

from house import House, Person

ASK = "/v1/provenance/verify"
FORM = {"origin": "https://localhost", "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def output(home: House) -> bytes:
    owner = home.tenant("origins")
    made = marked(home, owner, "mountains with a lake", "sea at sunset with a boat", "city skyline at night")
    return base64.b64decode(made["data"][0]["b64_json"])


def marked(home: House, owner: Person, *prompts: str) -> dict[str, Any]:
    """The first picture with a watermark: one of some forty small ones has none, by the word of the house."""
    headers = home.key_headers(owner, "generate")
    for prompt in prompts:
        made: dict[str, Any] = home.ok("POST", "/v1/images/generations", headers, prompt=prompt, size="320x256")
        if home.ok("GET", f"/v1/receipts/{made['request_id']}", owner.headers)["marked"]["watermark"]:
            return made
    raise AssertionError("no picture carries a watermark")


def copy(content: bytes, share: float = 1) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        small = picture.convert("RGB").resize((round(picture.width * share), round(picture.height * share)))
        small.save(out, "JPEG", quality=70)
    return out.getvalue()


def asked(home: House, content: bytes) -> Any:
    return home.client.post(ASK, files={"file": ("x", content)})


def test_an_output_is_told_by_both_signs(home: House, output: bytes) -> None:
    told = asked(home, output).json()
    assert told["made_here"] is True
    assert told["matched"] == ["content-credentials", "watermark", "fingerprint"]
    assert told["content_credentials"]["source"] == "algorithmicMedia"


def test_a_copy_is_told_by_its_mark_and_says_nothing_of_anybody(home: House, output: bytes) -> None:
    answer = asked(home, copy(output))
    assert answer.json()["matched"] == ["watermark", "fingerprint"]
    assert not re.search(r"(usr|ten|obj|req|key)_", answer.text)


def test_a_thumbnail_without_any_mark_is_told_by_its_look_alone(home: House, output: bytes) -> None:
    """Too small to look for a watermark in it."""
    answer = asked(home, copy(output, 0.25))
    told = answer.json()
    assert told["matched"] == ["fingerprint"]
    assert told["made_here"] is None  # likeness proves nothing
    assert told["fingerprint"]["distance"] <= told["fingerprint"]["threshold"]
    assert "no proof" in told["conclusion"]
    assert not re.search(r"(usr|ten|obj|req|key)_", answer.text)
    page = home.client.post("/provenance", headers=FORM, files={"file": ("x", copy(output, 0.25))})
    assert "Looks like a picture made here." in page.text


def test_the_look_goes_with_the_picture(home: House) -> None:
    owner = home.tenant("forgotten")
    made = marked(home, owner, "a ringed planet in space", "desert dunes with cacti", "a cup of coffee")
    small = copy(base64.b64decode(made["data"][0]["b64_json"]), 0.25)
    assert asked(home, small).json()["matched"] == ["fingerprint"]
    receipt = home.ok("GET", f"/v1/receipts/{made['request_id']}", owner.headers)
    assert receipt["marked"] == {"content-credentials": 1, "time-stamp": 0, "watermark": 1, "fingerprint": 1}
    home.ok("DELETE", f"/v1/objects/{receipt['objects'][0]}", owner.headers)
    told = asked(home, small).json()
    assert told["matched"] == []
    assert told["fingerprint"] == {"found": False, "distance": None, "threshold": 31, "of": 256, "not_looked": None}


def test_the_page_says_the_same_without_scripts(home: House, output: bytes) -> None:
    empty = home.client.get("/provenance")
    assert empty.status_code == 200
    assert "<script" not in empty.text
    page = home.client.post("/provenance", headers=FORM, files={"file": ("x", copy(output))})
    assert page.status_code == 200
    assert "Made here." in page.text
    assert "one in 100,000" in page.text
    nothing = home.client.post("/provenance", headers=FORM, files={"file": ("x", b"")})
    assert nothing.status_code == 422
    assert "Choose a file first." in nothing.text


def test_files_of_no_use_are_refused_with_a_reason(home: House) -> None:
    assert asked(home, b"PK\x03\x04").status_code == 415
    assert asked(home, b"\x89PNG\r\n\x1a\n broken").json()["code"] == "broken-picture"
    assert home.client.post("/provenance", headers=FORM, files={"file": ("x", bytes(9 << 20))}).status_code == 413
    assert home.client.post("/provenance", headers={"sec-fetch-site": "cross-site"}).status_code == 403
