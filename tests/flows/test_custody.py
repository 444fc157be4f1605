"""The custody of an object through the door: its owner's, and an auditor's of the tenant, also after the erasure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from house import House, house


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as built:
        yield built


def test_who_may_see_what_happened_to_an_object(home: House) -> None:
    owner = home.tenant("custody")
    cal = home.member(owner, "cal@custody.example.org")
    made = home.picture(cal)["object"]
    home.call("GET", f"/v1/objects/{made}/content", cal.headers)
    home.system.base.sequencer.flush()
    mine = home.ok("GET", f"/v1/objects/{made}/custody", cal.headers)
    assert mine["statement"] == "unbroken"
    assert [(one["what"], one["operation"]) for one in mine["steps"]][:1] == [("ingest", "object.kept")]
    assert ("access", "object.open") in [(one["what"], one["operation"]) for one in mine["steps"]]
    cookie = {"cookie": f"__Host-sid={cal.headers['authorization'].removeprefix('Bearer ')}", "accept": "text/html"}
    assert f"/data/{made}/custody" in home.client.get(f"/data/{made}", headers=cookie).text
    page = home.client.get(f"/data/{made}/custody", headers=cookie)
    assert "At no time was it outside an encrypted state." in page.text
    assert "Object sealed and kept" in page.text
    assert home.call("GET", f"/v1/objects/{made}/custody", owner.headers).status_code == 404  # not theirs
    assert home.call("GET", f"/v1/custody/{made}", cal.headers).status_code == 403  # no auditor
    home.ok("DELETE", f"/v1/objects/{made}", cal.headers)
    home.system.base.sequencer.flush()
    auditor = home.member(owner, "eve@custody.example.org", "auditor")
    seen = home.ok("GET", f"/v1/custody/{made}", auditor.headers)
    assert (seen["statement"], seen["state"]) == ("unbroken", "erased")
    assert {"ingest", "access", "deletion"} <= {one["what"] for one in seen["steps"]}
    proof = home.ok("GET", seen["steps"][0]["proof"], auditor.headers)
    assert made in proof["leaf"]
