"""Take-downs, preserved evidence and the choice of vendors on the pages, each with two people where it asks for two."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import pytest
from PIL import Image, ImageDraw

from house import House, Person
from scriptless import Visit
from troth.gateway.moderation import hashes


def drawn(seed: int) -> bytes:
    """A synthetic picture with enough shapes for a hash."""
    picture = Image.new("RGB", (320, 240), (seed * 53 % 255, 120, 40))
    pen = ImageDraw.Draw(picture)
    for n in range(40):
        x, y = (n * 71 * seed) % 300, (n * 43 + seed * 29) % 220
        pen.rectangle((x, y, x + 18 + n, y + 12 + n % 5 * 7), fill=(n * 5 % 255, seed * 17 % 255, n * 9 % 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def shown_to(home: House, person: Person, content: bytes) -> int:
    address = "data:image/png;base64," + base64.b64encode(content).decode()
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": address}}]
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": parts}]}
    return int(home.call("POST", "/v1/chat/completions", home.key_headers(person, "generate"), **said).status_code)


@pytest.fixture(scope="module")
def second(home: House) -> dict[str, str]:
    made = home.ok("POST", "/v1/operators", home.operator, email="lists2@troth.example.org", display_name="Second")
    return home.settle("lists2@troth.example.org", made["password"]).headers


def entry(desk: Visit, digest: str) -> str:
    """The id of the entry of this hash that stands on the page."""
    row = next(one for one in desk.see("/takedowns").split("<tr>") if digest in one)
    return re.findall(r"/takedowns/(tkd_\w+)/", row)[0]


def listed(home: House, second: dict[str, str], content: bytes, **more: str) -> str:
    """Put a picture on the list by its bytes, by two operators; its entry."""
    first, other = Visit(home, home.operator), Visit(home, second)
    files = {"picture": ("a.png", content, "image/png")}
    sent = first.send("/takedowns", files=files, source="own-report", **{"why-listed": "non-consensual"}, **more)
    assert sent.status_code == 303, sent.text
    named = entry(first, next(iter(hashes.of_picture(content)))[0])
    assert "Another operator puts it in force" in first.see("/takedowns")
    assert first.send(f"/takedowns/{named}/approve", reason="checked").status_code == 403
    assert other.send(f"/takedowns/{named}/approve", reason="checked").status_code == 303
    return named


def test_a_picture_is_listed_by_two_and_taken_off(home: House, second: dict[str, str]) -> None:
    person, content = home.member(home.tenant("list-pages"), "person@list-pages.example.org"), drawn(3)
    first = Visit(home, home.operator)
    named = listed(home, second, content)
    assert shown_to(home, person, content) == 403
    assert first.send(f"/takedowns/{named}/withdraw").status_code == 422  # nobody said why
    assert first.send(f"/takedowns/{named}/withdraw", reason="mistake").status_code == 303
    assert shown_to(home, person, content) == 200
    assert "Taken off" in first.see("/takedowns")


def test_entries_by_hash_and_by_list(home: House) -> None:
    first = Visit(home, home.operator)
    one, other = (next(iter(hashes.of_picture(drawn(seed))))[0] for seed in (5, 6))
    nothing = {"picture": ("", b"", "application/octet-stream")}
    told = {"source": "ncii-list", "why-listed": "non-consensual"}
    assert first.send("/takedowns", files=nothing, hash=one, **told).status_code == 303
    again = first.send("/takedowns", files=nothing, hash=one, **told)
    assert (again.status_code, "on file already" in again.text) == (409, True)
    text = f"hash,illegal,source,reason\n{other},true,ncii-list,illegal-one\n"
    assert first.send("/takedowns/list", entries=text).status_code == 303
    row = next(row for row in first.see("/takedowns").split("<tr>") if other in row)
    assert "illegal</span>" in row
    taken = home.client.get("/takedowns/csv", headers=first.cookie)
    assert taken.headers["content-disposition"] == 'attachment; filename="takedowns.csv"'
    assert f"{one},false,ncii-list,non-consensual" in taken.text
    for digest in (one, other):
        assert first.send(f"/takedowns/{entry(first, digest)}/withdraw", reason="mistake").status_code == 303


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (b"", {}, "Choose a picture, or paste its hash"),
        (b"no picture", {}, "alert"),
        (b"", {"hash": "12"}, "64 hex digits"),
        (b"", {"hash": "f0" * 32, "source": ""}, "short words"),
        (b"", {"hash": "f0" * 32, "source": "a b"}, "CSV"),
    ],
)
def test_what_is_no_entry_is_refused_in_words(home: House, content: bytes, fields: dict[str, str], said: str) -> None:
    first = Visit(home, home.operator)
    wish = {"source": "own-report", "why-listed": "spam-one"} | fields
    refused = first.send("/takedowns", files={"picture": ("a.png", content, "image/png")}, **wish)
    assert 400 <= refused.status_code < 500
    assert said in refused.text


def test_who_may_not_has_no_picture_read(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Visit(home, home.tenant("nosy"))
    monkeypatch.setattr(hashes, "of_picture", lambda _content: pytest.fail("a picture was read"))
    files = {"picture": ("a.png", drawn(8), "image/png")}
    refused = owner.send("/takedowns", files=files, source="own-report", **{"why-listed": "spam-one"})
    assert refused.status_code == 403


def evidence(home: House, second: dict[str, str], name: str, seed: int) -> tuple[Visit, Visit, str, str]:
    """Two officers' pages, the piece that is preserved, and the entry that it matched."""
    owner, content = home.tenant(name), drawn(seed)
    officer = home.member(owner, f"officer@{name}.example.org", "privacy-officer")
    named = listed(home, second, content, illegal="yes")
    assert shown_to(home, home.member(owner, f"person@{name}.example.org"), content) == 403
    desk = Visit(home, owner)
    (piece,) = set(re.findall(r"evd_\w{26}", desk.see("/preserved")))
    return desk, Visit(home, officer), piece, named


def test_evidence_is_reported_taken_out_once_and_never_shown(home: House, second: dict[str, str]) -> None:
    desk, office, piece, named = evidence(home, second, "evidence-pages", 11)
    at = f"/preserved/{piece}"
    assert "not reported yet" in office.see("/preserved")
    told = {"authority": "cybertipline", "reference": "CT-7", "reason": "legal-duty"}
    assert office.send(f"{at}/report", **told | {"authority": "two words"}).status_code == 422
    assert office.send(f"{at}/report", **told).status_code == 303
    assert "cybertipline, number CT-7" in desk.see("/preserved")
    assert desk.send(f"{at}/open", words="take it out", reason="legal-duty").status_code == 409  # nobody asked
    assert office.send(f"{at}/ask", wish="open", reason="legal-duty").status_code == 303
    assert "Somebody else does it" in office.see("/preserved")
    assert office.send(f"{at}/open", words="take it out", reason="legal-duty").status_code == 403
    unsure = desk.send(f"{at}/open", words="yes", reason="legal-duty")
    assert (unsure.status_code, "take it out" in unsure.text) == (422, True)
    taken = desk.send(f"{at}/open", words="Take it out", reason="legal-duty")
    assert taken.status_code == 200
    assert taken.headers["content-type"] == "application/octet-stream"
    assert taken.headers["content-disposition"] == f'attachment; filename="{piece}.json"'
    assert base64.b64decode(json.loads(taken.content)["picture"]) == drawn(11)
    assert desk.send(f"{at}/open", words="take it out", reason="legal-duty").status_code == 409
    for page in (desk, office):
        assert "<img" not in page.see("/preserved").partition("<main")[2]
    assert Visit(home, second).send(f"/takedowns/{named}/withdraw", reason="mistake").status_code == 303


def test_evidence_is_erased_by_two(home: House, second: dict[str, str]) -> None:
    desk, office, piece, named = evidence(home, second, "mistaken-pages", 13)
    at = f"/preserved/{piece}"
    assert office.send(f"{at}/ask", wish="release", reason="mistake").status_code == 303
    assert office.send(f"{at}/release", words="erase it", reason="mistake").status_code == 403
    assert desk.send(f"{at}/release", words="erase it", reason="mistake").status_code == 303
    assert "erased by two people" in desk.see("/preserved")
    assert Visit(home, second).send(f"/takedowns/{named}/withdraw", reason="mistake").status_code == 303


WIDE: dict[str, Any] = {"allow": "", "deny": "", "regions": "", "certificates": "", "order": "listed", "reason": "rule"}


def test_a_choice_of_vendors_narrows_at_once_and_widens_by_two(home: House) -> None:
    owner = home.tenant("choosy")
    other = home.member(owner, "other@choosy.example.org", "owner")
    admin = home.member(owner, "admin@choosy.example.org", "admin")
    first, colleague, reader = Visit(home, owner), Visit(home, other), Visit(home, admin)
    assert "every vendor that the operator approved" in first.see("/routing")
    assert "troth-echo-1" in first.see("/routing")
    narrow = WIDE | {"deny": "Acme, bright", "regions": "eu us", "output": "2.50", "currency": "eur", "order": "price"}
    assert first.send("/routing", **narrow).status_code == 303
    shown = reader.see("/routing")
    assert "but not acme and bright" in shown
    assert "only in the European Union and the United States" in shown
    assert "at most 2.50 EUR for a million tokens written" in shown
    assert "the cheapest first" in shown
    assert "nobody steps in" in shown
    assert 'name="allow"' not in shown  # an admin reads
    assert reader.send("/routing", **WIDE).status_code == 403
    assert first.send("/routing", **WIDE, fallback="yes").status_code == 303
    waiting = first.see("/routing")
    assert "A looser choice waits" in waiting
    assert "It may cost more" in waiting
    assert 'value="approve"' not in waiting
    assert first.send("/routing/decision", decision="approve", reason="rule").status_code == 403
    assert colleague.send("/routing/decision", decision="approve", reason="rule").status_code == 303
    assert "no limit" in first.see("/routing")
    assert first.send("/routing/decision", decision="approve", reason="rule").status_code == 404


@pytest.mark.parametrize("change", [{"output": "much"}, {"output": "1e9"}, {"deny": "a_b"}, {"reason": ""},
                                    {"order": "whim"}, {"output": "1", "currency": "euro"}])  # fmt: skip
def test_a_choice_that_cannot_be_read_is_given_back(home: House, change: dict[str, str]) -> None:
    owner = Visit(home, home.tenant(f"unread-{len(home.ok('GET', '/v1/tenants', home.operator)['tenants'])}"))
    refused = owner.send("/routing", **WIDE | {"allow": "local-studio"} | change)
    assert refused.status_code == 422
    assert 'value="local-studio"' in refused.text
