"""The same product on PostgreSQL: people, a picture, an erasure with certificate, a log that verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from database_world import DATABASES, fresh_place
from house import house
from troth.audit.log import LogPublisher
from troth.audit.verify import verify_log


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [kind for kind in DATABASES if kind != "sqlite"])
def test_the_main_job_on_postgresql(kind: str, tmp_path: Path) -> None:
    with fresh_place(kind, tmp_path, alone=True) as place, house(tmp_path, data=place.settings) as home:
        owner = home.tenant("delta")
        person = home.member(owner, "someone@delta.example.org")
        made, other = home.picture(person), home.picture(owner)
        erased = home.ok("POST", "/v1/erasures/own", person.headers, confirm="erase everything about me")
        assert erased["certificate"]
        assert home.call("GET", "/v1/me", person.headers).status_code == 401
        assert home.call("GET", f"/v1/objects/{other['object']}/content", owner.headers).status_code == 200
        document = home.call("GET", f"/v1/certificates/{erased['certificate']}", owner.headers).text
        assert home.ok("POST", "/v1/certificates/verification", document=document)["scope"] == "subject"
        sequencer = home.system.base.sequencer
        sequencer.flush()
        publisher = LogPublisher(home.system.base.database)
        read = lambda path: publisher.resource(owner.tenant, path)  # noqa: E731 - one line says it
        assert verify_log(read, str(sequencer.origins.key(owner.tenant))).size > 10
        assert home.call("GET", f"/v1/objects/{made['object']}", owner.headers).status_code == 404
        assert not (tmp_path / "data" / "troth.db").exists()
