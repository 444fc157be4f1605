"""Who is forgotten has no video left: not the order, not the film, not the row, not one that is being made."""

from __future__ import annotations

import time
from typing import Any

from house import House
from troth.gateway.videos import store
from troth.kernel.scope import SYSTEM, within

CONFIRM = {"confirm": "erase everything about me"}
WISH: dict[str, Any] = {"prompt": "the sea for needle-of-jane", "size": "96x64", "seconds": "1"}


def rows(home: House, *wanted: str) -> list[str]:
    """States of these jobs that are on file."""
    with within(SYSTEM), home.system.base.database.read() as connection:
        query = store.jobs.select().where(store.jobs.c.id.in_(wanted))
        return sorted(str(row["state"]) for row in connection.execute(query).mappings())


def work(home: House) -> None:
    with within(SYSTEM):
        home.system.gateway.videos.work()


def test_an_erasure_takes_finished_and_unfinished_videos(home: House) -> None:
    owner = home.tenant("eta")
    jane = home.member(owner, "jane@eta.example.org", "member")
    made = home.ok("POST", "/v1/videos", jane.headers, **WISH)
    end = time.monotonic() + 60
    while home.ok("GET", f"/v1/videos/{made['id']}", jane.headers)["status"] != "completed":
        assert time.monotonic() < end
        work(home)
        time.sleep(0.02)
    assert home.call("GET", f"/v1/videos/{made['id']}/content", jane.headers).content[4:8] == b"ftyp"
    assert home.call("GET", f"/v1/videos/{made['id']}", owner.headers).status_code == 404
    running = home.ok("POST", "/v1/videos", jane.headers, **WISH | {"seconds": "12", "size": "1280x720"})
    assert rows(home, made["id"], running["id"]) == ["completed", "queued"]
    home.ok("POST", "/v1/erasures/own", jane.headers, **CONFIRM)
    while rows(home, made["id"], running["id"]):
        assert time.monotonic() < end + 60
        work(home)
    assert all(b"needle-of-jane" not in content for content in home.contents())
